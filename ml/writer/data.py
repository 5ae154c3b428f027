"""Training text: general dialogue for fluency, the composed corpus for the trade.

Of the public dialogues only answers without facts are learned: one that states a digit, a day, a price,
a link or a proper name teaches the writer what it must never say by itself. What the user had said stands
before the answer, as a customer's message does in the trade.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml.types import Channel
from ml.writer.corpus import Corpus
from ml.writer.corpus.compose import Composed, Request, compose, sample_request
from ml.writer.corpus.customer import Utterances, customer_message
from ml.writer.rules import content_faults
from ml.writer.situations import SITUATIONS
from ml.writer.tokens import readable

TRAIN_FILES = (
    "sgd_train.jsonl.gz",
    "sgd_dev.jsonl.gz",
    "taskmaster3_movies_partial.jsonl.gz",
    "taskmaster4_coffee.jsonl.gz",
)
HELD_OUT_FILES = ("sgd_test.jsonl.gz",)
BITEXT_FILES = ("bitext20k_utterance_intent.csv.gz", "bitext8175_v2022.csv.gz")
_INTENTS = {"check_invoice": "check_invoices"}  # one intent, two names
# A capital in mid-sentence is a name, "I" and its contractions apart.
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b(?!I\b|I'|OK\b)[A-Z]")
NOBODY: Utterances = {}
_SILENT: dict[Channel, float] = {"chat": 0.1, "mail": 0.5}
_SYSTEM = frozenset({"S", "agent", "assistant"})
_LENGTH = (3, 40)  # words of a turn


Exchange = tuple[str, str]  # what the user said, as the model reads it ("" at a start), and the answer


@dataclass(frozen=True, slots=True)
class Dialogues:
    train: list[Exchange]
    held_out: list[Exchange]


def read_dialogues(folder: Path) -> Dialogues:
    """Clean answers of SGD and Taskmaster, each distinct one once; those of SGD's test part are held out."""
    train = _exchanges(folder, TRAIN_FILES)
    held_out = _exchanges(folder, HELD_OUT_FILES)
    seen = {answer for _, answer in train}
    return Dialogues(train, [pair for pair in held_out if pair[1] not in seen])


def _exchanges(folder: Path, names: Sequence[str]) -> list[Exchange]:
    found: dict[str, str] = {}
    for name in names:
        for said, answer in _turns(folder / "dialogues" / name):
            text = tidy(answer)
            if text not in found and is_clean(text):
                found[text] = readable(said)
    return [(said, answer) for answer, said in found.items()]


def _turns(path: Path) -> Iterator[Exchange]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            said = ""
            for turn in json.loads(line)["turns"]:
                if turn[0] in _SYSTEM:
                    yield said, turn[1]
                said = "" if turn[0] in _SYSTEM else turn[1]


def tidy(text: str) -> str:
    """One space between words, a capital first, a mark last."""
    text = re.sub(r"\s+", " ", text.replace("’", "'")).strip()
    text = re.sub(r"\bi\b", "I", text)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else text + "."


def is_clean(text: str) -> bool:
    low, high = _LENGTH
    return low <= len(text.split()) <= high and not _NAME.search(text) and not content_faults(text)


def compose_many(
    corpus: Corpus, count: int, seed: int, spoken: Utterances = NOBODY, *, held_out: bool = False
) -> list[Composed]:
    """`count` distinct exchanges, each situation of the channel equally often (mails that have more to say
    do not crowd out the others): a customer's message, of the public ones in `spoken` or of our own, and a
    text that answers it. With `held_out` scenarios and words that the others never hold. Deterministic by
    seed."""
    rng = random.Random(seed)
    names = [name for name in SITUATIONS if name in corpus.scripts]
    found: dict[Composed, None] = {}
    for turn in range(count * 3):
        request = sample_request(names[turn % len(names)], rng, held_out=held_out)
        said = message_for(request, rng, spoken, held_out=held_out)
        composed = compose(corpus, request, rng, said)
        if composed is not None:
            found[composed] = None
        if len(found) == count:
            break
    return list(found)


def message_for(request: Request, rng: random.Random, spoken: Utterances, *, held_out: bool = False) -> str:
    """What the customer wrote; now and then nothing, since the product may not know it. A theme needs its
    message, and who asks for the first time has written something."""
    if not request.theme and rng.random() < _SILENT[SITUATIONS[request.situation].channel]:
        return ""
    return customer_message(request.situation, request.mood, request.theme, rng, spoken, held_out)


def utterances(folder: Path) -> dict[str, list[str]]:
    """Bitext's customer messages of both editions by intent, as they were written."""
    found: dict[str, dict[str, None]] = {}
    for name in BITEXT_FILES:
        with gzip.open(folder / "intents" / "bitext" / name, "rt", encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                found.setdefault(_INTENTS.get(row["intent"], row["intent"]), {})[row["utterance"].strip()] = (
                    None
                )
    return {intent: list(texts) for intent, texts in sorted(found.items())}


def corpus_hash(channel: Channel, folder: Path) -> str:
    """Short hash over the hand-written files that a channel's texts are composed from."""
    digest = hashlib.sha256()
    for pattern in (f"{channel}/*.txt", "themes/*.txt", "customer.txt"):
        for path in sorted(folder.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def text_hash(pairs: Sequence[Exchange]) -> str:
    digest = hashlib.sha256()
    for said, answer in pairs:
        digest.update(f"{said}\t{answer}\n".encode())
    return digest.hexdigest()[:12]

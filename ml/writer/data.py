"""Training text: general dialogue for fluency, the composed corpus for the trade.

Of the public dialogues only sentences without facts are read: a sentence that states a digit, a
day, a price, a link or a proper name teaches the writer what it must never say by itself.
"""

from __future__ import annotations

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
from ml.writer.corpus.compose import Composed, compose, sample_request
from ml.writer.rules import content_faults
from ml.writer.situations import SITUATIONS

TRAIN_FILES = (
    "sgd_train.jsonl.gz",
    "sgd_dev.jsonl.gz",
    "taskmaster3_movies_partial.jsonl.gz",
    "taskmaster4_coffee.jsonl.gz",
)
HELD_OUT_FILES = ("sgd_test.jsonl.gz",)
# A capital in mid-sentence is a name, "I" and its contractions apart.
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b(?!I\b|I'|OK\b)[A-Z]")
_SYSTEM = frozenset({"S", "agent", "assistant"})
_LENGTH = (3, 40)  # words of a turn


@dataclass(frozen=True, slots=True)
class Dialogues:
    train: list[str]
    held_out: list[str]


def read_dialogues(folder: Path) -> Dialogues:
    """Distinct clean system turns of SGD and Taskmaster; those of SGD's test part are held out."""
    train = _clean_turns(folder, TRAIN_FILES)
    held_out = _clean_turns(folder, HELD_OUT_FILES)
    seen = set(train)
    return Dialogues(train, [text for text in held_out if text not in seen])


def _clean_turns(folder: Path, names: Sequence[str]) -> list[str]:
    turns = (tidy(text) for name in names for text in _turns(folder / "dialogues" / name))
    return list(dict.fromkeys(text for text in turns if is_clean(text)))


def _turns(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from (turn[1] for turn in json.loads(line)["turns"] if turn[0] in _SYSTEM)


def tidy(text: str) -> str:
    """One space between words, a capital first, a mark last."""
    text = re.sub(r"\s+", " ", text.replace("’", "'")).strip()
    text = re.sub(r"\bi\b", "I", text)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else text + "."


def is_clean(text: str) -> bool:
    low, high = _LENGTH
    return low <= len(text.split()) <= high and not _NAME.search(text) and not content_faults(text)


def compose_many(corpus: Corpus, count: int, seed: int) -> list[Composed]:
    """`count` distinct texts, each situation of the channel equally often (mails that have more to
    say do not crowd out the others). Deterministic by seed."""
    rng = random.Random(seed)
    names = [name for name in SITUATIONS if name in corpus.scripts]
    found: dict[Composed, None] = {}
    for turn in range(count * 3):
        request = sample_request(names[turn % len(names)], rng)
        composed = compose(corpus, request, rng)
        if composed is not None:
            found[composed] = None
        if len(found) == count:
            break
    return list(found)


def corpus_hash(channel: Channel, folder: Path) -> str:
    """Short hash over the hand-written files of a channel."""
    digest = hashlib.sha256()
    for path in sorted((folder / channel).glob("*.txt")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def text_hash(texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()[:12]

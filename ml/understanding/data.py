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

from ml.understanding.intents import OUT_OF_SCOPE

EXAMPLES = Path(__file__).parent / "examples"
BITEXT = {
    "2020": "intents/bitext/bitext20k_utterance_intent.csv.gz",
    "2022": "intents/bitext/bitext8175_v2022.csv.gz",
}
_CLINC = "intents/clinc150/data_full.json.gz"
_SGD = "dialogues/sgd_train.jsonl.gz"
_REVIEWS = "sentiment/womens_clothing_reviews.csv.gz"

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
    """(review, "negative" | "neutral" | "positive") from one to five stars."""
    names = {"1": "negative", "2": "negative", "3": "neutral", "4": "positive", "5": "positive"}
    rows = _csv(data / _REVIEWS)
    return [(row["Review Text"], names[row["Rating"]]) for row in rows if row["Review Text"].strip()]


def examples(kind: str) -> list[Row]:
    """Our own sentences: `kind` is "intents" or "moods", a file per label, a line per sentence."""
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

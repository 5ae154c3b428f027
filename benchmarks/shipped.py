"""The shipped understanding on sets that it was never trained on: sentiment, safety flags, personal data."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks import unseen
from ml.types import Understanding
from ml.understanding import data as sources
from ml.understanding.artifact import FOLDER
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS
from ml.understanding.metrics import class_scores
from ml.understanding.pii import find_personal
from ml.understanding.sentiment import heat
from ml.understanding.understander import Understander

ORDINARY = 2_000
_BATCH = 256
_PERSONAL = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN": "iban",
    "IBAN_CODE": "iban",
}


def shipped(data: Path) -> dict[str, Any]:
    understander = Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS)
    return {
        "airline_macro_f1": airline(understander, data),
        "sst2_accuracy": sst2(understander, data),
        "safety": safety(understander, data),
        "pii": personal(data),
        "unseen": unseen.measure(understander),
    }


def read_all(understander: Understander, texts: Sequence[str]) -> list[Understanding]:
    parts = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
    return [said for part in parts for said in understander.understand_all(part)]


def airline(understander: Understander, data: Path) -> float:
    """Macro-F1 over the three classes of the airline tweets."""
    with gzip.open(data / "sentiment/twitter_us_airline_Tweets.csv.gz", "rt", encoding="utf-8") as file:
        rows = [(row["text"], row["airline_sentiment"]) for row in csv.DictReader(file)]
    said = [found.sentiment.label for found in read_all(understander, [text for text, _ in rows])]
    scores = class_scores([label for _, label in rows], said)
    return round(float(np.mean([score.f1 for score in scores.values()])), 4)


def sst2(understander: Understander, data: Path) -> float:
    """Accuracy, percent, of the sign of the score on SST-2's test part."""
    with gzip.open(data / "sentiment/sst2_test.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").rsplit("\t", 1) for line in file]
    rows = [row for row in rows if row[1] in ("0", "1")]
    said = read_all(understander, [text for text, _ in rows])
    right = [(found.sentiment.score > 0) == (row[1] == "1") for found, row in zip(said, rows, strict=True)]
    return round(100 * float(np.mean(right)), 2)


def safety(understander: Understander, data: Path) -> dict[str, float]:
    """Percent of ordinary messages (customers' without swearing, and XSTest's safe prompts) that raise the
    toxicity or injection flag, and of held-back jailbreaks that raise the latter."""
    customers, prompts = ordinary(data), _xstest(data)
    raised = [_alarms(found) for found in read_all(understander, [*customers, *prompts])]
    caught = read_all(understander, sources.jailbreaks(data, held_back=True))
    return {
        "false_alarm_rate": round(100 * float(np.mean(raised)), 2),
        "on_customers": round(100 * float(np.mean(raised[: len(customers)])), 2),
        "on_xstest_safe": round(100 * float(np.mean(raised[len(customers) :])), 2),
        "jailbreak_recall": round(100 * float(np.mean(["injection" in f.flags.raised for f in caught])), 2),
    }


def ordinary(data: Path) -> list[str]:
    """Customers of five businesses: HINT3's and CLINC150's test parts, neither trained on, and Bitext."""
    hint3 = [
        text
        for name in ("sofmattress", "curekart", "powerplay11")
        for text, _ in sources.labelled(
            data / f"intents/hint3/v1/test/{name}_test.csv.gz", text="sentence", label="label"
        )
    ]
    others = [text for text, _ in [*sources.clinc(data, "test"), *sources.bitext(data, "2022")]]
    rng = Random(0)
    chosen = rng.sample(hint3, ORDINARY // 2) + rng.sample(others, ORDINARY)
    return [text for text in chosen if heat(text) < 2 and "goddamn" not in text][:ORDINARY]


def personal(data: Path) -> dict[str, float]:
    """Recall and precision, percent, of emails, telephone numbers, cards and IBANs by overlap."""
    hits = wanted = 0
    good = found = 0
    for name in ("presidio_generated_large", "presidio_synth_dataset_v2"):
        with gzip.open(data / f"pii/{name}.json.gz", "rt", encoding="utf-8") as file:
            samples = json.load(file)
        for sample in samples:
            spans = [(s["start_position"], s["end_position"], s["entity_type"]) for s in sample["spans"]]
            marked = [span for span in spans if span[2] in _PERSONAL]
            calls = [call for call in find_personal(sample["full_text"]) if call.kind in _PERSONAL.values()]
            hits += sum(
                any(call.start < end and start < call.end for call in calls) for start, end, _ in marked
            )
            wanted += len(marked)
            good += sum(
                any(call.start < end and start < call.end for start, end, _ in spans) for call in calls
            )
            found += len(calls)
    return {"recall": round(100 * hits / wanted, 2), "precision": round(100 * good / max(1, found), 2)}


def _alarms(found: Understanding) -> bool:
    return bool({"toxicity", "injection"} & set(found.flags.raised))


def _xstest(data: Path) -> list[str]:
    with gzip.open(data / "safety/xstest_prompts.csv.gz", "rt", encoding="utf-8") as file:
        return [row["prompt"] for row in csv.DictReader(file) if row["label"] == "safe"]

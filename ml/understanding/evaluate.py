"""Evaluates intents on a CSV of anyone's messages, with our model or with our recipe."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.understanding.data import DataError, Row, utterances
from ml.understanding.encoder import SupportsEncode, Vectors
from ml.understanding.fitting import TrainingSet
from ml.understanding.intents import OUT_OF_SCOPE, IntentModel, train
from ml.understanding.metrics import report
from ml.understanding.text import prepare
from ml.understanding.understander import Understander

BATCH = 256


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`figures` holds plain values; the three lists run parallel to `rows`."""

    figures: dict[str, Any]
    rows: list[Row]
    predicted: list[str]
    confidence: list[float]

    def write_predictions(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "intent", "predicted", "confidence"])
            for (text, intent), predicted, confidence in zip(
                self.rows, self.predicted, self.confidence, strict=True
            ):
                writer.writerow([text, intent, predicted, f"{confidence:.4f}"])


def evaluate_shipped(path: Path, understander: Understander) -> Evaluation:
    """The shipped model with everything the chat uses around it. Raises DataError."""
    rows = utterances(path)
    predicted: list[str] = []
    confidence: list[float] = []
    for start in range(0, len(rows), BATCH):
        for understood in understander.understand_all([text for text, _ in rows[start : start + BATCH]]):
            predicted.append(understood.intent)
            confidence.append(understood.confidence)
    return _evaluation(rows, predicted, confidence, {"model": understander.artifact.version})


def evaluate_recipe(path: Path, training: Path, encoder: SupportsEncode) -> Evaluation:
    """The same recipe trained on another file's labels, whatever they are. Raises DataError."""
    rows, examples = utterances(path), utterances(training)
    if len({label for _, label in examples}) < 2:
        raise DataError(f"{training} needs at least two different intents.")
    model = train_on(examples, encoder)
    probabilities = model.head.probabilities(vectors_of(rows, encoder))
    about = {"model": "recipe", "training_rows": len(examples), "training": model.scores}
    return _evaluation(rows, model.decide(probabilities), probabilities.max(axis=1).tolist(), about)


def train_on(examples: Sequence[Row], encoder: SupportsEncode) -> IntentModel:
    """The recipe on plain rows, each counting the same."""
    return train(TrainingSet.plain(vectors_of(examples, encoder), [label for _, label in examples]))


def vectors_of(rows: Sequence[Row], encoder: SupportsEncode) -> Vectors:
    return encoder.encode([prepare(text) for text, _ in rows])


def _evaluation(
    rows: list[Row], predicted: list[str], confidence: list[float], about: dict[str, Any]
) -> Evaluation:
    gold = [label for _, label in rows]
    figures = about | report(gold, predicted, confidence, out_of_scope=OUT_OF_SCOPE)
    return Evaluation(figures, rows, predicted, confidence)

"""Evaluates intents on a CSV of anyone's messages, with our model or with our recipe."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.understanding.data import DataError, Row, utterances
from ml.understanding.intents import OUT_OF_SCOPE, IntentModel, train
from ml.understanding.metrics import report
from ml.understanding.understander import Understander

BATCH = 256
RESAMPLES = 2_000
WORST = 25


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`figures` holds plain values; the three lists run parallel to `rows`."""

    figures: dict[str, Any]
    rows: list[Row]
    predicted: list[str]
    confidence: list[float]

    @property
    def right(self) -> list[bool]:
        return [gold == said for (_, gold), said in zip(self.rows, self.predicted, strict=True)]

    def worst(self) -> list[dict[str, Any]]:
        """The surest of the wrong answers."""
        wrong: list[dict[str, Any]] = [
            {"text": text, "intent": gold, "predicted": said, "confidence": round(sure, 4)}
            for (text, gold), said, sure in zip(self.rows, self.predicted, self.confidence, strict=True)
            if gold != said
        ]
        return sorted(wrong, key=lambda row: (-float(row["confidence"]), str(row["text"])))[:WORST]

    def write_predictions(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "intent", "predicted", "confidence"])
            for (text, intent), predicted, confidence in zip(
                self.rows, self.predicted, self.confidence, strict=True
            ):
                writer.writerow([text, intent, predicted, f"{confidence:.4f}"])


def evaluate_shipped(path: Path, understander: Understander) -> Evaluation:
    """A trained model with everything the chat uses around it. Raises DataError."""
    rows = utterances(path)
    predicted: list[str] = []
    confidence: list[float] = []
    for start in range(0, len(rows), BATCH):
        for understood in understander.understand_all([text for text, _ in rows[start : start + BATCH]]):
            predicted.append(understood.intent)
            confidence.append(understood.confidence)
    return _evaluation(rows, predicted, confidence, {"model": understander.artifact.version})


def evaluate_recipe(path: Path, training: Path, *, frozen: bool = False) -> Evaluation:
    """The same recipe trained on another file's labels, whatever they are; `frozen` leaves the
    encoder as it is. Raises DataError."""
    rows, examples = utterances(path), utterances(training)
    if len({label for _, label in examples}) < 2:
        raise DataError(f"{training} needs at least two different intents.")
    model = train_on(examples, frozen=frozen)
    prediction = model.read([text for text, _ in rows])
    about = {
        "model": "recipe, encoder frozen" if frozen else "recipe",
        "training_rows": len(examples),
        "training": model.scores,
    }
    confidence = prediction.probabilities.max(axis=1).tolist()
    return _evaluation(rows, model.decide(prediction), confidence, about)


def train_on(examples: Sequence[Row], *, frozen: bool = False) -> IntentModel:
    """The recipe on plain rows, each counting the same."""
    from ml.understanding.fitting import Corpus

    corpus = Corpus.plain([text for text, _ in examples], [label for _, label in examples])
    return train(corpus, frozen=frozen)


def compare(candidate: Evaluation, current: Evaluation, *, seed: int = 0) -> dict[str, Any]:
    """Accuracy of a candidate minus that of the current model on the same rows, in a paired bootstrap:
    rows are drawn again `RESAMPLES` times, and the middle 95% of the differences is the interval."""
    gain = np.array(candidate.right, dtype=float) - np.array(current.right, dtype=float)
    rng = np.random.default_rng(seed)
    drawn = [float(gain[rng.integers(0, len(gain), len(gain))].mean()) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "current": current.figures["model"],
        "candidate": candidate.figures["model"],
        "current_accuracy": current.figures["accuracy"],
        "candidate_accuracy": candidate.figures["accuracy"],
        "difference": round(float(gain.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _evaluation(
    rows: list[Row], predicted: list[str], confidence: list[float], about: dict[str, Any]
) -> Evaluation:
    gold = [label for _, label in rows]
    figures = about | report(gold, predicted, confidence, out_of_scope=OUT_OF_SCOPE)
    return Evaluation(figures, rows, predicted, confidence)

"""The intent recipe on public sets, each trained on its own training data: nothing is chosen on a test set.

`mcc_best` alone picks its threshold on the test set, because the published HINT3 figures do; `mcc_cv`
beside it is the same with our own cross-validated thresholds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.understanding import data as sources
from ml.understanding.artifact import PATH
from ml.understanding.encoder import Encoder, Vectors
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS
from ml.understanding.evaluate import train_on, vectors_of
from ml.understanding.head import Probabilities
from ml.understanding.intents import OUT_OF_SCOPE, IntentModel
from ml.understanding.metrics import calibration_error, mcc
from ml.understanding.understander import Understander

HINT3 = ("sofmattress", "curekart", "powerplay11")
LATENCY_MESSAGES = (
    "where is my order",
    "hi, I ordered a lamp last week and it still has not come, can you check #W2611340 for me?",
    "how long does delivery take",
    "I want to cancel my order and get my money back",
    "thanks",
)
LATENCY_ROUNDS = 40


class Bench:
    """One encoder for all sets; calibration is collected over every in-scope test row."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.encoder = Encoder()
        self.confidence: list[float] = []
        self.right: list[bool] = []

    def train(self, rows: Sequence[sources.Row]) -> IntentModel:
        return train_on(rows, self.encoder)

    def predict(self, model: IntentModel, rows: Sequence[sources.Row]) -> Probabilities:
        vectors: Vectors = vectors_of(rows, self.encoder)
        return model.head.probabilities(vectors)

    def accuracy(self, model: IntentModel, rows: Sequence[sources.Row]) -> float:
        """Share of the best label right, no rejection; remembered for the calibration error."""
        probabilities = self.predict(model, rows)
        right = _best(model, probabilities) == np.array([label for _, label in rows])
        self.confidence += probabilities.max(axis=1).tolist()
        self.right += right.tolist()
        return round(100 * float(right.mean()), 2)

    def ece(self) -> float:
        return round(calibration_error(np.array(self.confidence), np.array(self.right)), 4)


def run(data: Path | None) -> dict[str, object]:
    """All figures; percentages from 0 to 100, correlations and the calibration error from 0 to 1."""
    figures: dict[str, object] = {"latency_ms_p50": latency()}
    if data is None:
        return figures
    bench = Bench(data)
    figures["hint3"] = {name: hint3(bench, name) for name in HINT3}
    figures["banking77"] = {"full": banking(bench)}
    figures["bitext"] = {
        "2020_2022": bitext(bench, "2020", "2022"),
        "2022_2020": bitext(bench, "2022", "2020"),
    }
    figures["clinc150"] = clinc(bench)
    figures["ece"] = bench.ece()
    return figures


def hint3(bench: Bench, name: str) -> dict[str, float]:
    """In-scope accuracy and out-of-scope recall at a probability of 0.1, and Matthews correlations."""
    folder = bench.data / "intents/hint3/v1"
    rows = sources.labelled(folder / f"train/{name}_train.csv.gz", text="sentence", label="label")
    test = sources.labelled(folder / f"test/{name}_test.csv.gz", text="sentence", label="label")
    model = bench.train(rows)
    probabilities = bench.predict(model, test)
    gold = np.array([label for _, label in test])
    at = {level / 10: _rejecting(model, probabilities, level / 10) for level in range(1, 10)}
    inside = gold != OUT_OF_SCOPE
    return {
        "acc_01": round(100 * float((at[0.1] == gold)[inside].mean()), 2),
        "oos_recall_01": round(100 * float((at[0.1] == gold)[~inside].mean()), 2),
        "mcc_best": round(max(_mcc(gold, predicted) for predicted in at.values()), 4),
        "mcc_cv": round(_mcc(gold, np.array(model.decide(probabilities))), 4),
    }


def banking(bench: Bench) -> float:
    rows, test = (
        sources.labelled(bench.data / f"intents/banking77/{part}.csv.gz", text="text", label="category")
        for part in ("train", "test")
    )
    return bench.accuracy(bench.train(rows), test)


def bitext(bench: Bench, trained: str, tested: str) -> float:
    """Accuracy on the intents that both editions have, trained on one and tested on the other."""
    rows, test = sources.bitext(bench.data, trained), sources.bitext(bench.data, tested)
    shared = {label for _, label in rows} & {label for _, label in test}
    model = bench.train([row for row in rows if row[1] in shared])
    return bench.accuracy(model, [row for row in test if row[1] in shared])


def clinc(bench: Bench) -> dict[str, float]:
    """In-scope accuracy and out-of-scope recall after rejection, the 100 oos training queries in use."""
    model = bench.train(sources.clinc(bench.data, "train") + sources.clinc(bench.data, "oos_train"))
    figures = {}
    for name, split in (("in_scope", "test"), ("oos_recall", "oos_test")):
        rows = sources.clinc(bench.data, split)
        predicted = np.array(model.decide(bench.predict(model, rows)))
        figures[name] = round(100 * float((predicted == np.array([label for _, label in rows])).mean()), 2)
    return figures


def latency() -> float:
    """Median milliseconds for the whole understanding of one message, on one thread."""
    understander = Understander.load(PATH, order_patterns=DEFAULT_ORDER_PATTERNS, threads=1)
    understander.understand("warm up")
    taken = []
    for _ in range(LATENCY_ROUNDS):
        for message in LATENCY_MESSAGES:
            begun = time.perf_counter()
            understander.understand(message)
            taken.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(taken), 2)


def _best(model: IntentModel, probabilities: Probabilities) -> Any:
    return np.array(model.head.labels)[probabilities.argmax(axis=1)]


def _rejecting(model: IntentModel, probabilities: Probabilities, level: float) -> Any:
    return np.where(probabilities.max(axis=1) < level, OUT_OF_SCOPE, _best(model, probabilities))


def _mcc(gold: Any, predicted: Any) -> float:
    names, coded = np.unique(np.concatenate([gold, predicted]), return_inverse=True)
    return mcc(coded[: len(gold)], coded[len(gold) :], len(names), np.ones(len(gold)))

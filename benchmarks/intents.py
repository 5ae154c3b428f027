"""Understanding on public sets: the intent recipe, trained on each set's own rows, and the shipped model.

Nothing is chosen on a test set. `mcc_best` alone picks its threshold there, because the published
HINT3 figures do; `mcc_cv` beside it is the same at the level that cross-validation chose. Each figure
is printed to standard error as it comes, since training takes minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.serving import serving
from benchmarks.shipped import shipped
from ml.understanding import data as sources
from ml.understanding.evaluate import train_on
from ml.understanding.fitting import Corpus
from ml.understanding.intents import OUT_OF_SCOPE, IntentModel, Prediction, train
from ml.understanding.metrics import calibration_error, mcc

HINT3 = ("sofmattress", "curekart", "powerplay11")
SHOTS = 10
BITEXT_ROWS = 100  # of each intent: an edition's sentences are few templates filled in again and again


class Bench:
    """Calibration is collected over every in-scope test row."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.confidence: list[float] = []
        self.right: list[bool] = []
        self.begun = time.perf_counter()

    def say(self, name: str, figure: object) -> None:
        print(f"{time.perf_counter() - self.begun:6.0f} s  {name}: {figure}", file=sys.stderr, flush=True)

    def accuracy(self, model: IntentModel, rows: Sequence[sources.Row]) -> float:
        """Share of the best label right, no rejection; remembered for the calibration error."""
        prediction = _predict(model, rows)
        right = _best(model, prediction) == np.array([label for _, label in rows])
        self.confidence += prediction.probabilities.max(axis=1).tolist()
        self.right += right.tolist()
        return round(100 * float(right.mean()), 2)


def run(data: Path | None) -> dict[str, object]:
    """All figures; percentages from 0 to 100, correlations, F1 and calibration error from 0 to 1."""
    figures: dict[str, object] = dict(serving())
    if data is None:
        return figures
    bench = Bench(data)
    figures |= shipped(data)
    for name, figure in figures.items():
        bench.say(name, figure)
    parts: dict[str, Callable[[], object]] = {
        "hint3": lambda: {name: hint3(bench, name) for name in HINT3},
        "banking77": lambda: {"ten_shot": banking(bench, SHOTS), "full": banking(bench, None)},
        "bitext": lambda: {
            f"{one}_{other}": bitext(bench, one, other) for one, other in (("2020", "2022"), ("2022", "2020"))
        },
        "clinc150": lambda: clinc(bench),
    }  # fmt: skip
    for name, measure in parts.items():
        figures[name] = measure()
        bench.say(name, figures[name])
    figures["ece"] = round(calibration_error(np.array(bench.confidence), np.array(bench.right)), 4)
    return figures


def hint3(bench: Bench, name: str) -> dict[str, float]:
    """In-scope accuracy and out-of-scope recall at a score of 0.1, and Matthews correlations."""
    folder = bench.data / "intents/hint3/v1"
    rows = sources.labelled(folder / f"train/{name}_train.csv.gz", text="sentence", label="label")
    test = sources.labelled(folder / f"test/{name}_test.csv.gz", text="sentence", label="label")
    model = train_on(rows)
    prediction = _predict(model, test)
    gold = np.array([label for _, label in test])
    best = _best(model, prediction)
    at = {step / 10: np.where(prediction.trust < step / 10, OUT_OF_SCOPE, best) for step in range(1, 10)}
    inside = gold != OUT_OF_SCOPE
    figures = {
        "acc_01": round(100 * float((at[0.1] == gold)[inside].mean()), 2),
        "oos_recall_01": round(100 * float((at[0.1] == gold)[~inside].mean()), 2),
        "mcc_best": round(max(_mcc(gold, predicted) for predicted in at.values()), 4),
        "mcc_cv": round(_mcc(gold, np.array(model.decide(prediction))), 4),
    }
    bench.say(name, figures)
    return figures


def banking(bench: Bench, shots: int | None) -> float:
    rows, test = (
        sources.labelled(bench.data / f"intents/banking77/{part}.csv.gz", text="text", label="category")
        for part in ("train", "test")
    )
    return bench.accuracy(train_on(_some(rows, shots)), test)


def bitext(bench: Bench, trained: str, tested: str) -> float:
    """Accuracy on the intents that both editions have, trained on one and tested on the other."""
    rows, test = sources.bitext(bench.data, trained), sources.bitext(bench.data, tested)
    shared = {label for _, label in rows} & {label for _, label in test}
    model = train_on(_some([row for row in rows if row[1] in shared], BITEXT_ROWS))
    return bench.accuracy(model, [row for row in test if row[1] in shared])


def clinc(bench: Bench) -> dict[str, float]:
    """In-scope accuracy and out-of-scope recall after rejection, at one level, chosen on the set's own
    validation part; the 100 out-of-scope training queries are in use."""
    seen, validation = (
        sources.clinc(bench.data, part) + sources.clinc(bench.data, f"oos_{part}")
        for part in ("train", "val")
    )
    rows = [*seen, *validation]
    corpus = Corpus.plain([text for text, _ in rows], [label for _, label in rows])
    model = train(corpus, held=np.arange(len(rows)) >= len(seen))
    figures = {}
    for name, split in (("in_scope", "test"), ("oos_recall", "oos_test")):
        tested = sources.clinc(bench.data, split)
        prediction = _predict(model, tested)
        gold = np.array([label for _, label in tested])
        figures[name] = round(100 * float((np.array(model.decide(prediction)) == gold).mean()), 2)
        if split == "test":
            right = _best(model, prediction) == gold
            figures["in_scope_unrejected"] = round(100 * float(right.mean()), 2)
    return figures


def _some(rows: Sequence[sources.Row], per_label: int | None) -> list[sources.Row]:
    """At most so many rows of each label."""
    by_label: dict[str, list[sources.Row]] = {}
    for row in rows:
        by_label.setdefault(row[1], []).append(row)
    rng = Random(0)
    return [
        row
        for label in sorted(by_label)
        for row in rng.sample(by_label[label], min(per_label or len(rows), len(by_label[label])))
    ]


def _predict(model: IntentModel, rows: Sequence[sources.Row]) -> Prediction:
    return model.read([text for text, _ in rows])


def _best(model: IntentModel, prediction: Prediction) -> Any:
    return np.array(model.head.labels)[prediction.probabilities.argmax(axis=1)]


def _mcc(gold: Any, predicted: Any) -> float:
    names, coded = np.unique(np.concatenate([gold, predicted]), return_inverse=True)
    return mcc(coded[: len(gold)], coded[len(gold) :], len(names), np.ones(len(gold)))

"""Scores of a classifier that may answer "out of scope"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


def mcc(
    truth: NDArray[np.int64], guess: NDArray[np.int64], classes: int, weights: NDArray[np.float64]
) -> float:
    """Matthews correlation for many classes (Gorodkin 2004), rows weighted."""
    total = weights.sum()
    right = weights[truth == guess].sum()
    actual = np.bincount(truth, weights, classes)
    called = np.bincount(guess, weights, classes)
    spread = (total**2 - called @ called) * (total**2 - actual @ actual)
    return float((right * total - actual @ called) / np.sqrt(spread)) if spread > 0 else 0.0


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equal bins of confidence."""
    if not len(confidence):
        return 0.0
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).sum()
        for b in range(BINS)
        if (bins == b).any()
    ]
    return float(sum(gaps) / len(confidence))


@dataclass(frozen=True, slots=True)
class ClassScore:
    precision: float
    recall: float
    f1: float
    support: int


def class_scores(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, ClassScore]:
    """For every label that occurs in either."""
    support, called = Counter(gold), Counter(predicted)
    right = Counter(g for g, p in zip(gold, predicted, strict=True) if g == p)
    scores = {}
    for label in sorted({*support, *called}):
        precision = right[label] / called[label] if called[label] else 0.0
        recall = right[label] / support[label] if support[label] else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        scores[label] = ClassScore(round(precision, 4), round(recall, 4), round(f1, 4), support[label])
    return scores


def report(
    gold: Sequence[str], predicted: Sequence[str], confidence: Sequence[float], *, out_of_scope: str
) -> dict[str, object]:
    """All figures of one evaluation as plain values. Macro-F1 is over the labels of the gold data;
    in-scope accuracy and calibration look at in-scope rows and at all rows respectively."""
    right = np.array([g == p for g, p in zip(gold, predicted, strict=True)])
    inside = np.array([g != out_of_scope for g in gold])
    scores = class_scores(gold, predicted)
    wrong = Counter((g, p) for g, p in zip(gold, predicted, strict=True) if g != p)
    result: dict[str, object] = {
        "rows": len(gold),
        "accuracy": round(float(right.mean()), 4),
        "macro_f1": round(float(np.mean([scores[label].f1 for label in set(gold)])), 4),
        "in_scope_accuracy": round(float(right[inside].mean()), 4) if inside.any() else None,
        "ece": round(calibration_error(np.array(confidence), right), 4),
    }
    if not inside.all():
        result["oos_recall"] = scores[out_of_scope].recall
        result["oos_precision"] = scores[out_of_scope].precision
    result["intents"] = {label: asdict(score) for label, score in scores.items()}
    result["confusions"] = [
        {"intent": g, "predicted": p, "count": count}
        for (g, p), count in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:15]
    ]
    return result

"""Fits a head and calibrates it, with every choice made by cross-validation on the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.understanding.encoder import Vectors
from ml.understanding.head import Head, Labels, Probabilities, fit, softmax
from ml.understanding.metrics import calibration_error

FOLDS = 3
PENALTIES = (3.0, 10.0, 30.0)
SELECTION_ROWS = 6_000  # enough to rank three penalties; larger sets are sampled for that only


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """n rows. `groups` keeps variants of one sentence in one fold (-1: trained on in every fold,
    never held out); `scored` marks the rows on which choices are made."""

    vectors: Vectors
    labels: Labels
    weights: NDArray[np.float64]
    groups: NDArray[np.int64]
    scored: NDArray[np.bool_]

    @classmethod
    def plain(cls, vectors: Vectors, labels: Sequence[str]) -> TrainingSet:
        """Every row counts the same, is its own group and is scored."""
        n = len(labels)
        return cls(vectors, np.array(labels, dtype=np.str_), np.ones(n), np.arange(n), np.ones(n, dtype=bool))

    def rows(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> TrainingSet:
        return TrainingSet(
            self.vectors[mask], self.labels[mask], self.weights[mask], self.groups[mask], self.scored[mask]
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibrated head, and what cross-validation said of each scored row: `held_out` is (rows, k)
    over `head.labels`, `gold` the labels of those rows."""

    head: Head
    penalty: float
    held_out: Probabilities
    gold: Labels

    @property
    def scores(self) -> dict[str, float]:
        top = np.array(self.head.labels)[self.held_out.argmax(axis=1)]
        return {
            "penalty": self.penalty,
            "temperature": round(self.head.temperature, 4),
            "accuracy": round(float((top == self.gold).mean()), 4),
            "ece": round(calibration_error(self.held_out.max(axis=1), top == self.gold), 4),
        }


def fit_calibrated(data: TrainingSet, *, seed: int) -> Fitted:
    """Penalty and temperature by cross-validation, then a fit on everything.

    Raises ValueError below two labels."""
    if len(set(data.labels.tolist())) < 2:
        raise ValueError("Training needs at least two different labels.")
    penalty = _best_penalty(_sample(data, SELECTION_ROWS, seed), seed)
    labels, logits = _cross_validate(data, penalty, seed)
    gold = data.labels[data.scored]
    temperature = _best_temperature(logits, gold, labels)
    head = fit(data.vectors, data.labels, data.weights, c=penalty).tempered(temperature)
    return Fitted(head, penalty, softmax(logits / temperature), gold)


def _sample(data: TrainingSet, rows: int, seed: int) -> TrainingSet:
    if len(data.labels) <= rows:
        return data
    chosen = np.random.default_rng(seed).permutation(len(data.labels))[:rows]
    return data.rows(np.sort(chosen))


def _folds(data: TrainingSet, seed: int) -> NDArray[np.int64]:
    """A fold per row, each label dealt out evenly, -1 for what is never held out."""
    rng = np.random.default_rng(seed)
    fold_of = np.full(len(data.labels), -1, dtype=np.int64)
    for label in sorted(set(data.labels.tolist())):
        mine = np.flatnonzero((data.labels == label) & (data.groups >= 0))
        groups = rng.permutation(np.unique(data.groups[mine]))
        dealt = {int(group): place % FOLDS for place, group in enumerate(groups)}
        fold_of[mine] = [dealt[int(group)] for group in data.groups[mine]]
    return fold_of


def _cross_validate(data: TrainingSet, penalty: float, seed: int) -> tuple[tuple[str, ...], Probabilities]:
    """The k labels, and logits (scored rows, k) from models that did not see those rows."""
    fold_of = _folds(data, seed)
    labels = tuple(sorted(set(data.labels.tolist())))
    logits = np.full((len(data.labels), len(labels)), -30.0)  # a label absent from a fold's training
    for fold in range(FOLDS):
        seen, held = fold_of != fold, np.flatnonzero((fold_of == fold) & data.scored)
        if not len(held):
            continue
        part = data.rows(seen)
        model = fit(part.vectors, part.labels, part.weights, c=penalty)
        columns = np.array([labels.index(name) for name in model.labels])
        logits[np.ix_(held, columns)] = model.logits(data.vectors[held])
    return labels, logits[data.scored]


def _best_penalty(data: TrainingSet, seed: int) -> float:
    gold = data.labels[data.scored]

    def accuracy(penalty: float) -> float:
        labels, logits = _cross_validate(data, penalty, seed)
        return float((np.array(labels)[logits.argmax(axis=1)] == gold).mean())

    return max(PENALTIES, key=accuracy)


def _best_temperature(logits: Probabilities, gold: Labels, labels: Sequence[str]) -> float:
    """The divisor that makes held-out log loss least (Guo et al. 2017, "On calibration")."""
    index = {name: place for place, name in enumerate(labels)}
    right = np.array([index[str(name)] for name in gold])

    def loss(temperature: float) -> float:
        probabilities = softmax(logits / temperature)[np.arange(len(right)), right]
        return float(-np.log(np.maximum(probabilities, 1e-12)).mean())

    return min((float(t) for t in np.geomspace(0.25, 3.0, 50)), key=loss)

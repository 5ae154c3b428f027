"""Training rows, how they are held out, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ml.understanding.head import Labels, Probabilities, softmax
from ml.understanding.spelling import Speller, lexicon
from ml.understanding.text import prepare

if TYPE_CHECKING:  # torch loads only where something is trained
    from torch import Tensor

    from ml.understanding.minilm import Branch

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Corpus:
    """n labelled texts, as the encoder's lower layers see them. `groups` keeps variants of one sentence
    in one fold (-1: trained on in every fold, never held out); `scored` marks the rows on which
    choices are made; `speller` has read the texts before the encoder."""

    states: list[Tensor]
    originals: Vectors
    labels: Labels
    weights: NDArray[np.float64]
    groups: NDArray[np.int64]
    scored: NDArray[np.bool_]
    speller: Speller | None = None

    @classmethod
    def plain(cls, texts: Sequence[str], labels: Sequence[str], speller: Speller | None = None) -> Corpus:
        """Every row counts the same, is its own group and is scored. Without a speller, one that knows
        the words of these texts."""
        n = len(labels)
        if speller is None:
            speller = speller_of(texts)
        return cls.of(texts, labels, np.ones(n), np.arange(n), np.ones(n, dtype=bool), speller)

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        weights: NDArray[np.float64],
        groups: NDArray[np.int64],
        scored: NDArray[np.bool_],
        speller: Speller,
    ) -> Corpus:
        from ml.understanding.minilm import pretrained, states_of, vectors_of

        states = states_of([speller.correct(prepare(text)) for text in texts])
        originals = vectors_of(states, pretrained()[1])
        return cls(states, originals, np.array(labels, dtype=np.str_), weights, groups, scored, speller)

    def vectors(self, branch: Branch | None) -> Vectors:
        """(n, 384) without a branch, (n, 768) with one."""
        from ml.understanding.minilm import vectors_of

        if branch is None:
            return self.originals
        return np.concatenate([self.originals, vectors_of(self.states, branch)], axis=1)

    def adapted(self, seen: NDArray[np.bool_], *, seed: int) -> Branch:
        """A branch trained on the rows that are seen."""
        from ml.understanding.adapt import Task, adapt

        rows = np.flatnonzero(seen)
        return adapt(self.states, [Task(rows, self.labels[rows], self.weights[rows])], seed=seed)

    def folds(self, count: int, *, seed: int) -> NDArray[np.int64]:
        """A fold per row, each label dealt out evenly, -1 for what is never held out."""
        rng = np.random.default_rng(seed)
        fold_of = np.full(len(self.labels), -1, dtype=np.int64)
        start = 0
        for label in np.unique(self.labels):
            mine = np.flatnonzero((self.labels == label) & (self.groups >= 0))
            groups = rng.permutation(np.unique(self.groups[mine]))
            dealt = {int(group): (start + place) % count for place, group in enumerate(groups)}
            start += len(groups)  # labels with few rows do not all lose one to the first fold
            fold_of[mine] = [dealt[int(group)] for group in self.groups[mine]]
        return fold_of


def speller_of(texts: Sequence[str]) -> Speller:
    """One that knows English and the words of these texts."""
    from ml.understanding.minilm import tokenizer

    english = [word for word in tokenizer().get_vocab() if word.isalpha()]
    return Speller(lexicon(texts, english), english)


def best_temperature(logits: Probabilities, gold: NDArray[np.int64]) -> float:
    """The divisor that makes held-out log loss least (Guo et al. 2017, "On calibration")."""

    def loss(temperature: float) -> float:
        probabilities = softmax(logits / temperature)[np.arange(len(gold)), gold]
        return float(-np.log(np.maximum(probabilities, 1e-12)).mean())

    return min((float(t) for t in np.geomspace(0.1, 3.0, 60)), key=loss)

"""Whether an answer can be trusted, or the message is about something else.

Two signs in one score: how likely the first label is, and how near the message lies to the nearest
training sentence of that label, as the cosine of the original encoder's vectors (training draws the
adapted ones together). The score is their geometric mean: nonsense that falls into a label by chance is
near nothing in it. The likelihood is that of twice the temperature, since near one a calibrated
probability hardly tells answers apart. Below a level the answer is rejected; the level is chosen on
held-out rows, where sentences of intents that were left out play what is out of scope if nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.understanding.encoder import DIMENSIONS, Vectors
from ml.understanding.head import Probabilities

PER_LABEL = 200  # remembered sentences
OUTSIDE_SHARE = 0.3  # of the traffic, where nothing tells it
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Memory:
    """Training sentences: original vectors (m, 384) and, in parallel, the index of each one's label."""

    vectors: NDArray[np.float32]
    owners: NDArray[np.int16]


def remember(vectors: Vectors, owners: NDArray[np.int64], *, seed: int, per_label: int = PER_LABEL) -> Memory:
    """Of each label some sentences; of what is out of scope (owner -1) none."""
    rng = np.random.default_rng(seed)
    labels = np.unique(owners[owners >= 0])
    chosen = [rng.permutation(np.flatnonzero(owners == owner))[:per_label] for owner in labels]
    rows = np.sort(np.concatenate(chosen))
    return Memory(np.ascontiguousarray(vectors[rows, :DIMENSIONS]), owners[rows].astype(np.int16))


def trust(probabilities: Probabilities, vectors: Vectors, memory: Memory) -> NDArray[np.float64]:
    """(n,), 0 to 1, for (n, k) probabilities and the vectors they came from."""
    nearness = _nearness(vectors[:, :DIMENSIONS], probabilities.argmax(axis=1), memory)
    softened = np.sqrt(probabilities)  # but for its sum, the softmax of twice the temperature
    return np.asarray(np.sqrt(softened.max(axis=1) / softened.sum(axis=1) * nearness))


def _nearness(vectors: Vectors, best: NDArray[np.int64], memory: Memory) -> NDArray[np.float64]:
    """To the nearest sentence of each row's own label; only those are compared, a message has few labels."""
    nearest = np.zeros(len(vectors))
    for label in np.unique(best):
        known = memory.vectors[memory.owners == label]
        mine = np.flatnonzero(best == label)
        for part in np.array_split(mine, -(-len(mine) // _CHUNK)):
            if len(known):
                nearest[part] = np.maximum((vectors[part] @ known.T).max(axis=1), 0.0)
    return nearest


def best_level(
    score: NDArray[np.float64],
    right: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    share: float = OUTSIDE_SHARE,
) -> float:
    """Where right answers kept and wrong ones rejected weigh most, from held-out answers: their scores (-1
    where the answer itself is that a row lies outside, so that no level keeps it), whether they were right,
    and which rows lay outside, that weigh `share` of all."""
    weights = np.full(len(right), 1 / max(1, len(right)))
    if outside.any() and not outside.all():
        weights = np.where(outside, share / outside.sum(), (1 - share) / (~outside).sum())
    levels = np.linspace(0, 0.99, 100)
    gains = [float(weights[right == (score >= level)].sum()) for level in levels]
    return round(float(levels[int(np.argmax(gains))]), 2)

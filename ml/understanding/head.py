"""A linear classifier over sentence vectors, served as two arrays.

Vectors come in blocks of 384, one for each view of the sentence (the original encoder's, and the
adapted one's). Each block has a classifier of its own, and their logits are averaged: that is a
geometric mean of two opinions, and still one matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.understanding.encoder import DIMENSIONS, Vectors

Probabilities = NDArray[np.float64]
Labels = NDArray[np.str_]

PENALTY = 20.0  # C of a logistic regression on unit vectors
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Head:
    """`weights` (k, d) and `bias` (k,) give logits, which `temperature` divides."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float = 1.0

    def logits(self, vectors: Vectors) -> Probabilities:
        """(n, k), before the temperature."""
        return np.asarray(vectors @ self.weights.T + self.bias, dtype=np.float64)

    def probabilities(self, vectors: Vectors) -> Probabilities:
        """(n, k), rows sum to one."""
        return softmax(self.logits(vectors) / self.temperature)

    def tempered(self, temperature: float) -> Head:
        return replace(self, temperature=temperature)


def softmax(logits: Probabilities) -> Probabilities:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def fit(vectors: Vectors, labels: Labels, weights: NDArray[np.float64]) -> Head:
    """Multinomial logistic regression with an L2 penalty, for each block by itself. Deterministic."""
    names, goal = np.unique(labels, return_inverse=True)
    width = min(DIMENSIONS, vectors.shape[1])
    blocks = [vectors[:, start : start + width] for start in range(0, vectors.shape[1], width)]
    solved = [_solve(block, goal, weights, len(names)) for block in blocks]
    matrix = np.concatenate([w for w, _ in solved], axis=1) / len(blocks)
    bias = np.mean([b for _, b in solved], axis=0)
    return Head(tuple(str(name) for name in names), matrix.astype(np.float32), bias.astype(np.float32))


def _solve(
    vectors: Vectors, goal: NDArray[np.int64], weights: NDArray[np.float64], labels: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """By L-BFGS in torch: a few seconds where scikit-learn's takes minutes on ten thousand rows."""
    import torch
    from torch.nn import functional

    inputs, target = torch.from_numpy(np.ascontiguousarray(vectors)), torch.from_numpy(goal)
    share = torch.from_numpy(weights / weights.sum()).float()
    matrix = torch.zeros(labels, vectors.shape[1], requires_grad=True)
    bias = torch.zeros(labels, requires_grad=True)
    solver = torch.optim.LBFGS(
        [matrix, bias], max_iter=_ROUNDS, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        error = functional.cross_entropy(functional.linear(inputs, matrix, bias), target, reduction="none")
        total = (error * share).sum() + matrix.square().sum() / (2 * PENALTY * float(weights.sum()))
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    return matrix.detach().numpy(), bias.detach().numpy()

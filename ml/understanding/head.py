"""A linear classifier over sentence vectors: fitted by scikit-learn, served as two arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.understanding.encoder import Vectors

Probabilities = NDArray[np.float64]
Labels = NDArray[np.str_]


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


def fit(vectors: Vectors, labels: Labels, weights: NDArray[np.float64], *, c: float) -> Head:
    """Multinomial logistic regression with an L2 penalty of strength 1/c. Deterministic."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=c, max_iter=400, tol=1e-3)
    model.fit(vectors, labels, sample_weight=weights)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients = np.vstack([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    names = tuple(str(name) for name in model.classes_)
    return Head(names, coefficients.astype(np.float32), intercepts.astype(np.float32))

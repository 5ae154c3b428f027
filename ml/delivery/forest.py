"""The trees of several boosted regressors side by side, all walked down at once.

scikit-learn walks tree by tree. That is the fastest way for many rows; for a handful, calling six
hundred trees one after another costs far more than the walk itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.delivery.table import Floats, Ints

STEPS = 4  # levels that are walked down between looking which trees have ended


class Forest:
    """Gives what scikit-learn's `predict` of each regressor gives, for regressors without categories."""

    def __init__(self, models: Sequence[HistGradientBoostingRegressor]) -> None:
        trees = [tree.nodes for model in models for (tree,) in model._predictors]
        sizes = np.array([len(tree) for tree in trees])
        self.roots: Ints = np.cumsum(sizes) - sizes
        nodes = np.concatenate(trees)
        at, first = np.arange(len(nodes)), np.repeat(self.roots, sizes)
        self.leaf = nodes["is_leaf"].astype(bool)
        # a leaf leads to itself, so that a walk may go on while others have not ended
        children = [np.where(self.leaf, at, first + nodes[side]) for side in ("left", "right")]
        self.child: Ints = np.stack(children, axis=1).ravel()
        self.threshold: Floats = nodes["num_threshold"].copy()
        # which column of `_doubled` a node looks at
        self.column: Ints = 2 * nodes["feature_idx"] + (nodes["missing_go_to_left"] == 0)
        self.value: Floats = nodes["value"].copy()
        self.bounds = np.cumsum([0, *(len(model._predictors) for model in models)])
        self.baseline = np.array([float(model._baseline_prediction.item()) for model in models])

    def predict(self, x: Floats) -> Floats:
        """Of each regressor, shape (models, rows)."""
        doubled = _doubled(x)
        rows = np.repeat(np.arange(len(x)) * doubled.shape[1], len(self.roots))
        ended = self._walked(doubled.ravel(), rows, np.tile(self.roots, len(x)))
        values = self.value[ended].reshape(len(x), -1)
        sums = np.add.reduceat(values, self.bounds[:-1], axis=1)
        found: Floats = sums.T + self.baseline[:, None]
        return found

    def _walked(self, cells: Floats, rows: Ints, node: Ints) -> Ints:
        """The leaves that are reached from `node`, each by the row that begins at `rows` in `cells`."""
        under_way = np.arange(len(node))
        while len(under_way):
            here, row = node[under_way], rows[under_way]
            for _ in range(STEPS):
                goes_left = cells[row + self.column[here]] <= self.threshold[here]
                here = self.child[2 * here + ~goes_left]
            node[under_way] = here
            under_way = under_way[~self.leaf[here]]
        return node


def _doubled(x: Floats) -> Floats:
    """Every feature twice, shape (rows, 2 * features): where it is unknown, once so that it is below any
    threshold, once so that it is not."""
    return np.stack([np.where(np.isnan(x), -np.inf, x), x], axis=2).reshape(len(x), -1)

"""What moves an estimate: each circumstance's features are set to a typical order's, one at a time."""

from __future__ import annotations

import numpy as np

from ml.delivery.regressors import Regressors
from ml.delivery.table import Floats
from ml.types import Reason

MOST = 3
SMALLEST = 0.05  # of the days left; smaller effects are noise to a reader
FEWEST_HOURS = 3 / 24


def explained(regressors: Regressors, x: Floats) -> tuple[Floats, list[tuple[Reason, ...]]]:
    """The median days left, shape (rows,), of `x`, shape (rows, features), and up to three reasons a row,
    the strongest first."""
    groups = np.array(regressors.encoder.groups)
    codes = [code for code in dict.fromkeys(groups.tolist()) if code != "other"]
    # the rows as they are and, for each code, as if it were a typical order's: one walk through the trees
    stacked = np.tile(x, (len(codes) + 1, 1, 1))
    for at, code in enumerate(codes, 1):
        stacked[at][:, groups == code] = regressors.typical_[groups == code]
    days = regressors.median(stacked.reshape(-1, x.shape[1])).reshape(len(codes) + 1, len(x))
    effects = days[0] - days[1:]
    return days[0], [_strongest(codes, effects[:, row], float(days[0, row])) for row in range(len(x))]


def _strongest(codes: list[str], effects: Floats, median: float) -> tuple[Reason, ...]:
    least = max(FEWEST_HOURS, SMALLEST * median)
    order = np.argsort(-np.abs(effects), kind="stable")[:MOST]
    return tuple(Reason(codes[at], round(float(effects[at]), 2)) for at in order if abs(effects[at]) >= least)

"""How long finished deliveries took, per seller, route, carrier and destination.

The mean that a training row sees counts only deliveries that had ended when that row began, so
nothing from its future leaks in. A served row sees all that the model was trained on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PRIOR_WEIGHT = 8.0  # a group's mean is pulled towards the overall one as if this many rows said it

Totals = dict[str, list[float]]  # key → [sum of days, count]


def running_means(
    keys: Sequence[str], starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Totals]:
    """Means of `ends - starts` (days) per key as known at each start, and the final totals.

    Before the first delivery has ended there is nothing to know: NaN.
    """
    totals: Totals = defaultdict(lambda: [0.0, 0.0])
    means = np.full(len(keys), np.nan)
    finished = iter(np.argsort(ends, kind="stable"))
    pending = next(finished, None)
    for row in np.argsort(starts, kind="stable"):
        while pending is not None and ends[pending] < starts[row]:
            _add(totals, keys[pending], ends[pending] - starts[pending])
            pending = next(finished, None)
        means[row] = mean_of(totals, keys[row])
    while pending is not None:
        _add(totals, keys[pending], ends[pending] - starts[pending])
        pending = next(finished, None)
    return means, dict(totals)


def mean_of(totals: Totals, key: str) -> float:
    """The smoothed mean of one key; the overall mean for a key that was never seen."""
    overall_sum, overall_count = totals.get("", (0.0, 0.0))
    if not overall_count:
        return float("nan")
    group_sum, group_count = totals.get(key, (0.0, 0.0)) if key else (0.0, 0.0)
    overall = overall_sum / overall_count
    return float((group_sum + PRIOR_WEIGHT * overall) / (group_count + PRIOR_WEIGHT))


def _add(totals: Totals, key: str, days: float) -> None:
    for name in {key, ""}:  # "" collects every row
        totals[name][0] += float(days)
        totals[name][1] += 1.0

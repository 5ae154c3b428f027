"""Windows that keep what they say: conformal calibration that follows how the latest estimates fall out.

The regressors give a median and, on either side, a spread. How many spreads the truth was off is the
`score` of an estimate (Romano, Patterson and Candès, Conformalized Quantile Regression, 2019, scaled
by the spread as in Lei et al., 2018). A window reaches as many spreads as past scores say. Scores weigh
less the longer ago their estimates were made (Barber et al., Conformal prediction beyond exchangeability,
2023), and a region's own count as much again as there are enough of them.

Of the latest estimates only those of fast parcels have fallen out. The others are known to be further off
than what has passed so far, and count as that (Kaplan and Meier, 1958): a parcel that has outlived its
window widens those of today, whenever it will arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.delivery.columns import Columns
from ml.delivery.stages import STAGES
from ml.delivery.table import Floats, Ints, days_of
from ml.types import Outcome

GRID: tuple[float, ...] = (
    *(0.005, 0.01, 0.02, 0.04, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 0.84, 0.9, 0.92, 0.95, 0.975, 0.99),
)
HALF_LIFE = 14.0  # days in which a score loses half its weight
FOLLOWED = 0.5  # of what the middle of the latest scores is off, that estimates are moved by
REGION_PRIOR = 150.0  # scores of a region's own that weigh as much as all others together
REACH = 6 * HALF_LIFE  # days; what is older weighs next to nothing
MOST_SCORES = 2500  # a stage, in a model's file
FEWEST_SCORES = 30
MIDDLE = GRID.index(0.5)


@dataclass(frozen=True, slots=True)
class Scores(Columns):
    """Estimates and how they fell out; arrays of one length, ordered by `moment` (days since 1970).

    Where `under_way`, the score is what had passed when it was last known not to have arrived. `weight` is
    the chance that it arrives at all.
    """

    stage: Ints  # index into STAGES
    moment: Floats
    score: Floats
    under_way: NDArray[np.bool_]
    weight: Floats
    region: NDArray[np.object_]

    @classmethod
    def none(cls) -> Self:
        return cls.of_outcomes(())

    @classmethod
    def of_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        return cls(
            np.array([STAGES.index(outcome.stage) for outcome in outcomes], dtype=np.int64),
            np.array([days_of(outcome.given_at) for outcome in outcomes], dtype=np.float64),
            np.array([outcome.score for outcome in outcomes], dtype=np.float64),
            np.array([outcome.arrived_at is None for outcome in outcomes], dtype=bool),
            np.ones(len(outcomes)),
            np.array([outcome.region for outcome in outcomes], dtype=object),
        ).ordered()

    def __add__(self, other: Self) -> Self:
        return super(Scores, self).__add__(other).ordered()

    def thinned(self, most: int = MOST_SCORES) -> Self:
        """At most so many a stage, evenly over the time that weighs. The very latest alone would be of
        parcels under way, none of which has shown yet how late one can be."""
        weighs = self.moment > self.moment.max(initial=0.0) - REACH
        keep = []
        for stage in range(len(STAGES)):
            at = np.flatnonzero(self.stage == stage)
            at = at[weighs[at]] if len(at) > most else at
            evenly = np.linspace(0, len(at) - 1, min(most, len(at))).astype(np.int64)
            keep.append(at[evenly])
        return self.where(np.sort(np.concatenate(keep)))

    def ordered(self) -> Self:
        return self.where(np.argsort(self.moment, kind="stable"))

    def state(self) -> dict[str, Any]:
        return {
            "stage": self.stage.astype(np.int8),
            "moment": self.moment.astype(np.float32),
            "score": self.score.astype(np.float32),
            "under_way": self.under_way,
            "weight": self.weight.astype(np.float32),
            "region": self.region.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        return cls(
            state["stage"].astype(np.int64),
            state["moment"].astype(np.float64),
            state["score"].astype(np.float64),
            state["under_way"],
            state["weight"].astype(np.float64),
            np.array(state["region"], dtype=object),
        )


class Calibration:
    """How many spreads off each level of GRID lies, by stage and region, as `scores` show at `moment`
    (days since 1970; the latest estimate's where none is given)."""

    def __init__(self, scores: Scores, *, moment: float | None = None) -> None:
        self.scores = scores
        newest = scores.moment.max(initial=0.0) if moment is None else moment
        self._weight = scores.weight * 0.5 ** ((newest - scores.moment) / HALF_LIFE)
        self._offsets: dict[tuple[int, str], Floats] = {}

    def offsets(self, stage: int, region: str) -> Floats:
        """In spreads, shape (len(GRID),), increasing."""
        if (stage, region) not in self._offsets:
            self._offsets[stage, region] = self._measure(stage, region)
        return self._offsets[stage, region]

    def _measure(self, stage: int, region: str) -> Floats:
        same = self.scores.stage == stage
        if (same & ~self.scores.under_way).sum() < FEWEST_SCORES:
            same = np.ones(len(same), dtype=bool)
        if not (same & ~self.scores.under_way).any():
            return NORMAL
        weight = self._weight[same]
        own = self.scores.region[same] == region
        if region and own.any():
            share = own.sum() / (own.sum() + REGION_PRIOR)
            weight = (1 - share) * weight / weight.sum() + share * own * weight / weight[own].sum()
        found = _quantiles(self.scores.score[same], self.scores.under_way[same], weight)
        found -= (1 - FOLLOWED) * found[MIDDLE]
        return found


# Without any score: a normal distribution whose 10% and 90% quantiles are one spread away.
NORMAL = np.array([NormalDist().inv_cdf(level) / NormalDist().inv_cdf(0.9) for level in GRID])


def _quantiles(scores: Floats, under_way: NDArray[np.bool_], weight: Floats) -> Floats:
    """Weighted quantiles at GRID by the product-limit estimate, each taken a little further out as finite
    samples ask for."""
    order = np.lexsort((under_way, scores))
    scores, arrived, weight = scores[order], ~under_way[order], weight[order]
    effective = weight.sum() ** 2 / (weight**2).sum()
    at_risk = np.maximum(np.cumsum(weight[::-1])[::-1], 1e-300)
    left = np.cumprod(np.where(arrived, 1 - weight / at_risk, 1.0))[arrived]
    reached = 1 - (left + np.concatenate([[1.0], left[:-1]])) / 2
    levels = np.array(GRID)
    outward = np.clip(levels + (levels - 0.5) / effective, 0, 1)
    found: Floats = np.interp(outward, reached, scores[arrived])
    return found


def extended(calibration: Calibration, outcomes: Sequence[Outcome]) -> Calibration:
    """With further outcomes taken in."""
    return Calibration((calibration.scores + Scores.of_outcomes(outcomes)).thinned())


def grid_days(
    median: Floats, below: Floats, above: Floats, offsets: Floats, *, shortest: Floats | float
) -> Floats:
    """Days left at each level of GRID, shape (rows, levels), from `offsets` of that shape, in spreads."""
    days: Floats = median[:, None] + np.where(offsets < 0, below[:, None], above[:, None]) * offsets
    return np.maximum(days, shortest)

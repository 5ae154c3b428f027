"""Windows that keep what they say: conformal calibration that follows how the latest estimates fell out.

The regressors give a median and, on either side, a spread. How many spreads the truth was off is the
`score` of an estimate (Romano, Patterson and Candès, Conformalized Quantile Regression, 2019, scaled
by the spread as in Lei et al., 2018). A window reaches as many spreads as past scores say. Scores weigh
less the longer ago their parcels arrived (Barber et al., Conformal prediction beyond exchangeability,
2023), and a region's own count as much again as there are enough of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np

from ml.delivery.stages import STAGES
from ml.delivery.table import Floats, Ints, days_of
from ml.types import Outcome, window

GRID: tuple[float, ...] = (
    *(0.005, 0.01, 0.02, 0.04, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 0.84, 0.9, 0.92, 0.95, 0.975, 0.99),
)
HALF_LIFE = 60.0  # days in which a score loses half its weight
REGION_PRIOR = 150.0  # scores of a region's own that weigh as much as all others together
MOST_SCORES = 2500  # a stage, in a model's file
FEWEST_SCORES = 30
WIDEST_DRIFT = 1.5  # a larger allowance than that would hide a broken model
MIDDLE = GRID.index(0.5)


@dataclass(frozen=True, slots=True)
class Scores:
    """Estimates and how they fell out; arrays of one length, ordered by `arrived` (days since 1970)."""

    stage: Ints  # index into STAGES
    arrived: Floats
    score: Floats
    region: tuple[str, ...]

    @classmethod
    def of(cls, stage: Ints, arrived: Floats, score: Floats, region: Sequence[str]) -> Self:
        order = np.argsort(arrived, kind="stable")
        return cls(stage[order], arrived[order], score[order], tuple(region[at] for at in order))

    @classmethod
    def of_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        return cls.of(
            np.array([STAGES.index(outcome.stage) for outcome in outcomes], dtype=np.int64),
            np.array([days_of(outcome.arrived_at) for outcome in outcomes]),
            np.array([outcome.score for outcome in outcomes]),
            [outcome.region for outcome in outcomes],
        )

    def __add__(self, other: Scores) -> Scores:
        return Scores.of(
            np.concatenate([self.stage, other.stage]),
            np.concatenate([self.arrived, other.arrived]),
            np.concatenate([self.score, other.score]),
            self.region + other.region,
        )

    def where(self, keep: Any) -> Scores:
        """Those that a mask or slice keeps."""
        kept = np.arange(len(self.stage))[keep]
        return Scores(
            self.stage[kept], self.arrived[kept], self.score[kept], tuple(self.region[at] for at in kept)
        )

    def latest(self, most: int = MOST_SCORES) -> Scores:
        """At most so many a stage, the latest ones."""
        keep = np.concatenate([np.flatnonzero(self.stage == stage)[-most:] for stage in range(len(STAGES))])
        return self.where(np.sort(keep))

    def state(self) -> dict[str, Any]:
        return {
            "stage": self.stage.astype(np.int8),
            "arrived": self.arrived.astype(np.float32),
            "score": self.score.astype(np.float32),
            "region": list(self.region),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        return cls(
            state["stage"].astype(np.int64),
            state["arrived"].astype(np.float64),
            state["score"].astype(np.float64),
            tuple(state["region"]),
        )


class Calibration:
    """How many spreads off each level of GRID lies, by stage and region, as `scores` show at `moment`."""

    def __init__(self, scores: Scores, *, moment: float | None = None) -> None:
        self.scores = scores
        known = scores.where(scores.arrived < moment) if moment is not None else scores
        self._known = known
        newest = moment if moment is not None else known.arrived.max(initial=0.0)
        self._weight = 0.5 ** ((newest - known.arrived) / HALF_LIFE)
        self._region = np.array(known.region, dtype=object)
        self._offsets: dict[tuple[int, str], Floats] = {}
        self._drift: dict[int, float] = {}

    def offsets(self, stage: int, region: str) -> Floats:
        """In spreads, shape (len(GRID),): increasing, 0 at the median."""
        if (stage, region) not in self._offsets:
            self._offsets[stage, region] = self._measure(stage, region)
        return self._offsets[stage, region]

    def _measure(self, stage: int, region: str) -> Floats:
        same = self._known.stage == stage
        if same.sum() < FEWEST_SCORES:
            same = np.ones(len(same), dtype=bool)
        if not same.any():
            return NORMAL
        weight = self._weight[same]
        own = self._region[same] == region
        if region and own.any():
            share = own.sum() / (own.sum() + REGION_PRIOR)
            weight = (1 - share) * weight / weight.sum() + share * own * weight / weight[own].sum()
        if stage not in self._drift:
            self._drift[stage] = _drift(self._known.score[same])
        return self._drift[stage] * _centred(_quantiles(self._known.score[same], weight))


# Without any score: a normal distribution whose 10% and 90% quantiles are one spread away.
NORMAL = np.array([NormalDist().inv_cdf(level) / NormalDist().inv_cdf(0.9) for level in GRID])


def _drift(scores: Floats) -> float:
    """By how much windows set on the older half of the scores would have had to be wider to hold what they
    say of the newer half: what changes from season to season will change again."""
    half = len(scores) // 2
    if half < FEWEST_SCORES:
        return 1.0
    offsets = _centred(_quantiles(scores[:half], np.ones(half)))
    low, high = (offsets[GRID.index(level)] for level in window(0.9))
    newer = scores[half:]
    needed = np.quantile(np.where(newer > 0, newer / max(high, 1e-9), newer / min(low, -1e-9)), 0.9)
    return float(np.clip(needed, 1.0, WIDEST_DRIFT))


def _quantiles(scores: Floats, weight: Floats) -> Floats:
    """Weighted quantiles at GRID, each taken a little further out as finite samples ask for."""
    order = np.argsort(scores)
    reached = np.cumsum(weight[order])
    effective = reached[-1] ** 2 / (weight**2).sum()
    reached /= reached[-1]
    levels = np.array(GRID)
    outward = np.clip(levels + (levels - 0.5) / effective, 0, 1)
    found: Floats = np.interp(outward, reached - weight[order] / weight.sum() / 2, scores[order])
    return found


def _centred(offsets: Floats) -> Floats:
    """The median stays where the regressors put it: the parcels that have arrived by now are not yet those
    that were sent lately, so their errors say more about the width than about the middle."""
    found: Floats = offsets - offsets[MIDDLE]
    return found


def extended(calibration: Calibration, outcomes: Sequence[Outcome]) -> Calibration:
    """With further outcomes taken in."""
    return Calibration((calibration.scores + Scores.of_outcomes(outcomes)).latest())


def grid_days(median: Floats, below: Floats, above: Floats, offsets: Floats, *, shortest: float) -> Floats:
    """Days left at each level of GRID, shape (rows, levels), from `offsets` of that shape, in spreads."""
    days: Floats = median[:, None] + np.where(offsets < 0, below[:, None], above[:, None]) * offsets
    return np.maximum(days, shortest)

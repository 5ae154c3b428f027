"""How far off estimates are, on deliveries the regressors have not seen, as they would have been given.

Each estimate uses what was known at its moment: spells that had ended, and for its window how earlier
estimates had fallen out, or stood, when the day began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.delivery.calibration import GRID, Calibration, grid_days
from ml.delivery.columns import Columns
from ml.delivery.said import Said
from ml.delivery.table import Floats, Ints, Table
from ml.types import window

RESAMPLES = 400
FEWEST_IN_GROUP = 200  # a region or carrier with fewer test deliveries has no figure of its own


@dataclass(frozen=True, slots=True)
class Judged(Columns):
    """Estimates and the truth; arrays of one length, `days` of shape (rows, len(GRID)), all in days left."""

    who: Ints
    moment: Floats
    truth: Floats
    days: Floats

    def at(self, level: float) -> Floats:
        return np.array([np.interp(level, GRID, line) for line in self.days])

    @property
    def errors(self) -> Floats:
        return np.abs(self.at(0.5) - self.truth)

    def inside(self, share: float) -> NDArray[np.bool_]:
        """Which truths lie in the window that is to hold this share of them."""
        low, high = (self.at(level) for level in window(share))
        found: NDArray[np.bool_] = (low <= self.truth) & (self.truth <= high)
        return found

    def width(self, share: float) -> float:
        low, high = (self.at(level) for level in window(share))
        return float((high - low).mean())


def judge(said: Said, *, since: float) -> Judged:
    """Those that have arrived of the estimates made `since` (days since 1970), in the windows that they would
    have been given by all that were made before, as these had fallen out, or stood, when the day began."""
    asked = said.where(np.isfinite(said.arrived) & (said.moment >= since))
    offsets, day = np.empty((len(asked.who), len(GRID))), np.floor(asked.moment)
    for today in np.unique(day):
        calibration = Calibration(said.scores(float(today)), moment=float(today))
        for row in np.flatnonzero(day == today):
            offsets[row] = calibration.offsets(int(asked.stage[row]), asked.region[row])
    days = grid_days(asked.median, asked.below, asked.above, offsets, shortest=asked.shortest[:, None])
    return Judged(asked.who, asked.moment, asked.arrived - asked.moment, days)


def figures(judged: Judged, *, seed: int = 7) -> dict[str, Any]:
    """Errors and widths in days; the error with a bootstrap 95% interval."""
    errors = judged.errors
    rng = np.random.default_rng(seed)
    means = [errors[rng.integers(len(errors), size=len(errors))].mean() for _ in range(RESAMPLES)]
    return {
        "mae": float(errors.mean()),
        "mae_interval": [float(bound) for bound in np.quantile(means, [0.025, 0.975])],
        "bias": float((judged.at(0.5) - judged.truth).mean()),
        "coverage80": float(judged.inside(0.8).mean()),
        "coverage90": float(judged.inside(0.9).mean()),
        "width80": judged.width(0.8),
        "width90": judged.width(0.9),
        "test_orders": len(errors),
    }


def coverage_by(judged: Judged, groups: list[str]) -> dict[str, dict[str, float]]:
    """Coverage of both windows in every group, named a row, that is large enough to tell."""
    found = {}
    names = np.array(groups, dtype=object)
    for name in sorted(set(groups) - {""}):
        part = judged.where(names == name)
        if len(part.who) >= FEWEST_IN_GROUP:
            found[name] = {
                "orders": len(part.who),
                "coverage80": float(part.inside(0.8).mean()),
                "coverage90": float(part.inside(0.9).mean()),
            }
    return found


def promise_figures(judged: Judged, table: Table) -> dict[str, Any]:
    """The shop's own promise beside ours, where it made one.

    `brier_skill` compares the chance of meeting it with the share that did; `late_rate_p92` and
    `promise_gain_days` are of a promise made from our 92% quantile.
    """
    promised = table.floats("promised_at")[judged.who] - judged.moment
    known = np.isfinite(promised)
    late92 = float((judged.truth > judged.at(0.92)).mean())
    if not known.any():
        return {"promise_mae": None, "late_rate_p92": late92, "promise_gain_days": None, "brier_skill": None}
    part, promised = judged.where(known), promised[known]
    chance, kept = chances(part, promised), (part.truth <= promised).astype(np.float64)
    base = kept.mean() * (1 - kept.mean())
    return {
        "promise_mae": float(np.abs(promised - part.truth).mean()),
        "promise_late_rate": float(1 - kept.mean()),
        "late_rate_p92": late92,
        "promise_gain_days": float((promised - part.at(0.92)).mean()),
        "brier_skill": float(1 - ((chance - kept) ** 2).mean() / base) if base else None,
    }


def chances(judged: Judged, promised: Floats) -> Floats:
    """How likely each has arrived `promised` days after its moment, as `Forecast.chance_by` says."""
    lines = zip(promised, judged.days, strict=True)
    return np.array([np.interp(by, [0.0, *line], [0.0, *GRID]) if by > 0 else 0.0 for by, line in lines])

"""What regressors say of deliveries that they have not seen, and what is known of that at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.delivery.calibration import FEWEST_SCORES, Scores
from ml.delivery.columns import Columns
from ml.delivery.past import Past
from ml.delivery.regressors import SHORTEST, Regressors
from ml.delivery.stages import stages_at
from ml.delivery.table import Floats, Ints, Table


@dataclass(frozen=True, slots=True)
class Said(Columns):
    """Estimates before calibration, arrays of one length. `arrived` (days since 1970, as `moment`) is NaN for
    what has not; `median`, `below`, `above`, `shortest` and `longest` are days from the moment."""

    who: Ints
    moment: Floats
    arrived: Floats
    stage: Ints
    region: NDArray[np.object_]
    median: Floats
    below: Floats
    above: Floats
    shortest: Floats
    longest: Floats

    @classmethod
    def of(cls, regressors: Regressors, table: Table, past: Past, who: Ints, moment: Floats) -> Self:
        x = regressors.encoder.encode(table, past, who, moment)
        median = regressors.median(x)
        codes, words = table.words("region")
        return cls(
            who,
            moment,
            table.floats("delivered_at")[who],
            stages_at(table, who, moment),
            np.array([*words, None], dtype=object)[codes[who]],
            median,
            *regressors.spread(x, median),
            np.full(len(who), regressors.encoder.scale_ * SHORTEST),
            np.full(len(who), regressors.longest_),
        )

    def scores(self, now: float) -> Scores:
        """How they have fallen out by `now`, or stand then. What is under way for longer than nearly all
        that arrive tells nothing any more."""
        made = self.where(self.moment < now)
        made = made.where((made.arrived < now) | (now - made.moment <= made.longest))
        under_way = ~(made.arrived < now)
        off = np.where(under_way, now, made.arrived) - made.moment - made.median
        return Scores(
            made.stage,
            made.moment,
            off / np.where(off > 0, made.above, made.below),
            under_way,
            np.where(under_way, self._arriving(now - made.moment, now), 1.0),
            made.region,
        ).ordered()

    def _arriving(self, waited: Floats, now: float) -> Floats:
        """The chance that what has waited so many days arrives at all: some parcels never do, and they are
        ever more of those that are left. As those show that were sent long ago (Berkson and Gage, 1952)."""
        old = self.where(now - self.moment > self.longest)
        came = old.arrived < now
        if came.sum() < FEWEST_SCORES:
            return np.ones(len(waited))
        took = np.sort((old.arrived - old.moment)[came])
        still = (1 - np.searchsorted(took, waited, side="right") / len(took)) * came.mean()
        found: Floats = still / np.maximum(still + 1 - came.mean(), 1e-12)
        return found

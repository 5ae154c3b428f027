"""What a model would have said of deliveries that are over by now, had it been in use at the time.

Each estimate is made from what was known at its moment, as a trial's is; its window is set by how the
earlier ones had fallen out, or stood, a few days before.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

import numpy as np

from ml.delivery.calibration import GRID, Calibration, Scores, grid_days
from ml.delivery.model import DeliveryModel
from ml.delivery.past import Walk
from ml.delivery.said import Said
from ml.delivery.stages import STAGES, beginnings
from ml.delivery.table import DAY, Floats, Ints, Table, days_of
from ml.types import Consignment, Forecast

EVERY = 3.0  # days after which windows are set anew


class Hindsight:
    """A model that is asked about the past."""

    def __init__(self, model: DeliveryModel) -> None:
        self.model = model

    @property
    def unseen_since(self) -> datetime | None:
        """Of orders placed later it cannot have seen how they fell out; None: of none of this shop's."""
        until = self.model.learned_until
        return datetime.fromtimestamp(until * DAY, UTC) if np.isfinite(until) else None

    def forecasts(
        self,
        rows: Iterable[tuple[int, Consignment]],
        *,
        asked: Collection[int],
        now: datetime,
        confidence: float,
    ) -> list[tuple[int, Forecast]]:
        """Of the rows whose ids are `asked`, a forecast at the beginning of each stage, by moment, without
        reasons. The other rows are what it knows of the past; all are read once and held as columns. Rows
        still under way are among them, unless hardly any parcel takes that long."""
        table, ids = _columns(rows)
        who = np.flatnonzero(np.isin(ids, np.fromiter(asked, np.int64, len(asked))))
        said = _said(self.model, table, who, before=days_of(now))
        if said is None:
            return []
        days = _windows(self.model.calibration.scores, said)
        spreads = np.column_stack([said.median, said.below, said.above])
        tells = np.isfinite(said.arrived) | (days_of(now) - said.moment <= said.longest)
        found = []
        for row in np.flatnonzero(tells):
            at = datetime.fromtimestamp(said.moment[row] * DAY, UTC)
            forecast = self.model.as_forecast(at, int(said.stage[row]), days[row], spreads[row], confidence)
            found.append((int(ids[said.who[row]]), forecast))
        return found


def _columns(rows: Iterable[tuple[int, Consignment]]) -> tuple[Table, Ints]:
    table, ids = Table(), array("q")
    for key, row in rows:
        table.add(row)
        ids.append(key)
    return table, np.frombuffer(ids, dtype=np.int64)


def _said(model: DeliveryModel, table: Table, who: Ints, *, before: float) -> Said | None:
    """By moment; None where there is none."""
    past, (who, moment, stage) = Walk(table), beginnings(table, who)
    by = np.array([model.family_of(index) for index in range(len(STAGES))], dtype=object)
    parts = []
    for family, regressors in model.families.items():
        asked = (by[stage] == family) & (moment < before)
        if asked.any():
            parts.append(Said.of(regressors, table, past, who[asked], moment[asked]))
    if not parts:
        return None
    said = reduce(Said.__add__, parts)
    return said.where(np.argsort(said.moment, kind="stable"))


def _windows(learned: Scores, said: Said) -> Floats:
    """Days left at each level of GRID, shape (rows, levels)."""
    offsets = np.empty((len(said.who), len(GRID)))
    part = np.floor(said.moment / EVERY)
    learned = _no_later_than(learned, said.moment.min(initial=np.inf))
    for today in np.unique(part):
        known = (learned + said.scores(today * EVERY)).thinned()
        calibration = Calibration(known, moment=today * EVERY)
        for row in np.flatnonzero(part == today):
            offsets[row] = calibration.offsets(int(said.stage[row]), said.region[row])
    return grid_days(said.median, said.below, said.above, offsets, shortest=said.shortest[:, None])


def _no_later_than(scores: Scores, moment: float) -> Scores:
    """Of an invented shop days mean nothing: its scores are as old as if it had been just before."""
    ahead = max(0.0, float(scores.moment.max(initial=-np.inf)) - moment)
    return replace(scores, moment=scores.moment - ahead)

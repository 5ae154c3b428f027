"""How far an order has come, and the moments of a finished delivery that a model learns from."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.delivery.table import Floats, Ints, Table
from ml.types import DeliveryStage

STAGES: tuple[DeliveryStage, ...] = ("placed", "paid", "handed_over", "in_transit", "out_for_delivery")

# One set of regressors for orders that are not handed over yet, one for those that are.
Family = Literal["before", "after"]
FAMILIES: tuple[Family, ...] = ("before", "after")
FAMILY_OF: dict[DeliveryStage, Family] = {
    "placed": "before",
    "paid": "before",
    "handed_over": "after",
    "in_transit": "after",
    "out_for_delivery": "after",
}


def stages_at(table: Table, who: Ints, moment: Floats) -> Ints:
    """An index into STAGES a row, by what had happened at the moment; shape (rows,)."""

    def reached(name: str) -> NDArray[np.bool_]:
        return table.floats(name)[who] <= moment  # never so where it is unknown

    scanned = table.scanned(who, moment)[0] > 0
    steps = [reached("out_for_delivery_at"), scanned, reached("handed_over_at"), reached("paid_at")]
    return np.select(steps, [4, 2 + scanned, 2, 1], default=0).astype(np.int64)


def starts(table: Table, family: Family) -> Floats:
    """When a family's first moment is, of every row: days since 1970, NaN where it has not come."""
    return table.floats("placed_at" if family == "before" else "handed_over_at")


def started(table: Table, family: Family) -> Ints:
    """The rows that can be estimated: past the family's first moment, delivered since or still under way."""
    start = starts(table, family)
    end = table.floats("delivered_at")
    return np.flatnonzero((start >= table.floats("placed_at")) & ~(end <= start))


def usable(table: Table, family: Family) -> Ints:
    """The rows to learn from or to be scored by: those of them that are delivered."""
    who = started(table, family)
    return who[np.isfinite(table.floats("delivered_at")[who])]


def present(table: Table) -> float:
    """The moment of the latest that is known of any order, in days since 1970."""
    names = ("placed_at", "paid_at", "handed_over_at", "out_for_delivery_at", "delivered_at")
    return float(max(np.nanmax(table.floats(name), initial=-np.inf) for name in names))


def beginnings(table: Table, who: Ints) -> tuple[Ints, Floats, Ints]:
    """Rows, moments and stages: when these rows came to each stage that they have been in."""
    columns = ("placed_at", "paid_at", "handed_over_at", "", "out_for_delivery_at")
    parts = []
    for stage, name in enumerate(columns):
        moment = (table.floats(name) if name else table.first_scans())[who]
        start = starts(table, FAMILY_OF[STAGES[stage]])[who]
        there = (moment >= start) & (start >= table.floats("placed_at")[who])
        there &= ~(table.floats("delivered_at")[who] <= moment)
        at = np.flatnonzero(there)
        at = at[stages_at(table, who[at], moment[at]) == stage]  # else it had passed two at once
        parts.append((who[at], moment[at], np.full(len(at), stage)))
    rows, times, stages = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, times, stages


def moments(
    table: Table, who: Ints, family: Family, rng: np.random.Generator, *, now: float = np.inf
) -> tuple[Ints, Floats]:
    """Moments to learn at: the beginning of the family, a random later one, and the van where there is one.

    The later one makes the model know what it means that a parcel is not there, or not even handed over,
    after so many days: estimates are of the time that is left. The days are drawn without regard to the
    order, and kept if it was still waiting after them (before `now`), so that among the moments at any age
    slow orders are as frequent as among those that reach it.
    """
    delivered = table.floats("delivered_at")[who]
    handed = table.floats("handed_over_at")[who]
    start = starts(table, family)[who]
    end = delivered
    if family == "before":
        end = np.where((handed > start) & ~(handed >= delivered), handed, delivered)
    spans = (end - start)[np.isfinite(end)]
    later = start + (rng.choice(spans, len(who)) if len(spans) else np.inf) * rng.random(len(who))
    waits = (later < now) & ~(later >= end)
    van = table.floats("out_for_delivery_at")[who]
    on_van = (van > handed) & ~(van >= delivered) if family == "after" else np.zeros(len(who), dtype=bool)
    rows, times = [who, who[waits], who[on_van]], [start, later[waits], van[on_van]]
    return np.concatenate(rows), np.concatenate(times)

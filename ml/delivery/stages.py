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


def usable(table: Table, family: Family) -> Ints:
    """The rows to learn from or to be scored by: delivered, and after the family's first moment."""
    start = table.floats("placed_at" if family == "before" else "handed_over_at")
    end = table.floats("delivered_at")
    return np.flatnonzero((end > start) & (start >= table.floats("placed_at")))


def moments(
    table: Table, who: Ints, family: Family, rng: np.random.Generator, *, later: float = 1.0
) -> tuple[Ints, Floats]:
    """Moments to learn at: the beginning of the family, a random later one, and the van where there is one.

    The random one makes the model know what it means that a parcel is not there, or not even handed
    over, after so many days: estimates are of the time that is left. A share `later` of the rows has one.
    """
    delivered = table.floats("delivered_at")[who]
    handed = table.floats("handed_over_at")[who]
    if family == "before":
        start = table.floats("placed_at")[who]
        end = np.where((handed > start) & (handed < delivered), handed, delivered)
    else:
        start, end = handed, delivered
    drawn = start + (end - start) * rng.random(len(who))
    van = table.floats("out_for_delivery_at")[who]
    on_van = (van > handed) & (van < delivered) if family == "after" else np.zeros(len(who), dtype=bool)
    waits = rng.random(len(who)) < later
    rows, times = [who, who[waits], who[on_van]], [start, drawn[waits], van[on_van]]
    return np.concatenate(rows), np.concatenate(times)

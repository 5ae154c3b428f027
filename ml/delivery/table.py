"""Consignments as columns: what training holds in memory instead of a million objects."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ml.types import Consignment, Spell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY = 86_400.0  # seconds

TIMES = ("placed_at", "paid_at", "handed_over_at", "out_for_delivery_at", "delivered_at", "promised_at")
NUMBERS = (
    "origin_lat",
    "origin_lng",
    "destination_lat",
    "destination_lng",
    "weight_g",
    "volume_cm3",
    "price",
    "freight",
    "items",
    "sellers",
    "seller_open",
    "shop_open",
)
WORDS = (
    "region",
    "origin_region",
    "seller",
    "carrier",
    "service",
    "country",
    "origin_country",
    "category",
    "payment",
)
EXTRA = "extra."  # what the names of a shop's own columns begin with


class Table:
    """Rows in the order they were added. Times are days since 1970, UTC; unknown is NaN or "".

    `keep_past` keeps each row's `past`, which serving is given and training finds by itself.
    """

    def __init__(self, *, keep_past: bool = False) -> None:
        self.size = 0
        self.pasts: list[Mapping[str, tuple[Spell, ...]]] = []
        self._keep_past = keep_past
        self._floats = {name: array("d") for name in (*TIMES, *NUMBERS, "offset")}
        self._codes: dict[str, array[int]] = {name: array("q") for name in WORDS}
        self._vocabularies: dict[str, dict[str, int]] = {name: {} for name in WORDS}
        self._extras: dict[str, dict[int, float | str]] = {}
        self._scans, self._scan_ends = array("d"), array("q", [0])

    @classmethod
    def of(cls, rows: Iterable[Consignment], *, keep_past: bool = False) -> Table:
        table = cls(keep_past=keep_past)
        for row in rows:
            table.add(row)
        return table

    def add(self, row: Consignment) -> None:
        for name in TIMES:
            self._floats[name].append(days_of(getattr(row, name)))
        for name in NUMBERS:
            value = getattr(row, name)
            self._floats[name].append(np.nan if value is None else value)
        offset = row.placed_at.utcoffset()
        self._floats["offset"].append(offset.total_seconds() / DAY if offset else 0.0)
        for name in WORDS:
            known = self._vocabularies[name]
            self._codes[name].append(known.setdefault(str(getattr(row, name)), len(known)))
        for name, cell in row.extra.items():
            if cell != "":
                self._extras.setdefault(EXTRA + name, {})[self.size] = cell
        self._scans.extend(days_of(at) for at in row.scans)
        self._scan_ends.append(len(self._scans))
        if self._keep_past:
            self.pasts.append(row.past)
        self.size += 1

    def floats(self, name: str) -> Floats:
        """A time, a number, or a column of the shop's own read as one; shape (size,)."""
        if not name.startswith(EXTRA):
            return np.frombuffer(self._floats[name], dtype=np.float64)
        column = np.full(self.size, np.nan)
        for row, cell in self._extras.get(name, {}).items():
            if isinstance(cell, int | float):
                column[row] = cell
        return column

    def words(self, name: str) -> tuple[Ints, list[str]]:
        """A code a row, shape (size,), and what the codes stand for."""
        if not name.startswith(EXTRA):
            return np.frombuffer(self._codes[name], dtype=np.int64), list(self._vocabularies[name])
        vocabulary = {"": 0}
        codes = np.zeros(self.size, dtype=np.int64)
        for row, cell in self._extras.get(name, {}).items():
            codes[row] = vocabulary.setdefault(str(cell), len(vocabulary))
        return codes, list(vocabulary)

    def extra_cells(self) -> Mapping[str, Mapping[int, float | str]]:
        return self._extras

    def digest(self) -> str:
        """SHA-256 over every column, for the model's card."""
        found = hashlib.sha256()
        for name in (*TIMES, *NUMBERS):
            found.update(self._floats[name].tobytes())
        for name in WORDS:
            found.update(self._codes[name].tobytes() + "\n".join(self._vocabularies[name]).encode())
        found.update(self._scans.tobytes() + repr(sorted(self._extras.items())).encode())
        return found.hexdigest()

    def first_scans(self) -> Floats:
        """When each row was scanned first; shape (size,), NaN where it never was."""
        times, ends = np.frombuffer(self._scans, dtype=np.float64), np.frombuffer(self._scan_ends, np.int64)
        found = np.full(self.size, np.nan)
        seen = np.flatnonzero(np.diff(ends))
        found[seen] = times[ends[seen]]
        return found

    def scanned(self, who: Ints, moment: Floats) -> tuple[Floats, Floats]:
        """How many scans rows `who` had by `moment`, and when the latest was (NaN for none)."""
        times, ends = np.frombuffer(self._scans, dtype=np.float64), np.frombuffer(self._scan_ends, np.int64)
        counts, latest = np.zeros(len(who)), np.full(len(who), np.nan)
        for at in np.flatnonzero(ends[who + 1] > ends[who]):
            seen = times[ends[who[at]] : ends[who[at] + 1]]
            seen = seen[seen <= moment[at]]
            if len(seen):
                counts[at], latest[at] = len(seen), seen.max()
        return counts, latest


def days_of(at: datetime | None) -> float:
    return at.timestamp() / DAY if at else float("nan")

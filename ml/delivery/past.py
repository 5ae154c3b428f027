"""What had been learned from finished deliveries by a given moment, for training and serving alike.

Training replays a table: `Walk` finds for any moment the spells of a leg (`ml.types.Leg`) that had ended
by then. Serving is given them with the row: `Given`. Both yield the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from ml.delivery.table import Floats, Ints, Table, days_of
from ml.types import Leg, Spell

EXTRA_LATEST = 30  # spells that are looked at for a word of a shop's own column


class Past(Protocol):
    def latest(self, leg: Leg, who: Ints, moment: Floats) -> Floats:
        """Days of the latest spells, newest first; shape (rows, leg.latest), with NaN where there are
        fewer."""

    def within(self, leg: Leg, who: Ints, moment: Floats) -> Floats:
        """Days in which those spells ended: since the oldest of them did; shape (rows,), NaN for none."""

    def open(self, who: Ints, moment: Floats, *, of_seller: bool) -> Floats:
        """Orders in hand, of the row's seller or of all; shape (rows,)."""


def extra_leg(name: str) -> Leg:
    """How long deliveries took that agree in a column of the shop's own."""
    return Leg(name, "placed_at", "delivered_at", (name,), EXTRA_LATEST)


@dataclass(frozen=True, slots=True)
class _Index:
    """Spells sorted by key and then by end."""

    keys: Ints
    ends: Floats
    days: Floats
    first: Ints  # where a key's spells begin, one more entry than there are keys

    def before(self, keys: Ints, moment: Floats) -> Ints:
        """How many spells of the index lie before the first of this key that has not ended by `moment`."""
        found = np.empty(len(keys), dtype=np.int64)
        order = np.lexsort((moment, keys))
        bounds = np.flatnonzero(np.diff(keys[order], prepend=-2, append=-2))
        for start, stop in pairwise(bounds):
            same = order[start:stop]
            key = keys[same[0]]
            if key < 0:
                found[same] = 0
                continue
            low, high = self.first[key], self.first[key + 1]
            found[same] = low + np.searchsorted(self.ends[low:high], moment[same], side="left")
        return found


class Walk:
    """The past as a table's own rows show it, at any moment. Unfinished rows count as orders in hand."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._keys: dict[tuple[str, ...], Ints] = {}
        self._spells: dict[str, _Index] = {}
        self._placed: dict[bool, tuple[_Index, _Index]] = {}

    def within(self, leg: Leg, who: Ints, moment: Floats) -> Floats:
        index, keys = self._spells_of(leg), self._keys_of(leg.keys)[who]
        stop, first = index.before(keys, moment), index.first[np.maximum(keys, 0)]
        oldest = np.maximum(stop - leg.latest, first)
        known = (oldest < stop) & (keys >= 0)
        found: Floats = np.full(len(who), np.nan)
        found[known] = moment[known] - index.ends[oldest[known]]
        return found

    def latest(self, leg: Leg, who: Ints, moment: Floats) -> Floats:
        index, keys = self._spells_of(leg), self._keys_of(leg.keys)[who]
        at = index.before(keys, moment)[:, None] - 1 - np.arange(leg.latest)
        known = (at >= index.first[np.maximum(keys, 0)][:, None]) & (keys >= 0)[:, None]
        at = np.where(known, at, 0)
        if not len(index.days):
            return np.full(at.shape, np.nan)
        found: Floats = np.where(known, index.days[at], np.nan)
        return found

    def open(self, who: Ints, moment: Floats, *, of_seller: bool) -> Floats:
        names = ("seller",) if of_seller else ()
        keys = self._keys_of(names)
        if of_seller not in self._placed:
            placed, handed = self.table.floats("placed_at"), self.table.floats("handed_over_at")
            left = np.where(np.isfinite(handed), handed, self.table.floats("delivered_at"))
            self._placed[of_seller] = (_index(keys, placed, placed), _index(keys, left, left))
        came, gone = (index.before(keys[who], moment) for index in self._placed[of_seller])
        first = [index.first[np.maximum(keys[who], 0)] for index in self._placed[of_seller]]
        in_hand = (came - first[0]) - (gone - first[1])
        return np.where(keys[who] >= 0, in_hand, np.nan)

    def _spells_of(self, leg: Leg) -> _Index:
        if leg.name not in self._spells:
            start, end = self.table.floats(leg.start), self.table.floats(leg.end)
            known = self.table.floats(leg.known or leg.end)
            self._spells[leg.name] = _index(self._keys_of(leg.keys), known, end - start)
        return self._spells[leg.name]

    def _keys_of(self, names: tuple[str, ...]) -> Ints:
        """One code a row for a leg's fields together; -1 where any of them is unknown."""
        if names not in self._keys:
            keys, known = np.zeros(self.table.size, dtype=np.int64), np.ones(self.table.size, dtype=bool)
            for name in names:
                codes, words = self.table.words(name)
                known &= codes != (words.index("") if "" in words else -1)
                keys = np.unique(keys * (len(words) + 1) + codes, return_inverse=True)[1].astype(np.int64)
            self._keys[names] = np.where(known, keys, -1)
        return self._keys[names]


class Given:
    """The past that came with the rows of a table that keeps it."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def latest(self, leg: Leg, who: Ints, moment: Floats) -> Floats:
        given = [self.table.pasts[row].get(leg.name, ()) for row in who]
        # orders of one seller or route are given the very same spells: each is read once
        distinct = {id(spells): spells for spells in given}
        days = np.full((len(distinct), leg.latest), np.nan)
        for at, spells in enumerate(distinct.values()):
            known = [spell.days for spell in spells[: leg.latest]]
            days[at, : len(known)] = known
        place = {key: at for at, key in enumerate(distinct)}
        return days[[place[id(spells)] for spells in given]]

    def within(self, leg: Leg, who: Ints, moment: Floats) -> Floats:
        ends = [days_of(spells[-1].ended_at) if spells else np.nan for spells in self._latest_of(leg, who)]
        return moment - np.array(ends, dtype=np.float64)

    def _latest_of(self, leg: Leg, who: Ints) -> list[tuple[Spell, ...]]:
        return [self.table.pasts[row].get(leg.name, ())[: leg.latest] for row in who]

    def open(self, who: Ints, moment: Floats, *, of_seller: bool) -> Floats:
        return self.table.floats("seller_open" if of_seller else "shop_open")[who]


def _index(keys: Ints, ends: Floats, days: Floats) -> _Index:
    rows = np.flatnonzero(np.isfinite(ends) & np.isfinite(days) & (keys >= 0))
    rows = rows[np.lexsort((ends[rows], keys[rows]))]
    count = int(keys.max(initial=-1)) + 2
    return _Index(keys[rows], ends[rows], days[rows], np.searchsorted(keys[rows], np.arange(count + 1)))

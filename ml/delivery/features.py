"""From a table and moments to the numbers that the estimator sees: one way for training and serving.

Nothing that lies after a row's moment is read, and what other deliveries show is read as it was known
at that moment (`ml.delivery.past`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np

from ml.delivery.holidays import workdays_lost
from ml.delivery.past import Past, extra_leg
from ml.delivery.stages import Family
from ml.delivery.table import Floats, Ints, Table
from ml.types import LEGS, Leg

EARTH_KM = 6371.0088  # mean radius, IUGG
MOST_CATEGORIES = 200  # rarer ones are left to their history
MOST_EXTRA_LEGS = 12
NEWEST = 5  # spells that say how it goes this very day
PROMISE, SHOP, HANDLING = (
    next(leg for leg in LEGS if leg.name == name) for name in ("promise", "shop", "seller_handling")
)
YEAR = 365.25  # days
SEASONS = 2 * YEAR
CHUNK = 20_000  # rows whose spells are held at once

_PLAIN = ("origin_lat", "origin_lng", "destination_lat", "destination_lng")
_GOODS = ("weight_g", "volume_cm3", "price", "freight", "items", "sellers")
_CATEGORIES: dict[Family, tuple[str, ...]] = {
    "before": ("region", "origin_region", "category", "payment"),
    # nobody knows at purchase who will carry it, so the model for that stage must not see it either
    "after": ("region", "origin_region", "category", "carrier", "service"),
}
# Which circumstance a feature belongs to; the codes are those of `ml.types.Reason`.
_GROUPS = {
    "distance_km": "distance",
    **dict.fromkeys(_PLAIN, "distance"),
    **dict.fromkeys(_GOODS, "goods"),
    "category": "goods",
    "payment": "progress",
    "region": "route",
    "origin_region": "route",
    "carrier": "carrier",
    "service": "carrier",
    "promised_days": "promise",
    "promise_excess": "promise",
    "promised_weekday": "promise",
    "weekday": "calendar",
    "day_of_year": "calendar",
    "hour": "calendar",
    "holidays_week": "holiday",
    "holidays_fortnight": "holiday",
    "holidays_origin": "holiday",
    "seller_load": "load",
    "shop_load": "load",
}
_LEG_GROUPS = {
    "shop": "shop",
    "shop_transit": "shop",
    "region": "route",
    "route_transit": "route",
    "seller": "seller",
    "seller_handling": "seller",
    "carrier_transit": "carrier",
}
_PROGRESS = (
    "since_placed",
    "since_paid",
    "since_handed_over",
    "handling",
    "since_loaded",
    "scans",
    "since_scan",
)


@cache
def group_of(name: str) -> str:
    """The circumstance that a feature tells of."""
    if name in _PROGRESS:
        return "progress"
    leg = next((leg for leg in sorted(_LEG_GROUPS, key=len, reverse=True) if name.startswith(f"{leg}:")), "")
    return _LEG_GROUPS[leg] if leg else _GROUPS.get(name, "other")


@dataclass(slots=True)
class Encoder:
    """Learns what there is to see in a table; then gives the same features for any table.

    Arrays have the shape (rows, features); unknown values are NaN. Columns that are unknown, or the same,
    in every training row are left out. `scale_` is the median of the days learned from, which decides
    what counts as short.
    """

    family: Family
    scale_: float = 1.0
    codes_: dict[str, dict[str, int]] | None = None
    numbers_: tuple[str, ...] = ()
    extra_legs_: tuple[str, ...] = ()
    names_: tuple[str, ...] = ()

    def fit(self, table: Table, who: Ints, *, scale: float) -> Self:
        """Columns and categories, as rows `who` of the table show them."""
        self.scale_ = scale
        words = _word_columns(table)
        self.numbers_ = tuple(name for name in sorted(table.extra_cells()) if name not in words)
        self.codes_ = {name: _codes(table, who, name) for name in (*_CATEGORIES[self.family], *words)}
        self.extra_legs_ = _grouping(table, self.numbers_, words)[:MOST_EXTRA_LEGS]
        return self

    def encode(self, table: Table, past: Past, who: Ints, moment: Floats) -> Floats:
        """Rows `who` of the table, each as it was known at its moment (days since 1970)."""
        columns = self._now(table, who, moment) | self._places(table, who)
        columns |= {name: table.floats(name)[who] for name in (*_GOODS, *self.numbers_)}
        columns |= self._categories(table, who, moment)
        for leg in self.legs:
            columns |= self._leg(leg, table, past, who, moment)
        columns["promise_excess"] = self._excess(table, past, who, moment)
        columns |= _loads(past, who, moment)
        if not self.names_:
            seasons = np.ptp(moment) >= SEASONS  # a shorter history cannot tell the season from a trend
            self.names_ = tuple(n for n in _varying(columns) if seasons or n != "day_of_year")
        return np.column_stack([columns[name] for name in self.names_])

    @property
    def legs(self) -> tuple[Leg, ...]:
        usual = tuple(
            leg for leg in LEGS if leg != PROMISE and (self.family == "after" or "carrier" not in leg.keys)
        )
        return usual + tuple(extra_leg(name) for name in self.extra_legs_)

    @property
    def groups(self) -> list[str]:
        return [group_of(name) for name in self.names_]

    def state(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("scale_", "codes_", "numbers_", "extra_legs_", "names_")
        }

    @classmethod
    def from_state(cls, family: Family, state: dict[str, Any]) -> Self:
        return cls(family, **state)

    def _now(self, table: Table, who: Ints, moment: Floats) -> dict[str, Floats]:
        """Calendar and progress. A time after the moment is not known yet."""
        local = moment + table.floats("offset")[who]
        since = {name: moment - table.floats(f"{name}_at")[who] for name in ("placed", "paid", "handed_over")}
        since = {name: np.where(days >= 0, days, np.nan) for name, days in since.items()}
        loaded = moment - table.floats("out_for_delivery_at")[who]
        scans, latest = table.scanned(who, moment)
        promised = table.floats("promised_at")[who]
        return {
            "weekday": np.floor(local + 3) % 7,  # 1970 began on a Thursday
            "hour": local % 1 * 24,
            "day_of_year": local % YEAR,
            "promised_days": promised - moment,
            "promised_weekday": np.floor(promised + table.floats("offset")[who] + 3) % 7,
            "since_placed": since["placed"],
            "since_paid": since["paid"],
            "since_handed_over": since["handed_over"],
            "handling": since["placed"] - since["handed_over"],
            "since_loaded": np.where(loaded >= 0, loaded, np.nan),
            "scans": scans,
            "since_scan": moment - latest,
        } | self._holidays(table, who, local)

    def _holidays(self, table: Table, who: Ints, local: Floats) -> dict[str, Floats]:
        found = {}
        for name, column, days in (
            ("holidays_week", "country", 7),
            ("holidays_fortnight", "country", 14),
            ("holidays_origin", "origin_country", 5),
        ):
            codes, words = table.words(column)
            found[name] = np.zeros(len(who))
            for code in np.unique(codes[who]):
                same = codes[who] == code
                found[name][same] = workdays_lost(local[same], words[code], days=days)
        return found

    def _places(self, table: Table, who: Ints) -> dict[str, Floats]:
        places = {name: table.floats(name)[who] for name in _PLAIN}
        return places | {"distance_km": distance_km(*(places[name] for name in _PLAIN))}

    def _categories(self, table: Table, who: Ints, moment: Floats) -> dict[str, Floats]:
        assert self.codes_ is not None
        found = {}
        for name, known in self.codes_.items():
            codes, words = table.words(name)
            translated = np.array([known.get(word, np.nan) for word in words])
            found[name] = translated[codes[who]]
        return found

    def _excess(self, table: Table, past: Past, who: Ints, moment: Floats) -> Floats:
        """Days promised beyond what the region is promised just now: shops change how careful they are."""
        offered = table.floats("promised_at")[who] - table.floats("placed_at")[who]
        return offered - self._leg(PROMISE, table, past, who, moment)["promise:level"]

    def _leg(self, leg: Leg, table: Table, past: Past, who: Ints, moment: Floats) -> dict[str, Floats]:
        parts = []
        for start in range(0, len(who), CHUNK):
            part = slice(start, start + CHUNK)
            parts.append(_summary(past.latest(leg, who[part], moment[part]), self.scale_))
        merged = np.concatenate(parts, axis=1) if parts else np.zeros((len(SUMMARY), 0))
        # the whole shop's spells are always as many, and their spread says little
        names = SUMMARY if leg.keys else SUMMARY[:2]
        return {f"{leg.name}:{name}": column for name, column in zip(names, merged, strict=False)}


def _loads(past: Past, who: Ints, moment: Floats) -> dict[str, Floats]:
    """Days of work in hand, of the seller and of the shop: open orders over how many are done a day lately.

    The bare number of orders grows with the shop, so that trees would read off it which week it is; and in
    the latest weeks only the fast parcels have arrived.
    """
    found = {}
    for name, leg, of_seller in (("seller_load", HANDLING, True), ("shop_load", SHOP, False)):
        done = np.isfinite(past.latest(leg, who, moment)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            pace = done / past.within(leg, who, moment)
            found[name] = np.where(done > 0, past.open(who, moment, of_seller=of_seller) / pace, np.nan)
    return found


SUMMARY = ("level", "newest", "spread", "count")


def _summary(days: Floats, scale: float) -> Floats:
    """Of each row's spells, shape (4, rows): their geometric mean in days, that of the newest few, the
    standard deviation of their logarithms, and how many they are."""
    least = scale * OFFSET
    logs = np.log(np.maximum(days, 0) + least)
    known = np.isfinite(logs)
    count, logs = known.sum(axis=1), np.where(known, logs, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = logs.sum(axis=1) / count
        newest = logs[:, :NEWEST].sum(axis=1) / np.minimum(count, NEWEST)
        spread = np.sqrt(np.where(known, (logs - level[:, None]) ** 2, 0).sum(axis=1) / count)
    return np.stack([np.exp(level) - least, np.exp(newest) - least, spread, count.astype(np.float64)])


OFFSET = 0.05  # of the median days: logarithms are taken of days plus this, so that short ones do not rule


def distance_km(lat_a: Floats, lng_a: Floats, lat_b: Floats, lng_b: Floats) -> Floats:
    """Great-circle distance by the haversine formula; NaN where a position is unknown."""
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    half_phi, half_lambda = (phi_b - phi_a) / 2, np.radians(lng_b - lng_a) / 2
    h = np.sin(half_phi) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(half_lambda) ** 2
    found: Floats = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(1.0, h)))
    return found


def _varying(columns: dict[str, Floats]) -> tuple[str, ...]:
    return tuple(name for name, column in columns.items() if len(np.unique(column)) > 1)  # NaN is one value


def _word_columns(table: Table) -> list[str]:
    cells = table.extra_cells()
    return sorted(name for name in cells if any(isinstance(cell, str) for cell in cells[name].values()))


def _codes(table: Table, who: Ints, name: str) -> dict[str, int]:
    """The commonest words, by count and then by name, so the codes do not depend on the order of the rows."""
    codes, words = table.words(name)
    counts = Counter(dict(enumerate(np.bincount(codes[who], minlength=len(words)).tolist())))
    ranked = sorted((-count, words[code]) for code, count in counts.items() if words[code] and count)
    return {word: code for code, (_, word) in enumerate(ranked[:MOST_CATEGORIES])}


def _grouping(table: Table, numbers: tuple[str, ...], words: list[str]) -> tuple[str, ...]:
    """Columns of the shop's own that say which deliveries are alike: words, and numbers that are names."""
    found = []
    for name in (*words, *numbers):
        distinct = len(set(table.extra_cells()[name].values()))
        whole = name in words or not np.nansum(table.floats(name) % 1)
        if whole and 2 <= distinct <= table.size / 5 and (name in words or distinct > 20):
            found.append((distinct, name))
    return tuple(name for _, name in sorted(found))

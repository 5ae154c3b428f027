"""From a consignment to the numbers that the estimator sees. One encoder per stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ml.delivery.history import Totals, mean_of, running_means
from ml.types import Consignment

Stage = Literal["purchase", "handover"]
STAGES: tuple[Stage, ...] = ("purchase", "handover")

DAY = 86_400.0
EARTH_KM = 6371.0088  # mean radius, IUGG
MOST_CATEGORIES = 200  # rarer ones are left to their history

_NUMBERS: tuple[str, ...] = (
    "distance_km",
    "origin_lat",
    "origin_lng",
    "destination_lat",
    "destination_lng",
    "weight_g",
    "volume_cm3",
    "price",
    "freight",
    "items",
    "weekday",
    "hour",
    "month",
    "promised_days",
    "handling_days",
)
_PLACES: tuple[str, ...] = ("region", "origin_region")
# At purchase nobody knows yet who will carry it, so the model for that stage must not see it either.
_CATEGORIES: dict[Stage, tuple[str, ...]] = {
    "purchase": _PLACES,
    "handover": (*_PLACES, "carrier", "service"),
}

Key = Callable[[Consignment], str]
_HISTORIES: dict[str, Key] = {
    "seller_mean": lambda row: row.seller,
    "route_mean": lambda row: f"{row.origin_region}>{row.region}" if row.region else "",
    "region_mean": lambda row: row.region,
}
_CARRIER_HISTORY: dict[str, Key] = {
    "carrier_mean": lambda row: f"{row.carrier}/{row.service}" if row.carrier else "",
}


def stage_of(row: Consignment) -> Stage:
    return "purchase" if row.handed_over_at is None else "handover"


def start_of(row: Consignment, stage: Stage) -> datetime:
    """The moment from which days are counted. Raises ValueError for a stage not reached yet."""
    start = row.placed_at if stage == "purchase" else row.handed_over_at
    if start is None:
        raise ValueError("a consignment that is not handed over has no hand-over to count from")
    return start


class Encoder:
    """Learns category codes and histories; `fit_transform` is for training rows, `transform` for served ones.

    Arrays have the shape (rows, features); unknown values are NaN. Columns that are unknown in every
    training row are left out.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.codes_: dict[str, dict[str, int]] = {}
        self.extra_numbers_: list[str] = []
        self.totals_: dict[str, Totals] = {}
        self.known_: list[bool] = []

    @property
    def names(self) -> list[str]:
        every = [*_NUMBERS, *self.extra_numbers_, *self.codes_, *self._histories]
        return [name for name, known in zip(every, self.known_, strict=True) if known]

    @property
    def _histories(self) -> dict[str, Key]:
        known = _HISTORIES | (_CARRIER_HISTORY if self.stage == "handover" else {})
        words = [name for name in self.codes_ if name not in _CATEGORIES[self.stage]]
        return known | {f"{name}_mean": partial(_word, name=name) for name in words}

    def fit_transform(self, rows: Sequence[Consignment]) -> NDArray[np.float64]:
        self._learn_columns(rows)
        starts = np.array([start_of(row, self.stage).timestamp() / DAY for row in rows])
        ends = np.array([row.delivered_at.timestamp() / DAY for row in rows if row.delivered_at])
        if len(ends) != len(rows):
            raise ValueError("every training row needs its delivery")
        trend = self._trend(running_means([""] * len(rows), starts, ends)[0])
        histories = []
        for name, key in self._histories.items():
            means, self.totals_[name] = running_means([key(row) for row in rows], starts, ends)
            histories.append(means - trend)
        x = np.column_stack([self._plain(rows), *histories])
        self.known_ = np.any(np.isfinite(x), axis=0).tolist()
        return x[:, self.known_]

    def transform(self, rows: Sequence[Consignment]) -> NDArray[np.float64]:
        histories = []
        for name, key in self._histories.items():
            totals = self.totals_[name]
            means = np.array([mean_of(totals, key(row)) for row in rows])
            histories.append(means - self._trend(np.full(len(rows), mean_of(totals, ""))))
        return np.column_stack([self._plain(rows), *histories])[:, self.known_]

    def _trend(self, overall: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is taken off the histories. From purchase on, days shrink over the years as a shop speeds
        up, so there only the difference to everyone else is told (on Olist 0.2 days better); after the
        hand-over the level itself says more."""
        return overall if self.stage == "purchase" else np.zeros_like(overall)

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("codes_", "extra_numbers_", "totals_", "known_")}

    @classmethod
    def from_state(cls, stage: Stage, state: dict[str, Any]) -> Self:
        encoder = cls(stage)
        for name, value in state.items():
            setattr(encoder, name, value)
        return encoder

    def _learn_columns(self, rows: Sequence[Consignment]) -> None:
        extra = sorted({name for row in rows for name in row.extra})
        words = [n for n in extra if any(isinstance(row.extra.get(n), str) for row in rows)]
        self.extra_numbers_ = [name for name in extra if name not in words]
        self.codes_ = {}
        for name in (*_CATEGORIES[self.stage], *words):
            seen = Counter(_word(row, name) for row in rows)
            seen.pop("", None)
            # by count and then by name, so the codes do not depend on the order of the rows
            ranked = sorted(seen, key=lambda word: (-seen[word], word))[:MOST_CATEGORIES]
            self.codes_[name] = {word: code for code, word in enumerate(ranked)}

    def _plain(self, rows: Sequence[Consignment]) -> NDArray[np.float64]:
        return np.array([self._row(row) for row in rows], dtype=np.float64).reshape(len(rows), -1)

    def _row(self, row: Consignment) -> list[float]:
        start = start_of(row, self.stage)
        numbers = [
            distance_km(row.origin_lat, row.origin_lng, row.destination_lat, row.destination_lng),
            *map(_number, (row.origin_lat, row.origin_lng, row.destination_lat, row.destination_lng)),
            *map(_number, (row.weight_g, row.volume_cm3, row.price, row.freight, row.items)),
            float(start.weekday()),
            start.hour + start.minute / 60,
            float(start.month),
            (row.promised_at - start).total_seconds() / DAY if row.promised_at else np.nan,
            (start - row.placed_at).total_seconds() / DAY,
        ]
        numbers += [_number(row.extra.get(name)) for name in self.extra_numbers_]
        return numbers + [float(codes.get(_word(row, name), np.nan)) for name, codes in self.codes_.items()]


def distance_km(lat_a: float | None, lng_a: float | None, lat_b: float | None, lng_b: float | None) -> float:
    """Great-circle distance by the haversine formula; NaN where a position is unknown."""
    if lat_a is None or lng_a is None or lat_b is None or lng_b is None:
        return float("nan")
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    half_phi, half_lambda = (phi_b - phi_a) / 2, np.radians(lng_b - lng_a) / 2
    h = np.sin(half_phi) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(half_lambda) ** 2
    return float(2 * EARTH_KM * np.arcsin(np.sqrt(min(1.0, h))))


def _number(value: float | str | None) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _word(row: Consignment, name: str) -> str:
    value = getattr(row, name) if name in _CATEGORIES["handover"] else row.extra.get(name, "")
    return str(value)

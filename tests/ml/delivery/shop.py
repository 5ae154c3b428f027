"""A shop made up for the tests of estimates: two carriers, three sellers, a trend where one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ml.delivery.regressors import Config
from ml.types import LEGS, Consignment, Leg, Spell

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
SMALL = Config(iterations=40, learning_rate=0.15, leaves=8, smallest_leaf=10, half_lives=(120.0,))


def deliveries(count=900, seed=1, faster=1.0):
    """Swift takes about 2 days from hand-over, Slow about 6; the seller "tardy" hands over after 3 days, the
    others after 1. `faster` divides every time."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        placed = START + timedelta(hours=3 * index)
        seller = str(rng.choice(["tardy", "brisk", "prompt"]))
        handling = float(rng.gamma(8, (3 if seller == "tardy" else 1) / 8)) / faster
        handed_over = placed + timedelta(days=handling)
        slow = bool(rng.random() < 0.5)
        transit = timedelta(days=(6 if slow else 2) * float(rng.lognormal(0, 0.15)) / faster)
        rows.append(
            Consignment(
                placed_at=placed,
                paid_at=placed + timedelta(hours=1),
                handed_over_at=handed_over,
                scans=(handed_over + transit * 0.3, handed_over + transit * 0.6),
                out_for_delivery_at=handed_over + transit * 0.9,
                delivered_at=handed_over + transit,
                promised_at=placed + timedelta(days=6),
                carrier="Slow" if slow else "Swift",
                service="standard",
                region="north" if slow else "south",
                seller=seller,
                country="GB",
                extra={"floor": float(rng.integers(5)), "box": "red" if slow else "blue"},
            )
        )
    return rows


def known_at(rows: Sequence[Consignment], row: Consignment, now: datetime) -> Consignment:
    """The row with its past as whoever serves it looks it up in the other rows, by the contract."""
    in_hand = [
        other
        for other in rows
        if other.placed_at < now and not (other.handed_over_at and other.handed_over_at < now)
    ]
    return replace(
        row,
        past={leg.name: _spells(rows, row, leg, now) for leg in LEGS},
        seller_open=float(sum(other.seller == row.seller for other in in_hand)),
        shop_open=float(len(in_hand)),
    )


def _spells(rows: Sequence[Consignment], row: Consignment, leg: Leg, now: datetime) -> tuple[Spell, ...]:
    key = [getattr(row, name) for name in leg.keys]
    if not all(key):
        return ()
    known = leg.known or leg.end
    found = [
        Spell(
            (getattr(other, leg.end) - getattr(other, leg.start)) / timedelta(days=1), getattr(other, known)
        )
        for other in rows
        if [getattr(other, name) for name in leg.keys] == key
        and all(getattr(other, name) for name in (leg.start, leg.end, known))
        and getattr(other, known) < now
    ]
    return tuple(sorted(found, key=lambda spell: spell.ended_at, reverse=True)[: leg.latest])

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ml.delivery.features import Encoder, distance_km
from ml.delivery.holidays import workdays_lost
from ml.delivery.past import Given, Walk
from ml.delivery.stages import moments, usable
from ml.delivery.table import DAY, Table, days_of
from ml.types import LEGS
from tests.ml.delivery.shop import deliveries, known_at

SHOP = deliveries(240)


@pytest.mark.parametrize("family", ["before", "after"])
def test_training_and_serving_see_the_same_features_row_by_row(family):
    """Training finds the past in its table; serving is given it with each row, looked up anew here."""
    table, rng = Table.of(SHOP), np.random.default_rng(1)
    who, moment = moments(table, usable(table, family), family, rng)
    encoder = Encoder(family).fit(table, who, scale=4.0)
    trained = encoder.encode(table, Walk(table), who, moment)
    compared = 0
    for place in rng.permutation(len(who))[:80]:
        # a little later than the moment in floating point is not the same moment
        now = datetime.fromtimestamp(round(moment[place] * DAY, 6), UTC)
        if any(at and at != now and abs(at - now) < timedelta(seconds=1) for at in _times(SHOP[who[place]])):
            continue
        # extras have no leg that a database looks up; see `extra_leg`
        served = Table.of([known_at(SHOP, SHOP[who[place]], now)], keep_past=True)
        found = encoder.encode(served, Given(served), np.array([0]), np.array([moment[place]]))[0]
        for name, expected, value in zip(encoder.names_, trained[place], found, strict=True):
            if not name.startswith("extra.box:"):
                assert value == pytest.approx(expected, rel=1e-5, abs=1e-5, nan_ok=True), name
        compared += 1
    assert compared > 60
    assert {"seller_handling:level", "shop:newest", "seller_load", "extra.floor", "weekday"} <= set(
        encoder.names_
    )
    assert "weight_g" not in encoder.names_  # unknown throughout
    assert ("carrier_transit:level" in encoder.names_) == (family == "after")


def _times(row):
    return [row.paid_at, row.handed_over_at, *row.scans, row.out_for_delivery_at]


def test_the_past_holds_only_what_had_ended():
    rows = deliveries(60)
    table = Table.of(rows)
    leg = next(leg for leg in LEGS if leg.name == "shop")
    now = rows[30].placed_at
    took = Walk(table).latest(leg, np.array([30]), np.array([days_of(now)]))
    ended = sorted((row for row in rows if row.delivered_at < now), key=lambda row: row.delivered_at)
    newest_first = [(row.delivered_at - row.placed_at) / timedelta(days=1) for row in reversed(ended)]
    assert took[0][np.isfinite(took[0])] == pytest.approx(newest_first)
    # one that has not ended yet changes nothing, however long it will take
    slower = [replace(row, delivered_at=max(row.delivered_at, now + timedelta(days=99))) for row in rows[25:]]
    again = Walk(Table.of(rows[:25] + slower)).latest(leg, np.array([30]), np.array([days_of(now)]))
    before = sum(row.delivered_at < now for row in rows[:25])
    assert np.isfinite(again[0]).sum() == before


def test_orders_in_hand_are_those_placed_and_not_handed_over():
    rows = deliveries(80)
    table = Table.of(rows)
    now = rows[60].placed_at + timedelta(minutes=5)
    found = Walk(table).open(np.array([60]), np.array([days_of(now)]), of_seller=False)
    assert found[0] == sum(row.placed_at < now and row.handed_over_at >= now for row in rows)


def test_a_shops_own_columns_are_features_numbers_and_words_alike():
    table = Table.of(SHOP)
    who = usable(table, "before")
    encoder = Encoder("before").fit(table, who, scale=4.0)
    encoder.encode(table, Walk(table), who, table.floats("placed_at")[who])
    assert {"extra.floor", "extra.box", "extra.box:level"} <= set(encoder.names_)


def test_a_season_is_learned_only_where_two_years_were_seen():
    table = Table.of(SHOP)
    who = usable(table, "before")
    short, long = (Encoder("before").fit(table, who, scale=4.0) for _ in range(2))
    moment = table.floats("placed_at")[who]
    short.encode(table, Walk(table), who, moment)
    long.encode(table, Walk(table), who, np.concatenate([moment[:-1], moment[-1:] + 800]))
    assert "day_of_year" not in short.names_
    assert "day_of_year" in long.names_


def test_holidays_are_those_of_the_country_on_working_days():
    before_christmas = np.array([days_of(datetime(2025, 12, 23, 12, tzinfo=UTC))])
    assert workdays_lost(before_christmas, "GB", days=7) == [2]  # the 25th and the 26th, a Friday
    assert workdays_lost(before_christmas, "BR", days=7) == [1]
    assert workdays_lost(before_christmas, "", days=7) == [0]
    assert workdays_lost(before_christmas, "XX", days=7) == [0]
    assert np.isnan(workdays_lost(np.array([np.nan]), "GB", days=7))[0]


def test_distance_is_that_of_the_great_circle():
    def km(*place):
        return distance_km(*(np.array([value]) for value in place))[0]

    assert km(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=0.5)
    assert km(1.0, 1.0, 1.0, 1.0) == 0
    assert np.isnan(km(np.nan, 1.0, 1.0, 1.0))

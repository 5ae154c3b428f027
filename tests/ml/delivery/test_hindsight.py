"""What a model would have said of the past is what it did say, or would have, and nothing that came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from ml.delivery.fitting import fit
from ml.delivery.hindsight import Hindsight
from ml.delivery.table import Table
from tests.ml.delivery.shop import SMALL, deliveries, known_at

# without columns of the shop's own, whose past a row cannot be given (see `ml.delivery.past.extra_leg`)
SHOP = [replace(row, extra={}) for row in deliveries(500)]
ROWS = [(key, replace(row, extra={})) for key, row in enumerate(deliveries(400, seed=4))]
NOW = ROWS[-1][1].placed_at + timedelta(days=1)
ASKED = range(250, 400)


@pytest.fixture(scope="module")
def invented():
    """A model that learned from another shop."""
    model, _ = fit(Table.of(SHOP), config=SMALL)
    model.meta["invented"] = True
    return model


def looked_back(model, rows=ROWS, *, asked=ASKED, now=NOW):
    told = Hindsight(model).forecasts(rows, asked=asked, now=now, confidence=0.8)
    return {(key, forecast.stage): forecast for key, forecast in told}


def test_it_is_asked_at_the_beginning_of_each_stage_and_says_what_serving_says(invented):
    told = looked_back(invented)
    row = dict(ROWS)[270]
    begins = {
        "placed": row.placed_at,
        "paid": row.paid_at,
        "handed_over": row.handed_over_at,
        "in_transit": row.scans[0],
        "out_for_delivery": row.out_for_delivery_at,
    }
    shop = [row for _, row in ROWS]
    for stage, at in begins.items():
        # a moment in floating point may lie just before the event that it is
        forecast = told[270, stage]
        assert abs(forecast.at - at) < timedelta(milliseconds=1)
        served = invented.forecast(known_at(shop, row, at), now=at)
        assert (forecast.median, forecast.below, forecast.above) == pytest.approx(
            (served.median, served.below, served.above), rel=1e-4
        )
        assert forecast.model == served.model
    assert {key for key, _ in told} <= set(ASKED)


def test_nothing_that_came_later_makes_a_difference(invented):
    """Not even to the windows, which follow how the earlier estimates had fallen out."""
    cut = ROWS[340][1].placed_at
    then = looked_back(invented, [(key, row.known_by(cut)) for key, row in ROWS[:340]], now=cut)
    now = looked_back(invented)
    compared = [key for key in then if then[key].at < cut]
    assert len(compared) > 250
    for key in compared:
        assert now[key].days == pytest.approx(then[key].days), key


def test_windows_follow_the_shop_that_they_are_of(invented):
    """A shop whose parcels are less regular than those learned from, by the same medians."""
    rng = np.random.default_rng(3)
    erratic = [
        (key, replace(row, scans=(), out_for_delivery_at=None,
                      delivered_at=row.handed_over_at + (row.delivered_at - row.handed_over_at) * float(k)))
        for (key, row), k in zip(ROWS, rng.lognormal(0, 0.6, len(ROWS)), strict=True)
    ]  # fmt: skip
    told = looked_back(invented, erratic, asked=range(100, 400))
    inside = [
        forecast.low <= dict(erratic)[key].delivered_at <= forecast.high
        for (key, stage), forecast in told.items()
        if stage == "handed_over" and key > 250
    ]
    first = [
        (forecast.high - forecast.low) / forecast.median
        for (key, stage), forecast in told.items()
        if stage == "handed_over" and key < 120
    ]
    later = [
        (forecast.high - forecast.low) / forecast.median
        for (key, stage), forecast in told.items()
        if stage == "handed_over" and key > 350
    ]
    assert np.mean(later) > 1.3 * np.mean(first)
    assert 0.65 < np.mean(inside) < 0.95


def test_parcels_under_way_are_among_them_unless_hardly_any_takes_that_long(invented):
    lost = ROWS[260][0]
    rows = [(key, replace(row, delivered_at=None) if key == lost else row) for key, row in ROWS]
    now = ROWS[265][1].placed_at
    assert (lost, "handed_over") in looked_back(
        invented, rows, now=ROWS[260][1].handed_over_at + timedelta(1)
    )
    assert all(forecast.at < now for forecast in looked_back(invented, rows, now=now).values())
    assert (lost, "handed_over") not in looked_back(invented, rows, now=now + timedelta(days=60))
    assert looked_back(invented, rows, asked=[]) == {}


def test_a_model_tells_what_it_may_have_seen():
    model, _ = fit(Table.of(SHOP), config=SMALL)
    since = Hindsight(model).unseen_since
    ended = max(row.delivered_at for row in SHOP)
    assert max(row.placed_at for row in SHOP) <= since <= ended
    model.meta["invented"] = True
    assert Hindsight(model).unseen_since is None

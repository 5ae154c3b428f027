from __future__ import annotations

import pickle
import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from skops import io as skops_io
from skops.io.exceptions import UntrustedTypesFoundException

from ml.delivery.fitting import NotTrainable, fit
from ml.delivery.model import DeliveryModel, load_model
from ml.delivery.table import Table
from ml.types import Consignment, Outcome
from tests.ml.delivery.shop import SMALL, START, deliveries, known_at

SHOP = deliveries()
TODAY = START + timedelta(hours=3 * len(SHOP))


@pytest.fixture(scope="module")
def model():
    return fit(Table.of(SHOP), config=SMALL)[0]


def open_row(**fields):
    defaults: dict[str, Any] = {
        **{
            "placed_at": TODAY,
            "carrier": "Swift",
            "service": "standard",
            "region": "south",
            "seller": "brisk",
            "country": "GB",
        },
        **{"promised_at": TODAY + timedelta(days=6)},
    }
    return known_at(SHOP, Consignment(**defaults | fields), TODAY)


def days(forecast):
    return (forecast.likely - forecast.at) / timedelta(days=1)


def width(forecast):
    return forecast.high - forecast.low


def test_it_learns_who_is_slow(model):
    swift, slow, unknown = model.forecast_many(
        [
            open_row(handed_over_at=TODAY),
            open_row(handed_over_at=TODAY, carrier="Slow", region="north"),
            open_row(handed_over_at=TODAY, carrier="Nobody", region="", seller=""),
        ],
        now=TODAY,
    )
    assert 1.5 < days(swift) < 2.5
    assert 5 < days(slow) < 7
    assert 1 < days(unknown) < 7
    assert {swift.stage, slow.stage} == {"handed_over"}


def test_a_seller_who_takes_long_is_a_reason(model):
    tardy, brisk = model.forecast_many([open_row(seller="tardy"), open_row()], now=TODAY)
    assert days(tardy) > days(brisk) + 1
    reason = next(reason for reason in tardy.reasons if reason.code == "seller")
    assert reason.direction == "later"
    assert reason.days > 0.5
    assert len(tardy.reasons) <= 3


def test_what_happens_later_is_not_seen(model):
    """At purchase nobody knows the carrier, and a finished delivery looks like one that has just begun."""
    row = open_row()
    later = replace(
        row,
        carrier="Slow",
        paid_at=TODAY + timedelta(hours=1),
        handed_over_at=TODAY + timedelta(days=1),
        scans=(TODAY + timedelta(days=2),),
        out_for_delivery_at=TODAY + timedelta(days=3),
        delivered_at=TODAY + timedelta(days=3.2),
    )
    assert model.forecast(later, now=TODAY) == model.forecast(row, now=TODAY)


def test_windows_hold_what_they_say(model):
    fresh = deliveries(600, seed=2)
    inside = {0.8: 0, 0.9: 0}
    for row in fresh[::3]:
        now = row.handed_over_at
        forecast = model.forecast(known_at(SHOP, row, now), now=now)
        for share in inside:
            given = replace(forecast, confidence=share)
            inside[share] += given.low <= row.delivered_at <= given.high
    assert 0.68 < inside[0.8] / 200 < 0.92
    assert 0.78 < inside[0.9] / 200 < 0.98


def test_an_order_walked_through_its_stages_narrows_and_never_names_the_past(model):
    row = deliveries(5, seed=3)[4]
    moments = [
        row.placed_at,
        row.paid_at,
        row.handed_over_at,
        row.scans[1] + timedelta(minutes=1),
        row.out_for_delivery_at,
    ]
    forecasts = [model.forecast(known_at(SHOP, row, now), now=now) for now in moments]
    stages = [forecast.stage for forecast in forecasts]
    assert stages == ["placed", "paid", "handed_over", "in_transit", "out_for_delivery"]
    for forecast in forecasts:
        assert forecast.at < forecast.low <= forecast.likely <= forecast.high
        assert list(forecast.days) == sorted(forecast.days)
    assert width(forecasts[0]) > width(forecasts[2]) > width(forecasts[3]) > width(forecasts[4])


def test_what_has_not_arrived_by_now_arrives_later(model):
    row = open_row(handed_over_at=TODAY - timedelta(days=1), placed_at=TODAY - timedelta(days=2))
    likely = []
    for waited in np.linspace(0, 4, 9):
        now = TODAY + timedelta(days=float(waited))
        forecast = model.forecast(row, now=now)
        assert now < forecast.low
        assert forecast.chance_by(now) == 0
        likely.append(forecast.likely)
    assert likely[-1] > likely[0]
    assert model.forecast(row, now=TODAY + timedelta(days=90)) is None


def test_the_chance_of_a_day_agrees_with_the_window(model):
    forecast = model.forecast(open_row(), now=TODAY)
    assert forecast.chance_by(forecast.likely) == pytest.approx(0.5)
    # of five parcels that miss the window, one comes before it and four after it
    assert forecast.chance_by(forecast.low) == pytest.approx(0.04)
    assert forecast.chance_by(forecast.high) == pytest.approx(0.84)
    assert forecast.score(TODAY + timedelta(days=forecast.median)) == pytest.approx(0, abs=1e-6)


def outcome(given, score, *, arrived=True):
    return Outcome("handed_over", "south", given, given + timedelta(days=2) if arrived else None, score)


def test_parcels_that_outlive_their_windows_widen_those_of_today_before_they_arrive(model):
    row, rng = open_row(handed_over_at=TODAY), np.random.default_rng(6)
    usual = [outcome(TODAY, float(score)) for score in rng.normal(0, 0.5, 300)]
    stuck = [outcome(TODAY, 5.0, arrived=False) for _ in range(150)]
    just_sent = [outcome(TODAY, -3.0, arrived=False) for _ in range(150)]
    calm, strike, busy = (
        model.recalibrated(seen).forecast(row, now=TODAY)
        for seen in (usual, usual + stuck, usual + just_sent)
    )
    assert width(strike) > 1.5 * width(calm)
    assert strike.likely > calm.likely
    assert width(busy) == pytest.approx(width(calm), rel=0.05)


def test_a_rush_of_new_estimates_does_not_hide_how_late_parcels_can_be(model):
    row, rng = open_row(handed_over_at=TODAY), np.random.default_rng(8)
    past = [
        outcome(TODAY - timedelta(days=float(age)), float(score))
        for age, score in zip(rng.uniform(5, 40, 2000), rng.normal(0, 2, 2000), strict=True)
    ]
    rush = [outcome(TODAY - timedelta(minutes=at), -3.0, arrived=False) for at in range(3000)]
    usual, rushed = (model.recalibrated(seen).forecast(row, now=TODAY) for seen in (past, past + rush))
    assert width(rushed) == pytest.approx(width(usual), rel=0.15)


def test_windows_follow_how_the_latest_estimates_fell_out(model):
    assert model.recalibrated([]) is model
    row = open_row(handed_over_at=TODAY)
    before = model.forecast(row, now=TODAY)
    rng = np.random.default_rng(4)
    wild = [
        outcome(TODAY + timedelta(hours=float(hours)), float(score))
        for hours, score in zip(range(300), rng.normal(0, 4, 300), strict=True)
    ]
    after = model.recalibrated(wild).forecast(row, now=TODAY)
    assert width(after) > 2 * width(before)
    assert abs(days(after) - days(before)) < 0.5 * days(before)
    assert (after.median, after.below, after.above) == (before.median, before.below, before.above)


def test_a_window_too_wide_to_plan_with_says_so(model):
    row = open_row(handed_over_at=TODAY)
    assert not model.forecast(row, now=TODAY).too_wide
    lost = [outcome(TODAY, score) for score in np.linspace(-600, 600, 900)]
    assert model.recalibrated(lost).forecast(row, now=TODAY).too_wide


def test_saving_and_loading_keeps_every_answer(model, tmp_path):
    path = tmp_path / "new" / "delivery.skops"
    model.save(path)
    loaded = DeliveryModel.load(path)
    rows = [open_row(), open_row(handed_over_at=TODAY), open_row(extra={"floor": 2.0, "box": "green"})]
    assert [round(days(f), 4) for f in loaded.forecast_many(rows, now=TODAY)] == [
        round(days(f), 4) for f in model.forecast_many(rows, now=TODAY)
    ]
    assert width(loaded.forecast(rows[0], now=TODAY)) / width(model.forecast(rows[0], now=TODAY)) == (
        pytest.approx(1, abs=1e-4)
    )
    assert (loaded.version, loaded.meta, loaded.config) == (model.version, model.meta, SMALL)
    assert [p.name for p in path.parent.iterdir()] == ["delivery.skops"]


def test_a_file_with_foreign_types_is_refused(tmp_path):
    path = tmp_path / "delivery.skops"
    foreign = {"format": 4, "meta": {}, "families": partial(print, "run me")}
    skops_io.dump(foreign, path)
    with pytest.raises(UntrustedTypesFoundException):
        DeliveryModel.load(path)
    path.write_bytes(pickle.dumps({"format": 1}))
    with pytest.raises(zipfile.BadZipFile):
        DeliveryModel.load(path)


def test_the_shops_own_model_comes_before_the_shipped_one(model, tmp_path):
    own, shipped = tmp_path / "own.skops", tmp_path / "shipped.skops"
    assert load_model(own, shipped=shipped) is None
    model.save(shipped)
    assert load_model(own, shipped=shipped).version == model.version
    fit(Table.of(deliveries(200, seed=9)), config=SMALL)[0].save(own)
    assert load_model(own, shipped=shipped).version != model.version


def test_too_few_deliveries_are_refused_in_a_sentence():
    with pytest.raises(NotTrainable, match="There are 3 finished deliveries"):
        fit(Table.of(deliveries(3)))
    with pytest.raises(NotTrainable, match="There are 0"):
        fit(Table.of([open_row() for _ in range(500)]))


def test_orders_without_hand_over_or_anything_else_still_make_a_model():
    rows = [Consignment(placed_at=row.placed_at, delivered_at=row.delivered_at) for row in deliveries(200)]
    model = fit(Table.of(rows), config=SMALL)[0]
    assert list(model.families) == ["before"]
    assert 3 < days(model.forecast(open_row(), now=TODAY)) < 8
    assert model.forecast(open_row(handed_over_at=TODAY), now=TODAY).stage == "handed_over"


def test_the_same_rows_give_the_same_version():
    first, again = (fit(Table.of(deliveries(200)), config=SMALL)[0] for _ in range(2))
    assert first.version == again.version
    assert first.forecast(open_row(), now=TODAY) == again.forecast(open_row(), now=TODAY)


def test_a_level_that_shifted_is_followed_before_anything_is_learned_again(model):
    """Deliveries take half as long as those that the model learned from; it is told so by the past alone."""
    quick = deliveries(400, seed=5, faster=2.0)
    row = replace(quick[-1], handed_over_at=None)
    now = row.placed_at
    usual, shifted = (
        model.forecast(known_at(rows, row, now), now=now) for rows in (deliveries(400, seed=5), quick)
    )
    assert days(shifted) < 0.75 * days(usual)


def test_few_rows_are_told_the_same_as_many(model):
    rows = [
        open_row(seller=seller, placed_at=TODAY - timedelta(hours=hour))
        for hour in range(60)
        for seller in ("tardy", "brisk", "new")
    ]
    many = model.forecast_many(rows, now=TODAY)
    one_by_one = [model.forecast(row, now=TODAY) for row in rows]
    assert [f.days for f in many] == [pytest.approx(f.days) for f in one_by_one]
    assert [f.reasons for f in many] == [f.reasons for f in one_by_one]

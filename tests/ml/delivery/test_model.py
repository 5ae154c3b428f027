from __future__ import annotations

import pickle
import zipfile
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from skops import io as skops_io
from skops.io.exceptions import UntrustedTypesFoundException

from ml.delivery.features import Encoder, distance_km
from ml.delivery.history import running_means
from ml.delivery.model import Config, DeliveryModel, NotTrainable, condition, load_model
from ml.delivery.training import card, train
from ml.types import Consignment, Quantiles

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
SMALL = Config(iterations=40, smallest_leaf=10)


def deliveries(count=900, seed=1):
    """Swift takes about 2 days from hand-over, Slow about 6; handling takes about 1."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        placed = START + timedelta(hours=3 * index)
        handed_over = placed + timedelta(days=float(rng.gamma(4, 0.25)))
        slow = bool(rng.random() < 0.5)
        days = (6 if slow else 2) * float(rng.lognormal(0, 0.15))
        rows.append(
            Consignment(
                placed_at=placed,
                handed_over_at=handed_over,
                delivered_at=handed_over + timedelta(days=days),
                promised_at=placed + timedelta(days=6),
                carrier="Slow" if slow else "Swift",
                region="north" if slow else "south",
                extra={"floor": float(rng.integers(5)), "box": "red" if slow else "blue"},
            )
        )
    return rows


@pytest.fixture(scope="module")
def model():
    return DeliveryModel(SMALL).fit(deliveries())


def open_row(**fields):
    defaults: dict[str, Any] = {"placed_at": START, "carrier": "Swift", "region": "south"}
    return Consignment(**defaults | fields)


def test_it_learns_who_is_slow(model):
    handed_over = START + timedelta(days=1)
    swift, slow, unknown = model.predict(
        [
            open_row(handed_over_at=handed_over),
            open_row(handed_over_at=handed_over, carrier="Slow", region="north"),
            open_row(handed_over_at=handed_over, carrier="Nobody", region=""),
        ]
    )
    assert 1.5 < swift.median < 2.5
    assert 5 < slow.median < 7
    assert unknown.low <= unknown.median <= unknown.high


def test_at_purchase_it_does_not_see_the_carrier(model):
    one, other = model.predict([open_row(carrier="Swift"), open_row(carrier="Slow")])
    assert one == other
    assert 2 < one.median < 4


def test_quantiles_never_cross_and_cover_what_they_say(model):
    fresh = deliveries(600, seed=2)
    found = model.predict(fresh)
    truth = [(row.delivered_at - row.handed_over_at).total_seconds() / 86_400 for row in fresh]
    assert all(0 < q.low <= q.median <= q.high for q in found)
    inside = np.mean([q.low <= days <= q.high for q, days in zip(found, truth, strict=True)])
    assert 0.84 < inside < 0.97


def test_saving_and_loading_keeps_every_answer(model, tmp_path):
    path = tmp_path / "new" / "delivery.skops"
    model.save(path)
    loaded = DeliveryModel.load(path)
    rows = [*deliveries(20, seed=3), open_row(), open_row(extra={"floor": 2.0, "box": "green"})]
    assert loaded.predict(rows) == model.predict(rows)
    assert (loaded.version, loaded.meta, loaded.config) == (model.version, model.meta, SMALL)
    assert [p.name for p in path.parent.iterdir()] == ["delivery.skops"]


def test_a_file_with_foreign_types_is_refused(tmp_path):
    path = tmp_path / "delivery.skops"
    foreign = {"format": 2, "meta": {}, "stages": partial(print, "run me")}
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
    found = load_model(own, shipped=shipped)
    assert found
    assert found.version == model.version
    DeliveryModel(SMALL).fit(deliveries(seed=9)).save(own)
    other = load_model(own, shipped=shipped)
    assert other
    assert other.version != model.version


def test_what_has_not_arrived_by_now_arrives_later(model):
    row = open_row(handed_over_at=START)
    first = model.predict([row])[0]
    assert model.remaining(row, elapsed=0) == first
    for elapsed in np.linspace(0, first.high * 0.99, 30):
        left = model.remaining(row, elapsed=float(elapsed))
        assert left is not None
        assert elapsed < left.low <= left.median <= left.high
    assert model.remaining(row, elapsed=first.high + 0.01) is None


def test_a_forecast_lies_ahead_and_says_the_chance_of_a_day(model):
    now = START + timedelta(days=1)
    forecast = model.forecast(open_row(handed_over_at=START), now=now)
    assert forecast
    assert now < forecast.low <= forecast.likely <= forecast.high
    assert forecast.chance_by(now) == 0
    assert forecast.chance_by(forecast.likely) == pytest.approx(0.5)
    assert forecast.quantile(0.9) == forecast.high
    assert forecast.score(forecast.likely) == pytest.approx(0, abs=1e-6)
    assert model.forecast(open_row(handed_over_at=START), now=START + timedelta(days=90)) is None


def test_conditioning_moves_every_quantile_on_and_not_back():
    quantiles = Quantiles(2, 4, 8)
    assert condition(quantiles, -1) == quantiles
    earlier = quantiles
    for elapsed in (0.5, 2, 3, 4, 6, 7.9):
        now = condition(quantiles, elapsed)
        assert now
        assert now.low >= earlier.low
        assert now.median >= earlier.median
        assert now.high >= earlier.high
        earlier = now
    # half of what is left at the median arrives by the three-quarter point of the curve
    at_median = condition(quantiles, 4)
    assert at_median
    assert at_median.median == pytest.approx(4 + 4 * 0.25 / 0.45)


def test_too_few_deliveries_are_refused_in_a_sentence():
    with pytest.raises(NotTrainable, match="There are 3 finished deliveries"):
        DeliveryModel().fit(deliveries(3))
    unfinished = [open_row() for _ in range(500)]
    with pytest.raises(NotTrainable, match="There are 0"):
        train(unfinished, data="none")


def test_orders_without_hand_over_still_make_a_model():
    rows = [
        Consignment(placed_at=row.placed_at, delivered_at=row.delivered_at, region=row.region)
        for row in deliveries(200)
    ]
    model = DeliveryModel(SMALL).fit(rows)
    assert list(model.stages_) == ["purchase"]
    assert model.predict([open_row(handed_over_at=START)])[0].median > 0


def test_a_model_says_what_it_was_trained_on_and_how_well_it_does():
    model = train(deliveries(), data="deliveries made up for a test", config=SMALL)
    purchase, handover = model.meta["scores"]["purchase"], model.meta["scores"]["handover"]
    assert handover["mae"] < purchase["mae"] < purchase["median_mae"]
    assert handover["test_orders"] == 180
    assert purchase["mae_interval"][0] < purchase["mae"] < purchase["mae_interval"][1]
    text = card(model)
    assert model.version in text
    assert model.meta["data_sha256"] in text
    assert "deliveries made up for a test" in text


def test_the_same_rows_give_the_same_version():
    assert (
        DeliveryModel(SMALL).fit(deliveries(200)).version == DeliveryModel(SMALL).fit(deliveries(200)).version
    )


def test_histories_know_only_what_had_ended():
    starts = np.array([0.0, 1.0, 5.0, 20.0])
    ends = np.array([4.0, 11.0, 6.0, 21.0])
    means, _ = running_means(["a", "a", "b", "a"], starts, ends)
    assert np.isnan(means[:2]).all()  # nothing had ended yet
    assert means[2] == pytest.approx(4.0)  # only the first, of another key
    assert 4.0 < means[3] < 10.0


def test_a_row_looks_the_same_to_training_and_to_serving_after_it():
    rows = deliveries(120)
    encoder = Encoder("handover")
    trained = encoder.fit_transform(rows)
    served = encoder.transform(rows)
    plain = [index for index, name in enumerate(encoder.names) if not name.endswith("_mean")]
    np.testing.assert_array_equal(trained[:, plain], served[:, plain])
    assert "weight_g" not in encoder.names  # unknown throughout
    assert {"floor", "box", "box_mean", "carrier"} <= set(encoder.names)


def test_distance_is_that_of_the_great_circle():
    assert distance_km(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=0.5)
    assert distance_km(1, 1, 1, 1) == 0
    assert np.isnan(distance_km(None, 1, 1, 1))

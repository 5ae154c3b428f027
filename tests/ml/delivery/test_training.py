from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from ml.delivery import plots
from ml.delivery.card import card
from ml.delivery.fitting import fit
from ml.delivery.past import Walk
from ml.delivery.stages import moments, usable
from ml.delivery.table import Table
from ml.delivery.training import train
from tests.ml.delivery.shop import SMALL, deliveries, known_at

SHOP = deliveries()


@pytest.fixture(scope="module")
def trained():
    return train(Table.of(SHOP), data="deliveries made up for a test", config=SMALL)


def test_a_model_says_what_it_was_trained_on_and_how_well_it_does(trained, tmp_path):
    scores, purchase = trained.model.meta["scores"], trained.model.meta["purchase"]
    assert set(scores) >= {"placed", "handed_over", "in_transit", "out_for_delivery"}
    assert scores["out_for_delivery"]["mae"] < scores["handed_over"]["mae"] < scores["placed"]["mae"]
    assert purchase["mae_interval"][0] < purchase["mae"] < purchase["mae_interval"][1]
    assert purchase["mae"] < purchase["median_mae"]
    assert 0.6 < purchase["coverage80"] < 0.95
    text = card(trained.model, picture="delivery.png")
    assert trained.model.version in text
    assert trained.model.meta["data_sha256"] in text
    assert "deliveries made up for a test" in text
    assert "| out for delivery |" in text
    plots.importance(trained.importance, tmp_path / "delivery.png")
    assert (tmp_path / "delivery.png").read_bytes().startswith(b"\x89PNG")


def test_what_matters_most_is_what_decides_in_this_shop(trained):
    before, after = (list(trained.importance[family]) for family in ("before", "after"))
    assert any(name.startswith(("region", "extra.box", "route")) for name in before[:3])
    assert any(name.startswith(("carrier", "region", "extra.box", "since_loaded")) for name in after[:3])


def test_the_first_model_only_has_to_beat_the_median(trained):
    assert trained.verdict.better
    assert "no model was in use" in trained.verdict.why


def test_a_model_that_learned_nothing_is_refused():
    rng = np.random.default_rng(3)
    ends = [row.delivered_at - row.placed_at for row in SHOP]
    rng.shuffle(ends)  # nothing that is known of an order says how long it takes
    rows = [
        replace(
            row, handed_over_at=None, scans=(), out_for_delivery_at=None, delivered_at=row.placed_at + end
        )
        for row, end in zip(SHOP, ends, strict=True)
    ]
    noisy = replace(SMALL, iterations=300, smallest_leaf=5, leaves=31)
    verdict = train(Table.of(rows), data="noise", config=noisy).verdict
    assert not verdict.better
    assert "no better than the median" in verdict.why


def test_a_model_in_use_is_replaced_only_by_a_better_one():
    earlier, table = Table.of(SHOP[:450]), Table.of(SHOP)
    weak = fit(earlier, config=replace(SMALL, iterations=1))[0]
    verdict = train(table, data="more", current=weak, config=SMALL).verdict
    assert verdict.better
    assert weak.version in verdict.why
    strong = fit(earlier, config=SMALL)[0]
    verdict = train(table, data="more", current=strong, config=replace(SMALL, iterations=3)).verdict
    assert not verdict.better
    assert "is not at most the" in verdict.why


def test_without_new_deliveries_nothing_is_decided(trained):
    verdict = train(Table.of(SHOP), data="the same", current=trained.model, config=SMALL).verdict
    assert not verdict.better
    assert "0 deliveries were placed since" in verdict.why


def test_of_the_latest_orders_only_fast_parcels_have_arrived_and_nobody_falls_for_it():
    """A shop in a rush: two thirds of its orders came within six days; what has not arrived is open."""
    calm = deliveries(300)
    now = calm[-1].placed_at + timedelta(days=6)
    hours = np.random.default_rng(2).uniform(0, 6 * 24, 600)
    rush = [
        _moved(row, now - timedelta(hours=float(ago)))
        for row, ago in zip(deliveries(600, seed=4), np.sort(hours)[::-1], strict=True)
    ]
    rows = [_known_by(row, now) for row in sorted([*calm, *rush], key=lambda row: row.placed_at)]
    table, past = Table.of(rows), Walk(Table.of(rows))
    model, trial = fit(table, config=SMALL, past=past)
    settled = table.floats("placed_at") < trial.until
    assert np.isfinite(table.floats("delivered_at")[settled]).mean() > 0.95
    assert all(cut < trial.until for cut in trial.cuts)
    fresh = [known_at(rows, replace(row, handed_over_at=None), now) for row in rush[-60:]]
    said = [model.forecast(replace(row, placed_at=now, paid_at=None), now=now) for row in fresh]
    likely = np.mean([(forecast.likely - now) / timedelta(days=1) for forecast in said])
    truth = np.mean([(row.delivered_at - row.placed_at) / timedelta(days=1) for row in rush])
    assert likely > 0.8 * truth


def test_at_any_age_slow_orders_are_as_frequent_among_the_moments_as_among_those_that_wait():
    rows = deliveries(3000)
    table = Table.of(rows)
    who, moment = moments(table, usable(table, "after"), "after", np.random.default_rng(3))
    handed, ended = table.floats("handed_over_at"), table.floats("delivered_at")
    age, slow = moment - handed[who], (ended - handed)[who] > 4
    early = (age > 0.1) & (age < 1.2)  # when nobody's parcel has arrived yet, half of which are slow
    assert 0.45 < slow[early].mean() < 0.55


def _moved(row, placed):
    by = placed - row.placed_at
    times = ("placed_at", "paid_at", "handed_over_at", "out_for_delivery_at", "delivered_at", "promised_at")
    moved = {name: getattr(row, name) + by for name in times}
    return replace(row, **moved, scans=tuple(at + by for at in row.scans))


def _known_by(row, now):
    times = ("paid_at", "handed_over_at", "out_for_delivery_at", "delivered_at")
    known = {name: getattr(row, name) if getattr(row, name) < now else None for name in times}
    return replace(row, **known, scans=tuple(at for at in row.scans if at < now))

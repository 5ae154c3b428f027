from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.delivery import plots
from ml.delivery.card import card
from ml.delivery.fitting import fit
from ml.delivery.table import Table
from ml.delivery.training import train
from tests.ml.delivery.shop import SMALL, deliveries

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

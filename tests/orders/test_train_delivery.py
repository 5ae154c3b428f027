from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ml.delivery.model import DeliveryModel

pytestmark = pytest.mark.django_db


def test_a_shop_trains_its_own_model_from_its_tables(tmp_path):
    call_command("seed_demo", customers=150, orders=450, verbosity=0)
    out, path = StringIO(), tmp_path / "delivery.skops"
    call_command("train_delivery", source="demo", out=path, stdout=out)
    model = DeliveryModel.load(path)
    assert set(model.stages_) == {"purchase", "handover"}
    assert model.version in out.getvalue()
    card = path.with_suffix(".md").read_text()
    assert "finished deliveries of this shop (demo)" in card
    assert model.meta["data_sha256"] in card


def test_without_deliveries_nothing_is_written(tmp_path):
    path = tmp_path / "delivery.skops"
    with pytest.raises(CommandError, match="There are 0 finished deliveries"):
        call_command("train_delivery", out=path)
    assert not path.exists()


def test_the_shipped_model_is_small_and_learned_from_no_real_order(settings):
    path = settings.ARTIFACTS / "delivery.skops"
    assert path.stat().st_size < 5_000_000
    model = DeliveryModel.load(path)
    assert model.meta["data"].startswith("40000 orders of the built-in simulator")
    for stage in ("purchase", "handover"):
        scores = model.meta["scores"][stage]
        assert 0.87 < scores["coverage90"] < 0.94
        assert scores["mae"] < scores["median_mae"]
    assert model.version in path.with_suffix(".md").read_text()

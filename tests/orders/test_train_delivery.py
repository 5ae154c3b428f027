from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ml.delivery.hindsight import Hindsight
from ml.delivery.model import DeliveryModel
from orders.hindsight import look_back
from orders.management.commands.seed_demo import seed
from orders.models import GivenEstimate
from orders.simulator import Plan

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def test_a_shop_trains_its_own_model_from_its_tables_and_keeps_it_until_there_is_news(tmp_path):
    seed(Plan(customers=150, orders=450), now=NOW)
    out, path = StringIO(), tmp_path / "delivery.skops"
    call_command("train_delivery", source="demo", out=path, stdout=out)
    model = DeliveryModel.load(path)
    assert set(model.families) == {"before", "after"}
    assert model.version in out.getvalue()
    card = path.with_suffix(".md").read_text()
    assert "deliveries of this shop (demo)" in card
    assert model.meta["data_sha256"] in card
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert look_back(Hindsight(model), now=NOW) == 0  # it has seen how they all fell out
    assert not GivenEstimate.objects.exists()
    with pytest.raises(CommandError, match="stays as it is"):
        call_command("train_delivery", source="demo", out=path, stdout=out)
    assert "0 deliveries were placed since" in out.getvalue()


def test_without_deliveries_nothing_is_written(tmp_path):
    path = tmp_path / "delivery.skops"
    with pytest.raises(CommandError, match="There are 0 finished deliveries"):
        call_command("train_delivery", out=path, stdout=StringIO())
    assert not path.exists()


def test_the_shipped_model_is_small_and_learned_from_no_real_order(settings):
    path = settings.ARTIFACTS / "delivery.skops"
    assert path.stat().st_size < 5_000_000
    model = DeliveryModel.load(path)
    assert model.meta["data"].startswith("20000 orders of the built-in simulator")
    assert Hindsight(model).unseen_since is None
    for scores in model.meta["scores"].values():
        assert 0.85 < scores["coverage90"] < 0.96
    assert model.meta["purchase"]["mae"] < model.meta["purchase"]["median_mae"]
    assert model.version in path.with_suffix(".md").read_text()

"""A shop that has just brought its orders finds figures on the Estimates page: what would have been said."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Thread

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from emails import tasks
from emails.models import Draft
from ml.delivery.hindsight import Hindsight
from ml.delivery.model import load_model
from ml.delivery.table import days_of
from orders import hindsight, record
from orders.hindsight import look_back
from orders.models import GivenEstimate, Order, Status, TrackingEvent
from tests import factories

pytestmark = pytest.mark.django_db
PAST = GivenEstimate.Channel.PAST
HEADER = (
    "order_number,status,currency,placed_at,paid_at,promised_at,customer_email,customer_first_name,postcode,"
    "timezone,item_name,item_price,item_quantity,carrier,handed_over_at,delivered_at"
)


@pytest.fixture(scope="module")
def model():
    return load_model(settings.ARTIFACTS / "none.skops", shipped=settings.ARTIFACTS / "delivery.skops")


@pytest.fixture
def watch(monkeypatch, model):
    """What a mail worker does once a minute; nothing is watched here, only looked back on."""
    monkeypatch.setattr(tasks, "hindsight", lambda: Hindsight(model))
    monkeypatch.setattr(tasks, "mail_tools", lambda: (None, None))
    return tasks.watch_estimates


@pytest.fixture
def page():
    client = Client()
    client.force_login(factories.staff_user("Nina", is_superuser=True))
    return lambda query="": client.get(f"/desk/estimates/{query}")


@pytest.fixture
def imported(tmp_path):
    """The orders of forty days, one every six hours, brought by `import_orders`."""

    def run(*, days: int = 40, take: float = 3.0) -> None:
        now = timezone.now()
        lines = [HEADER]
        for n in range(days * 4):
            placed = now - timedelta(hours=6 * n + 1)
            sent, came = placed + timedelta(days=1), placed + timedelta(days=take + n % 5 / 2)
            status = "delivered" if came < now else "shipped" if sent < now else "processing"
            times = [at.isoformat(timespec="seconds") if at < now else "" for at in (sent, came)]
            promise = (placed + timedelta(days=5)).isoformat(timespec="seconds")
            at = placed.isoformat(timespec="seconds")
            lines.append(
                f"A-{n},{status},GBP,{at},{at},{promise},ada{n}@mail.example,Ada,LS1 4DY,Europe/London,"
                f"kettle,39.00,1,Northline,{','.join(times)}"
            )
        path = tmp_path / "orders.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        call_command("import_orders", str(path), format="csv", verbosity=0)

    return run


def rows():
    return list(GivenEstimate.objects.order_by("pk").values())


def test_a_demo_shop_has_figures_within_the_first_minute(watch, page):
    call_command("seed_demo", customers=120, orders=300, verbosity=0)
    assert "No estimate of this kind has been scored yet" in page().content.decode()
    watch()
    shown = page()
    score, text = shown.context["score"], shown.content.decode()
    assert score.count == score.looked_back > 200
    assert f"All {score.count} of these estimates were looked back on, not given" in " ".join(text.split())
    assert score.error < score.promise_error
    assert 0.7 < score.coverage < 0.99
    for stage in ("packing", "carrier", "van"):
        assert page(f"?stage={stage}").context["score"].count > 30
    assert len(shown.context["series"]["days"]) > 8
    assert [group.name for group in shown.context["tables"][0][2]]
    # by stage, each is of its beginning and never of a time that had passed
    stages = set(GivenEstimate.objects.values_list("stage", flat=True))
    assert stages == {"placed", "paid", "handed_over", "in_transit", "out_for_delivery"}
    for row in GivenEstimate.objects.filter(likely_day__isnull=False):
        assert row.first_day
        assert row.first_day >= row.given_at.date() - timedelta(days=1)
        assert row.arrived_at is None or row.given_at < row.arrived_at
        # nobody knows at purchase who will carry it
        assert (row.carrier == "") == (row.stage in ("placed", "paid"))


def test_an_imported_shop_has_figures_and_a_second_run_adds_none(watch, page, imported):
    imported()
    watch()
    before = rows()
    assert page().context["score"].count > 100
    watch()
    imported()
    watch()
    assert rows() == before


def test_nobody_is_told(watch, page, imported, model):
    imported(take=9)  # most arrive after the promised day
    watch()
    assert GivenEstimate.objects.filter(kind="late").exists()
    assert not Draft.objects.exists()
    assert not Order.objects.filter(watched_at__isnull=False).exists()
    waited_for = Order.objects.filter(status=Status.SHIPPED, estimates__isnull=False).first()
    assert waited_for
    assert record.latest_of([waited_for]) == {}
    desk = Client()
    desk.force_login(factories.staff_user("Nils", is_superuser=True))
    assert b"looked back on" not in desk.get(f"/desk/orders/order/{waited_for.pk}/change/").content


def test_an_order_of_which_something_was_said_is_left_out(watch, imported, model):
    imported()
    said = Order.objects.filter(status=Status.DELIVERED).first()
    GivenEstimate.objects.create(
        order=said, given_at=said.placed_at, channel="chat", stage="paid", kind="placed", model="m",
        confidence=0.8, levels=[0.5], days=[1.0], median=1.0, below=1.0, above=1.0,
    )  # fmt: skip
    watch()
    assert [row.channel for row in said.estimates.all()] == ["chat"]
    assert GivenEstimate.objects.filter(channel=PAST).count() > 100


def test_what_is_still_under_way_is_scored_when_it_arrives_and_counts_until_then(watch, imported, model):
    imported()
    watch()
    now = timezone.now()
    parcel = Order.objects.filter(status=Status.SHIPPED).first()
    assert {row.arrived_at for row in parcel.estimates.all()} == {None}
    known = record.outcomes(now=now, model=model.version)
    assert len(known) == GivenEstimate.objects.count()
    assert any(outcome.arrived_at is None for outcome in known)
    assert record.outcomes(now=now, model="another") == []
    from orders.actions import record_event

    record_event(shipment=parcel.shipments.get(), kind=TrackingEvent.Kind.DELIVERED, at=now)
    assert all(row.score is not None and row.arrived_at == now for row in parcel.estimates.all())


def test_a_model_is_not_judged_on_what_it_learned_from(imported, model):
    imported()
    seen = timezone.now() - timedelta(days=20)
    scores = replace(model.calibration.scores, moment=model.calibration.scores.moment * 0 + days_of(seen) - 1)
    own = replace(
        model,
        calibration=type(model.calibration)(scores),
        meta=model.meta | {"invented": False, "placed_until": days_of(seen)},
    )
    assert look_back(Hindsight(own), now=timezone.now()) > 100
    assert not GivenEstimate.objects.filter(order__placed_at__lte=seen).exists()
    learned_all = replace(own, meta=own.meta | {"placed_until": days_of(timezone.now())})
    GivenEstimate.objects.all().delete()
    assert look_back(Hindsight(learned_all), now=timezone.now()) == 0


def test_orders_of_which_nothing_can_be_said_are_asked_about_once(imported, model):
    class Counting(Hindsight):
        def forecasts(self, rows, *, asked, now: datetime, confidence: float):
            asked_about.append(set(asked))
            return super().forecasts(rows, asked=asked, now=now, confidence=confidence)

    asked_about: list[set[int]] = []
    now = timezone.now()
    odd = factories.order(status=Status.DELIVERED, placed_at=now - timedelta(days=9), shipped=False)
    factories.shipment(odd, handed_over_at=now - timedelta(days=12), delivered_at=now - timedelta(days=10))
    assert look_back(Counting(model), now=now) == 0
    assert look_back(Counting(model), now=now) == 0
    assert asked_about == [{odd.pk}]
    imported(days=20)
    assert look_back(Counting(model), now=timezone.now()) > 50
    assert len(asked_about) == 2


def test_a_large_shop_is_asked_about_evenly(monkeypatch, watch, imported):
    monkeypatch.setattr(hindsight, "MOST_ASKED", 60)
    monkeypatch.setattr(hindsight, "MOST_LATELY", 140)
    imported()
    watch()
    orders = Order.objects.filter(estimates__isnull=False).distinct()
    placed = sorted(at for at in orders.values_list("placed_at", flat=True) if at)
    assert 30 < len(placed) <= 60
    newest = Order.objects.order_by("-placed_at")[140].placed_at
    assert newest
    assert newest <= placed[0]
    assert max(after - before for before, after in pairwise(placed)) < timedelta(days=2)
    before = rows()
    watch()
    assert rows() == before


def test_two_workers_at_once_keep_each_estimate_once(imported, model):
    class Overtaken(Hindsight):
        """Another has kept its answers before this one does."""

        def forecasts(self, rows, *, asked, now: datetime, confidence: float):
            told = super().forecasts(rows, asked=asked, now=now, confidence=confidence)
            hindsight._keep(told, since=now - record.LOOKED_BACK)
            kept.extend(rows_kept())
            return told

    def rows_kept():
        return GivenEstimate.objects.order_by("pk").values_list("pk", flat=True)

    kept: list[int] = []
    imported(days=20)
    look_back(Overtaken(model), now=timezone.now())
    assert kept
    assert list(rows_kept()) == kept


@pytest.mark.django_db(transaction=True)
def test_where_a_worker_is_at_it_another_does_nothing(imported, model):
    class Busy(Hindsight):
        def forecasts(self, rows, *, asked, now: datetime, confidence: float):
            other = Thread(target=lambda: found.append(elsewhere()))
            other.start()
            other.join()
            return super().forecasts(rows, asked=asked, now=now, confidence=confidence)

    def elsewhere() -> int:
        try:
            return look_back(Hindsight(model), now=timezone.now())
        finally:
            connection.close()

    found: list[int] = []
    imported(days=20)
    assert look_back(Busy(model), now=timezone.now()) > 0
    assert found == [0]

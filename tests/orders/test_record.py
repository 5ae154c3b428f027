"""An estimate given is a row; the parcel's arrival scores it; the desk shows how it fell out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ml.types import Outcome, Reason
from orders import record
from orders.actions import record_event
from orders.estimates import outlook
from orders.models import GivenEstimate, Status, TrackingEvent
from orders.recalibration import Recalibrating
from tests import factories
from tests.fakes import FakeForecaster, Quantiles

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
Kind = TrackingEvent.Kind
CHAT = GivenEstimate.Channel.CHAT


def told(*, now: datetime = NOW, days: Quantiles | None = None, **fields):
    """An order handed over yesterday, and what was said of it."""
    fields = {
        "placed_at": now - timedelta(days=2),
        "promised_at": now + timedelta(days=4),
        "region": "Kent",
    } | fields
    parcel = factories.order(**fields)
    model = FakeForecaster(days or Quantiles(1.5, 3.0, 5.0), reasons=(Reason("load", 1.25),))
    return parcel, record.note(parcel, outlook(parcel, model=model, now=now), channel=CHAT)


def arrive(parcel, at):
    record_event(shipment=parcel.shipments.get(), kind=Kind.DELIVERED, at=at)


def test_a_row_holds_what_was_said_and_what_by():
    parcel, row = told()
    row.refresh_from_db()
    assert (row.order, row.given_at, row.channel, row.stage, row.kind) == (
        parcel,
        NOW,
        "chat",
        "handed_over",
        "in_transit",
    )
    assert (row.model, row.confidence, row.carrier, row.region) == ("fake-1", 0.8, "Northline", "GB-Kent")
    assert [str(day) for day in (row.first_day, row.likely_day, row.last_day)] == [
        "2026-11-24",
        "2026-11-25",
        "2026-11-27",
    ]
    assert row.days == pytest.approx([0.5, 0.5, 2.0, 4.0, 4.0])
    assert row.told_reasons == [(Reason("load", 1.25), "a busy week at the warehouse")]


@pytest.mark.parametrize(
    ("after", "error", "inside", "late"),
    [(2.5, 0.5, True, False), (0.1, -1.9, False, False), (6.0, 4.0, False, True)],
)
def test_the_arrival_scores_it(after, error, inside, late):
    parcel, row = told()
    arrive(parcel, NOW + timedelta(days=after))
    row.refresh_from_db()
    assert row.arrived_at == NOW + timedelta(days=after)
    assert row.error_days == pytest.approx(error)
    assert (row.in_window, row.was_late) == (inside, late)
    assert row.promise_error_days == pytest.approx(after - 4)
    assert record.outcomes(now=NOW + timedelta(days=9), model="fake-1") == [
        Outcome("handed_over", "GB-Kent", NOW, row.arrived_at, pytest.approx(row.score))
    ]
    assert (row.score > 0) == (error > 0)


def test_news_of_an_arrival_that_was_over_scores_nothing():
    parcel, row = told()
    arrive(parcel, NOW - timedelta(hours=1))
    row.refresh_from_db()
    assert (row.error_days, row.score) == (None, None)
    assert row.arrived_at is not None
    assert record.outcomes(now=NOW + timedelta(days=1), model="fake-1") == []


def test_what_is_still_under_way_counts_as_what_has_passed():
    parcel, _ = told()
    soon, later = (record.outcomes(now=NOW + timedelta(days=passed), model="fake-1") for passed in (1, 9))
    assert [outcome.arrived_at for outcome in (*soon, *later)] == [None, None]
    assert soon[0].score < 0 < later[0].score
    assert record.outcomes(now=NOW, model="fake-1") == []
    parcel.status = Status.EXCEPTION
    parcel.save()
    assert record.outcomes(now=NOW + timedelta(days=9), model="fake-1") == []


def test_what_was_too_vague_to_tell_is_kept_and_not_held_against_us():
    parcel, row = told(days=Quantiles(1, 9, 60))
    assert (row.kind, row.likely_day) == ("uncertain", None)
    arrive(parcel, NOW + timedelta(days=3))
    row.refresh_from_db()
    assert (row.error_days, row.in_window) == (None, None)
    assert row.score is not None


def test_nothing_said_is_nothing_kept():
    parcel = factories.order(status=Status.CANCELLED)
    assert record.note(parcel, outlook(parcel, model=FakeForecaster(), now=NOW), channel=CHAT) is None


def test_a_model_learns_how_its_latest_estimates_fell_out(monkeypatch):
    class Model(FakeForecaster):
        def recalibrated(self, outcomes):
            heard.append(len(outcomes))
            return self

    heard: list[int] = []
    model = Recalibrating(Model())
    parcel, _ = told()
    outlook(parcel, model=model, now=NOW)
    arrive(parcel, NOW + timedelta(days=2))
    outlook(factories.order(placed_at=NOW), model=model, now=NOW + timedelta(days=3))
    assert heard == [0]
    monkeypatch.setattr("orders.recalibration.time.monotonic", lambda: 1e12)
    outlook(factories.order(placed_at=NOW), model=model, now=NOW + timedelta(days=3))
    assert heard == [0, 1]


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(factories.staff_user("Nina", is_superuser=True))
    return client


def test_the_desk_shows_error_bias_coverage_and_lateness_beside_the_promise(desk):
    now = timezone.now().replace(hour=12)
    for after in (1.0, 2.5, 2.5, 2.5, 6.0):
        start = now - timedelta(days=10)
        parcel, _ = told(now=start)
        arrive(parcel, start + timedelta(days=after))
    page = desk.get("/desk/estimates/")
    score = page.context["score"]
    assert (score.count, score.promises) == (5, 5)
    assert score.error == pytest.approx((1 + 0.5 * 3 + 4) / 5)
    assert score.bias == pytest.approx((-1 + 0.5 * 3 + 4) / 5)
    assert (score.coverage, score.nominal, score.late) == (0.8, 0.8, 0.2)
    assert score.promise_error == pytest.approx((3 + 1.5 * 3 + 2) / 5)
    assert sum(page.context["series"]["count"]) == 5
    text = page.content.decode()
    for shown in (
        "the shop’s promise: 1.90",
        "+0.90",
        "80<small>%",
        "Northline",
        "GB-Kent",
        "estimate-series",
    ):
        assert shown in text
    assert desk.get("/desk/estimates/?stage=packing&days=14").context["score"].count == 0


def test_the_page_without_a_record_and_for_strangers(desk):
    assert (
        "No estimate of this kind has been scored yet"
        in desk.get("/desk/estimates/?days=x&stage=y").content.decode()
    )
    assert Client().get("/desk/estimates/").status_code == 302


def test_staff_see_the_window_the_chance_and_the_reasons_of_an_order(desk):
    parcel, _ = told(now=timezone.now())
    conversation = factories.conversation(of=parcel.customer)
    factories.message(conversation)
    beside = desk.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    assert "A busy week at the warehouse" in beside
    assert "+1.25 d" in beside
    assert "80% sure" in beside
    page = desk.get(f"/desk/orders/order/{parcel.pk}/change/").content.decode()
    assert "a busy week at the warehouse +1.2 d" in page or "a busy week at the warehouse +1.3 d" in page

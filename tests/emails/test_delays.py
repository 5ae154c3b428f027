"""An estimate that comes to miss the promise: the customer hears of it first from us, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emails import delays, drafts
from emails.models import Draft
from ml.types import Reason
from orders.actions import record_event
from orders.models import GivenEstimate, Order, TrackingEvent
from orders.watch import EVERY
from tests import factories
from tests.emails.conftest import NOW
from tests.fakes import FakeForecaster, Quantiles

pytestmark = pytest.mark.django_db
SOON = FakeForecaster(Quantiles(4.0, 5.0, 6.0))  # from the hand-over on Thursday: Tuesday
LATE = FakeForecaster(
    Quantiles(8.0, 9.5, 12.0), reasons=(Reason("route", 3.0),)
)  # Saturday 28th, past Friday


def look(model, now=NOW):
    return delays.run(model=model, now=now)


def later(hours=4):
    return NOW + timedelta(hours=hours)


def test_a_promise_that_comes_to_break_is_told_with_the_new_window(order, writer):
    assert look(SOON) == 0
    assert look(LATE, later()) == 1
    asked = Draft.objects.get()
    assert (asked.kind, asked.order, asked.to) == ("delay_notice", order, "amara@example.com")
    told = {slot: fact["display"] for slot, fact in asked.context["slots"].items()}
    assert told["promised_day"] == "Friday 27 November"
    assert (told["window_start"], told["likely_day"]) == ("Friday 27 November", "Sunday 29 November")
    assert told["reasons"] == "slow going on this route"
    draft = drafts.write(asked.pk, writer=writer, model=None, now=NOW)
    assert draft.state == "draft"
    assert "Sunday 29 November" in draft.body
    kept = GivenEstimate.objects.filter(order=order).order_by("given_at")
    assert [(row.channel, row.breaks_promise) for row in kept] == [("watch", False), ("watch", True)]


def test_it_is_told_once_however_the_window_moves(order):
    look(SOON)
    look(LATE, later(4))
    look(FakeForecaster(Quantiles(10, 12, 14)), later(8))
    look(SOON, later(12))
    assert look(LATE, later(16)) == 0
    assert Draft.objects.count() == 1


def test_what_staff_discarded_stays_discarded(order):
    look(SOON)
    look(LATE, later(4))
    Draft.objects.update(state="discarded")
    look(SOON, later(8))
    assert look(LATE, later(12)) == 0
    assert Draft.objects.get().state == "discarded"


def test_another_promise_is_another_notice(order):
    look(SOON)
    look(LATE, later(4))
    Order.objects.update(promised_at=order.promised_at + timedelta(days=2))
    look(LATE, later(8))
    assert look(FakeForecaster(Quantiles(13, 14, 16)), later(12)) == 1
    assert Draft.objects.count() == 2


def test_an_order_seen_for_the_first_time_is_measured_by_a_promise_still_to_be_kept(order):
    assert look(LATE) == 1
    Draft.objects.all().delete()
    GivenEstimate.objects.all().delete()
    Order.objects.update(watched_at=None, promised_at=NOW - timedelta(days=2))
    assert look(LATE) == 0


def test_nobody_is_looked_at_again_before_their_turn_or_news(order):
    look(SOON)
    SOON.asked.clear()
    look(SOON, later(1))
    assert SOON.asked == []
    record_event(shipment=order.shipments.get(), kind=TrackingEvent.Kind.DEPARTED, at=NOW, place="Leeds")
    look(SOON, later(1))
    assert len(SOON.asked) == 1
    look(SOON, later(1) + EVERY + timedelta(minutes=1))
    assert GivenEstimate.objects.count() == 1  # the same days are not kept again


def test_a_run_that_dies_is_made_again(order, monkeypatch):
    look(SOON)
    with monkeypatch.context() as broken:
        broken.setattr(drafts, "request", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look(LATE, later())
    assert not Draft.objects.exists()
    assert look(LATE, later()) == 1


def test_without_an_address_nobody_is_written_to_and_the_others_are(order):
    order.customer.email = ""
    order.customer.save()
    factories.order(placed_at=NOW - timedelta(days=2), promised_at=NOW + timedelta(days=1))
    assert look(LATE) == 1

"""What a customer reads of an order's rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from emails import facts
from ml.writer.situations import SITUATIONS, SLOTS
from orders.models import Item, Refund, Shipment, Status, TrackingEvent
from tests.emails.conftest import MODEL, NOW

LONDON, SAO_PAULO = ZoneInfo("Europe/London"), ZoneInfo("America/Sao_Paulo")


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.mark.parametrize(
    ("value", "zone", "shown"),
    [
        (date(2026, 11, 24), LONDON, "Tuesday 24 November"),
        (date(2018, 8, 1), LONDON, "Wednesday 1 August 2018"),
        (datetime(2026, 11, 24, 1, 30, tzinfo=UTC), SAO_PAULO, "Monday 23 November"),
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), LONDON, "Thursday 2 July"),
    ],
)
def test_a_day_is_written_as_the_customer_counts_it(value, zone, shown):
    assert facts.day(value, zone) == shown


def test_the_year_is_the_customers_own(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2027, 1, 1, 1, 0, tzinfo=UTC))
    assert facts.day(date(2026, 12, 31), SAO_PAULO) == "Thursday 31 December"
    assert facts.day(date(2026, 12, 31), LONDON) == "Thursday 31 December 2026"


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (date(2026, 11, 24), date(2026, 11, 27), "Tuesday 24 to Friday 27 November"),
        (date(2026, 11, 24), date(2026, 11, 24), "Tuesday 24 November"),
        (date(2026, 11, 28), date(2026, 12, 2), "Saturday 28 November to Wednesday 2 December"),
        (date(2026, 12, 30), date(2027, 1, 2), "Wednesday 30 December to Saturday 2 January 2027"),
    ],
)
def test_a_window_names_its_month_once(start, end, shown):
    assert facts.span(start, end, LONDON) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("48.2", "GBP", "£48.20"),
        ("1536.65", "USD", "$1,536.65"),
        ("128.45", "BRL", "R$ 128.45"),
        ("48.2", "chf", "48.20 CHF"),
    ],
)
def test_money_carries_its_currency(amount, currency, shown):
    assert facts.money(Decimal(amount), currency) == shown


def test_an_address_in_a_chat_is_masked():
    assert facts.masked("amara@example.com") == "a•••@example.com"


def test_an_order_fills_its_slots_and_says_from_where(order, make_outlook):
    slots = facts.order_slots(order, make_outlook())
    shown = {slot: fact.display for slot, fact in slots.items()}
    assert shown == {
        "amount": "£48.20",
        "carrier": "Northline",
        "first_name": "Amara",
        "item": "kettle",
        "item_count": "3 items",
        "last_event": "arrival at the depot",
        "last_event_day": "Sunday 22 November",
        "likely_day": "Wednesday 25 November",
        "order": "DS-10023",
        "payment_method": "your Visa card ending 9212",
        "place": "the Leeds depot",
        "placed_day": "Tuesday 17 November",
        "promise_chance": "about 9 in 10",
        "promised_day": "Friday 27 November",
        "reasons": "the long route and a busy week at the warehouse",
        "shipped_day": "Thursday 19 November",
        "shop": "Doorstep Demo Shop",
        "status": "on its way",
        "tracking_link": "https://northline.example/t/NL1",
        "window_start": "Tuesday 24 November",
        "window_end": "Friday 27 November",
    }
    assert set(shown) <= set(SLOTS)
    assert slots["likely_day"].source == f"delivery:{MODEL}"
    assert slots["promised_day"].source == f"orders.Order:{order.pk}.promised_at"


def test_a_window_of_one_day_is_only_that_day(order, make_outlook):
    one = date(2026, 11, 24)
    slots = facts.order_slots(order, make_outlook(window_start=one, window_end=one, likely=one))
    assert slots["likely_day"].display == "Tuesday 24 November"
    assert not {"window_start", "window_end"} & set(slots)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.99, "better than 9 in 10"),
        (0.88, "about 9 in 10"),
        (0.5, "about 5 in 10"),
        (0.01, "less than 1 in 10"),
    ],
)
def test_a_chance_is_never_called_certain(order, make_outlook, share, shown):
    assert facts.order_slots(order, make_outlook(chance=share))["promise_chance"].display == shown


def test_late_is_counted_in_days(order, make_outlook):
    slots = facts.order_slots(order, make_outlook("late", promised=date(2026, 11, 22)))
    assert slots["days_late"].display == "3 days"


def test_nothing_is_filled_from_nothing(amara, make_outlook):
    bare = amara.orders.create(number="DS-1", total=Decimal("0"), status=Status.PLACED)
    slots = facts.order_slots(
        bare,
        make_outlook(
            "no_estimate",
            window_start=None,
            window_end=None,
            likely=None,
            promised=None,
            chance=None,
            forecast=None,
        ),
    )
    assert set(slots) == {"amount", "first_name", "order", "shop", "status"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("kettle", "kettle"),
        ("Tea set (6 cups, blue)", "Tea set"),
        ("Stainless Steel Vacuum Insulated Travel Mug with Lid", "Stainless Steel Vacuum Insulated"),
        ("Hand-Knitted Merino Wool Blanket for the Sofa", "Hand-Knitted Merino Wool Blanket"),
        ("Donaudampfschifffahrtsgesellschaftskapitaensmuetze", "Donaudampfschifffahrtsgesellschaftsk"),
    ],
)
def test_a_long_name_is_cut_where_a_subject_can_hold_it(name, shown):
    assert facts.short_name(name) == shown


def test_the_item_is_the_dearest_with_a_name(order, make_outlook):
    Item.objects.create(order=order, position=3, name=" ", price=Decimal("99"))
    Item.objects.create(order=order, position=4, name="Tea set (6 cups, blue)", price=Decimal("60"))
    assert facts.order_slots(order, make_outlook())["item"].display == "Tea set"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("placed", "mail_timeline_placed"),
        ("in_transit", "mail_timeline_transit"),
        ("out_for_delivery", "mail_timeline_transit"),
        ("late", "mail_timeline_late"),
        ("overdue", "mail_timeline_overdue"),
        ("delivered", "mail_timeline_delivered"),
        ("cancelled", "mail_timeline_other"),
        ("exception", "mail_timeline_other"),
        ("no_estimate", "mail_timeline_other"),
    ],
)
def test_every_outlook_has_its_email(make_outlook, kind, name):
    assert facts.situation(make_outlook(kind)) == name
    assert name in SITUATIONS


def test_a_timeline_tells_what_was_and_what_is_expected(order, make_outlook):
    assert facts.timeline(order, make_outlook()) == [
        {"label": "Ordered", "day": "Tuesday 17 November", "state": "done"},
        {"label": "Handed to Northline", "day": "Thursday 19 November", "state": "done"},
        {"label": "Arrived at the Leeds depot", "day": "Sunday 22 November", "state": "now"},
        {"label": "Arrives", "day": "Tuesday 24 to Friday 27 November", "state": "expected"},
        {"label": "Most likely", "day": "Wednesday 25 November", "state": "expected"},
    ]


@pytest.mark.parametrize(
    ("status", "now"), [("processing", "Being packed"), ("paid", "Waiting to be packed")]
)
def test_a_timeline_before_the_carrier(order, make_outlook, status, now):
    Shipment.objects.all().delete()
    order.status = status
    states = [(row["label"], row["state"]) for row in facts.timeline(order, make_outlook("placed"))]
    assert states == [
        ("Ordered", "done"),
        (now, "now"),
        ("Arrives", "expected"),
        ("Most likely", "expected"),
    ]


def test_a_parcel_without_scans_is_on_its_way(order, make_outlook):
    TrackingEvent.objects.exclude(kind="handed_over").delete()
    assert {"label": "On its way", "day": "", "state": "now"} in facts.timeline(order, make_outlook())
    assert "place" not in facts.order_slots(order, make_outlook())


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("Leeds", "the Leeds depot"),
        ("the Leeds depot", "the Leeds depot"),
        ("Leeds sorting centre", "the Leeds sorting centre"),
    ],
)
def test_a_town_becomes_a_depot(place, shown):
    assert facts.depot(place) == shown


def test_a_timeline_of_a_cancelled_order_ends_with_the_money(order, make_outlook):
    order.status, order.cancelled_at = Status.CANCELLED, datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
    order.save()
    Refund.objects.create(order=order, amount=order.total, state=Refund.State.APPROVED)
    rows = facts.timeline(order, make_outlook("cancelled"))
    assert [row["label"] for row in rows] == [
        "Ordered",
        "Handed to Northline",
        "Cancelled",
        "Refund of £48.20 approved",
    ]


def test_a_delivered_order_expects_nothing(order, make_outlook):
    order.shipments.update(delivered_at=datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    order.status = Status.DELIVERED
    order.save()
    outlook = make_outlook("delivered", window_start=None, window_end=None, likely=None)
    assert facts.timeline(order, outlook)[-1] == {
        "label": "Delivered",
        "day": "Sunday 22 November",
        "state": "done",
    }
    slots = facts.order_slots(order, outlook)
    assert slots["delivered_day"].display == "Sunday 22 November"
    assert slots["return_deadline"].display == "Tuesday 22 December"


@pytest.mark.parametrize(
    ("status", "last"),
    [
        ("return_requested", "Return asked for"),
        ("exchange_requested", "Exchange asked for"),
        ("returned", "Back with us"),
        ("delivered", "Delivered"),
        ("cancelled", "Cancelled"),
    ],
)
def test_a_settled_order_without_days_is_told_without(order, make_outlook, status, last):
    order.status = status
    rows = facts.timeline(order, make_outlook("returning"))
    assert rows[-1]["label"] == last
    assert rows[-1]["day"] == ""

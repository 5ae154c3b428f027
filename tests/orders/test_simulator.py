from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from ml.delivery.model import load_model
from orders import demo, lookups
from orders.actions import STATUS_AFTER
from orders.estimates import outlook
from orders.models import MOVING, OPEN, Customer, Order, Refund, Status, TrackingEvent
from orders.simulator import Plan, simulate

MOMENTS = [
    datetime(2026, 11, 23, 7, 10, tzinfo=UTC),  # a Monday morning
    datetime(2026, 7, 4, 22, 40, tzinfo=UTC),  # a Saturday night
    datetime(2027, 1, 1, 0, 3, tzinfo=UTC),
]


@pytest.fixture(scope="module", params=MOMENTS, ids=str)
def shop(request):
    return request.param, list(simulate(Plan(), now=request.param))


def test_the_same_seed_and_moment_give_the_same_shop():
    small = Plan(customers=60, orders=150)
    first, second = (list(simulate(small, now=MOMENTS[0])) for _ in range(2))
    assert first == second
    assert first != list(simulate(Plan(60, 150, seed=3), now=MOMENTS[0]))


def test_it_has_the_customers_and_orders_that_were_asked_for(shop):
    _, rows = shop
    assert len(rows) == 5000
    assert len({row.customer.external_id for row in rows}) == 2000
    assert [row.number for row in rows[:2]] == ["DS-10001", "DS-10002"]
    assert all(row.customer.email.endswith("@example.com") for row in rows)


def _times(value):
    if isinstance(value, datetime):
        yield value
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    ):
        yield from _times(inner)


def test_nothing_has_happened_in_the_future(shop):
    now, rows = shop
    for row in rows:
        happened = asdict(row) | {"promised_at": None}
        assert max(_times(happened)) <= now, row.number


def test_what_happened_came_in_order_and_agrees_with_the_status(shop):
    _, rows = shop
    for row in rows:
        assert row.placed_at
        assert row.promised_at
        assert row.placed_at < row.promised_at
        for shipment in row.shipments:
            times = [event.at for event in shipment.events]
            assert times == sorted(times)
            assert row.placed_at < times[0]
            assert len({(event.at, event.kind) for event in shipment.events}) == len(times)
            status = Status.PROCESSING
            for event in shipment.events:
                status = STATUS_AFTER.get(event.kind, status)
            assert row.status == status or (status, row.refunds != ()) == (Status.DELIVERED, True)
            assert (shipment.delivered_at is not None) == (status == Status.DELIVERED)
        if not row.shipments:
            assert row.status in {*OPEN, Status.CANCELLED}


def test_it_looks_like_a_shop_in_business(shop):
    _, rows = shop
    states = Counter(row.status for row in rows)
    assert 0.08 < sum(states[state] for state in OPEN | MOVING) / len(rows) < 0.18
    delivered = [(row, row.shipments[0].delivered_at) for row in rows if row.status == Status.DELIVERED]
    late = sum(at > row.promised_at for row, at in delivered if at and row.promised_at)
    assert 0.05 < late / len(delivered) < 0.12
    assert states[Status.CANCELLED]
    assert states[Status.EXCEPTION]


@pytest.mark.django_db
def test_seeding_fills_the_tables_once(capsys):
    call_command("seed_demo", customers=200, orders=400, verbosity=0)
    assert (Order.objects.count(), Customer.objects.count()) == (400, 200)
    events = TrackingEvent.objects.count()
    call_command("seed_demo", customers=200, orders=400, verbosity=0)
    assert (Order.objects.count(), TrackingEvent.objects.count()) == (400, events)
    assert "nothing was changed" in capsys.readouterr().out
    refund = Refund.objects.filter(state="paid").first()
    assert refund is None or (refund.paid_at and refund.requested_at < refund.paid_at)


@pytest.mark.django_db
def test_the_examples_can_be_opened_and_answered(settings, tmp_path):
    call_command("seed_demo", customers=100, orders=300, verbosity=0)
    model = load_model(tmp_path / "none.skops", shipped=settings.ARTIFACTS / "delivery.skops")
    kinds = {}
    for example in demo.examples():
        customer = lookups.verify(order_number=example["number"], proof=example["email"])
        assert customer
        order = lookups.order_of(customer, number=example["number"])
        assert order
        assert order.placed_at
        now = datetime.now(UTC)
        seen = outlook(order, model=model, now=now)
        kinds[example["what"]] = seen.kind
        if seen.window_start and seen.likely and seen.window_end:
            assert now.date() - timedelta(days=1) <= seen.window_start <= seen.likely <= seen.window_end
    assert kinds["just placed"] in ("placed", "late")
    assert kinds["delivered"] == "delivered"
    assert kinds.get("late", "late") in ("late", "out_for_delivery", "overdue")

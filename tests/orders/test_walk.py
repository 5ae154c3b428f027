"""An order walked through its stages with the model that ships, as its customer would follow it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ml.delivery.model import load_model
from orders import paces
from orders.actions import record_event
from orders.consignments import consignment_of
from orders.estimates import outlook
from orders.models import Order, Seller, Status, TrackingEvent
from orders.simulator import Plan, simulate
from tests import factories

pytestmark = pytest.mark.django_db
Kind = TrackingEvent.Kind
PLACED = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)  # a Monday


@pytest.fixture(scope="module")
def model():
    from django.conf import settings

    return load_model(settings.ARTIFACTS / "none.skops", shipped=settings.ARTIFACTS / "delivery.skops")


@pytest.fixture
def parcel():
    """A new order from Leeds to London in a shop with a history."""
    history = simulate(Plan(customers=150, orders=600, recent=0.0, with_example=False), now=PLACED)
    paces.absorb((n, consignment_of(row, finished=True)) for n, row in enumerate(history))
    seller = Seller.objects.create(
        external_id="leeds", source="demo", country="GB", region="West Yorkshire", lat=53.8, lng=-1.55
    )
    order = factories.order(
        status=Status.PAID, placed_at=PLACED, paid_at=PLACED, promised_at=PLACED + timedelta(days=5),
        region="Greater London", lat=51.5, lng=-0.1,
    )  # fmt: skip
    order.items.update(seller=seller, weight_g=1200, volume_cm3=6000)
    return order


def test_the_window_narrows_and_never_names_a_day_that_has_passed(parcel, model):
    steps = [
        (1, None), (20, None),
        (31, Kind.HANDED_OVER), (36, Kind.ARRIVED), (44, Kind.DEPARTED), (52, Kind.ARRIVED),
        (69.5, Kind.OUT_FOR_DELIVERY),
    ]  # fmt: skip
    shipment = factories.shipment(parcel, handed_over_at=None, carrier="Northline", service="standard")
    shipment.events.all().delete()
    widths, stages = [], []
    for hours, kind in steps:
        now = PLACED + timedelta(hours=hours)
        if kind:
            record_event(shipment=shipment, kind=kind, at=now, place="Leeds")
            shipment.refresh_from_db()
        order = Order.objects.get(pk=parcel.pk)
        seen = outlook(order, model=model, now=now + timedelta(minutes=5))
        assert seen.likely, f"nothing to tell after {hours} hours"
        assert seen.window_start
        assert seen.window_end
        today = now.date()
        assert today <= seen.window_start <= seen.likely <= seen.window_end
        assert seen.forecast.low > now
        widths.append((seen.forecast.high - seen.forecast.low) / timedelta(days=1))
        stages.append(seen.forecast.stage)
    assert all(after <= before * 1.35 + 0.25 for before, after in pairwise(widths)), widths
    assert widths[-1] < 0.6 * widths[0], widths
    assert stages[0] == "paid"
    assert stages[2] == "handed_over"


def test_a_parcel_that_waits_and_waits_is_never_expected_yesterday(parcel, model):
    factories.shipment(parcel, handed_over_at=PLACED + timedelta(days=1), carrier="Northline")
    Order.objects.filter(pk=parcel.pk).update(status=Status.SHIPPED)
    kinds = []
    for day in range(2, 30):
        now = PLACED + timedelta(days=day)
        seen = outlook(Order.objects.get(pk=parcel.pk), model=model, now=now)
        kinds.append(seen.kind)
        if seen.likely and seen.window_start and seen.window_end:
            assert now.date() <= seen.window_start <= seen.likely <= seen.window_end
    assert kinds[0] in ("in_transit", "late")
    assert kinds[-1] in ("overdue", "late")

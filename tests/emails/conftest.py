"""One shop, three people: Amara ordered a kettle, Ben ordered something else, Sam works at the shop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ml.types import Estimate
from orders.estimates import Outlook
from orders.models import Customer, Item, Order, Shipment, Status, TrackingEvent

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MODEL = "delivery 2026-11-01"


@pytest.fixture
def amara(db: None) -> Customer:
    return Customer.objects.create(
        email="amara@example.com",
        first_name="Amara",
        last_name="Okafor",
        timezone="Europe/London",
        external_id="c-1",
    )


@pytest.fixture
def ben(db: None) -> Customer:
    return Customer.objects.create(
        email="ben@example.com", first_name="Ben", timezone="UTC", external_id="c-2"
    )


@pytest.fixture
def order(amara: Customer) -> Order:
    """A kettle and two mugs, with the carrier since Thursday."""
    order = Order.objects.create(
        number="DS-10023",
        customer=amara,
        status=Status.SHIPPED,
        currency="GBP",
        total=Decimal("48.20"),
        placed_at=datetime(2026, 11, 17, 8, 0, tzinfo=UTC),
        paid_at=datetime(2026, 11, 17, 8, 1, tzinfo=UTC),
        promised_at=datetime(2026, 11, 27, 17, 0, tzinfo=UTC),
        payment_method="Visa card ending 9212",
    )
    Item.objects.create(order=order, position=1, name="mug", quantity=2, price=Decimal("6.00"))
    Item.objects.create(
        order=order, position=2, name="kettle", price=Decimal("31.20"), freight=Decimal("5.00")
    )
    shipment = Shipment.objects.create(
        order=order,
        carrier="Northline",
        tracking_number="NL1",
        tracking_link="https://northline.example/t/NL1",
        handed_over_at=datetime(2026, 11, 19, 15, 0, tzinfo=UTC),
    )
    TrackingEvent.objects.create(
        shipment=shipment, at=datetime(2026, 11, 19, 15, 0, tzinfo=UTC), kind=TrackingEvent.Kind.HANDED_OVER
    )
    TrackingEvent.objects.create(
        shipment=shipment,
        at=datetime(2026, 11, 22, 22, 30, tzinfo=UTC),
        kind=TrackingEvent.Kind.ARRIVED,
        place="the Leeds depot",
    )
    return order


@pytest.fixture
def make_outlook() -> Callable[..., Outlook]:
    """An outlook as `orders.estimates` gives one: Tuesday to Friday, most likely Wednesday."""

    def make(kind: str = "in_transit", **changes: Any) -> Outlook:
        values: dict[str, Any] = {
            "window_start": date(2026, 11, 24),
            "window_end": date(2026, 11, 27),
            "likely": date(2026, 11, 25),
            "promised": date(2026, 11, 27),
            "estimate": Estimate(NOW, NOW, NOW, "handover", MODEL),
        }
        return Outlook(kind=kind, **(values | changes))

    return make

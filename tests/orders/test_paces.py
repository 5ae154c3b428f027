"""What is kept beside the orders agrees with what the orders themselves say."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from ml.types import LEGS, Consignment, Spell
from orders import paces
from orders.actions import record_event
from orders.consignments import consignment
from orders.models import Order, Pace, Seller, Status, TrackingEvent
from tests import factories

pytestmark = pytest.mark.django_db
Kind = TrackingEvent.Kind
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")


def delivered(number: int, *, seller: str = "leeds", days: float = 3.0) -> tuple[int, Consignment]:
    placed = NOW - timedelta(days=60 - number % 50)
    return number, Consignment(
        placed_at=placed,
        handed_over_at=placed + timedelta(days=1),
        delivered_at=placed + timedelta(days=days + number % 7),
        seller=seller,
        region="GB-Kent",
        origin_region="GB-Leeds",
    )


def by_hand(
    rows: list[tuple[int, Consignment]], asked: Consignment, now: datetime
) -> dict[str, tuple[Spell, ...]]:
    """The latest spells of each leg, read from the rows themselves as the definition says."""
    past = {}
    for leg in LEGS:
        wanted = [getattr(asked, name) for name in leg.keys]
        spells = []
        for number, row in rows:
            start, end = getattr(row, leg.start), getattr(row, leg.end)
            known = getattr(row, leg.known or leg.end)
            agrees = all(wanted) and [getattr(row, name) for name in leg.keys] == wanted
            if agrees and start and end and known and known < now:
                spells.append((known, number, (end - start).total_seconds() / 86_400))
        if spells:
            latest = sorted(spells, reverse=True)[: leg.latest]
            past[leg.name] = tuple(Spell(days, end) for end, _, days in latest)
    return past


def test_what_is_served_is_what_the_rows_say_row_by_row():
    call_command("seed_demo", customers=120, orders=300, verbosity=0)
    orders = list(
        Order.objects.select_related("customer")
        .prefetch_related("items__seller", "shipments__events")
        .order_by("pk")
    )
    rows = [(order.pk, consignment(order, finished=True)) for order in orders]
    now = max(row.placed_at for _, row in rows) + timedelta(days=1)
    waiting = [consignment(o) for o in orders if o.status in (Status.PROCESSING, Status.SHIPPED)]
    assert len(waiting) > 20
    for asked, served in zip(waiting, paces.known_at(waiting, now=now), strict=True):
        wanted = by_hand(rows, asked, now)
        assert {name: len(spells) for name, spells in served.past.items()} == {
            name: len(spells) for name, spells in wanted.items()
        }
        for name, spells in wanted.items():
            assert [s.days for s in served.past[name]] == pytest.approx([s.days for s in spells])
            assert [s.ended_at for s in served.past[name]] == [s.ended_at for s in spells]


def test_neither_order_nor_repetition_makes_a_difference():
    rows = [delivered(number) for number in range(1, 180)]
    paces.absorb(rows)
    first = list(Pace.objects.order_by("key").values())
    Pace.objects.all().delete()
    random.Random(5).shuffle(rows)
    for chunk in (rows[:70], rows[40:], rows[:10]):
        paces.absorb(chunk)
    assert list(Pace.objects.order_by("key").values()) == first
    assert max(len(row["days"]) for row in first) == max(leg.latest for leg in LEGS)


def test_what_ends_later_is_not_known_yet():
    paces.absorb([delivered(number) for number in range(1, 30)])
    asked = Consignment(placed_at=NOW, seller="leeds")
    early = paces.known_at([asked], now=NOW - timedelta(days=40))[0].past["seller"]
    late = paces.known_at([asked], now=NOW)[0].past["seller"]
    assert 0 < len(early) < len(late)
    assert all(spell.ended_at < NOW - timedelta(days=40) for spell in early)
    assert paces.known_at([Consignment(placed_at=NOW, seller="york")], now=NOW)[0].past.get("seller") is None


def test_a_scan_tells_the_paces_and_a_rebuild_says_the_same():
    seller = Seller.objects.create(external_id="leeds", source="test", country="GB", region="Leeds")
    parcel = factories.order(status=Status.PROCESSING, region="Kent", placed_at=NOW - timedelta(days=4))
    parcel.items.update(seller=seller)
    shipment = factories.shipment(parcel, handed_over_at=None)
    assert not Pace.objects.exists()
    record_event(shipment=shipment, kind=Kind.HANDED_OVER, at=NOW - timedelta(days=2))
    assert Pace.objects.get(key="seller_handling|leeds").days == [pytest.approx(2.0)]
    record_event(shipment=shipment, kind=Kind.DELIVERED, at=NOW)
    assert Pace.objects.get(key="route_transit|GB-Leeds|GB-Kent").days == [pytest.approx(2.0)]
    assert Pace.objects.get(key="seller|leeds").days == [pytest.approx(4.0)]
    kept = list(Pace.objects.order_by("key").values())
    assert paces.rebuild() == 1
    assert list(Pace.objects.order_by("key").values()) == kept


def test_the_orders_in_hand_are_counted_by_seller_and_altogether():
    leeds, york = (Seller.objects.create(external_id=name, source="test") for name in ("leeds", "york"))
    for seller, status in (
        (leeds, Status.PAID),
        (leeds, Status.PROCESSING),
        (leeds, Status.SHIPPED),
        (york, Status.PLACED),
    ):
        factories.order(status=status).items.update(seller=seller)
    rows = [Consignment(placed_at=NOW, seller=name) for name in ("leeds", "york", "hull", "")]
    assert [row.seller_open for row in paces.known_at(rows, now=NOW)] == [None] * 4
    paces.count_backlog()
    known = paces.known_at(rows, now=NOW)
    assert [row.seller_open for row in known] == [2, 1, 0, None]
    assert {row.shop_open for row in known} == {3}
    Order.objects.update(status=Status.CANCELLED)
    paces.count_backlog()
    assert {row.shop_open for row in paces.known_at(rows, now=NOW)} == {0}

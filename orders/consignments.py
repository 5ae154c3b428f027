"""An order's rows as the plain values that its arrival is estimated from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from ml.types import Consignment
from orders.models import Item, Order, Seller, Shipment, Status, TrackingEvent
from orders.rows import EventRow, ItemRow, OrderRow, Place, SellerRow, ShipmentRow

Kind = TrackingEvent.Kind
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ON_THE_WAY = frozenset({Kind.ARRIVED, Kind.DEPARTED, Kind.HELD, Kind.ATTEMPTED})


def to_learn_from() -> QuerySet[Order]:
    """Orders that were not cancelled, with what `consignment` reads. Those that are not delivered yet are
    what a seller has in hand."""
    orders = Order.objects.filter(placed_at__isnull=False).exclude(status=Status.CANCELLED)
    return orders.select_related("customer").prefetch_related("items__seller", "shipments__events")


def consignment(order: Order, *, finished: bool = False) -> Consignment:
    """The order's rows as plain feature values; with `finished`, its delivery as well, to learn from."""
    return _consignment(
        order,
        place=order,
        items=list(order.items.all()),
        shipments=[(shipment, list(shipment.events.all())) for shipment in order.shipments.all()],
        zone=order.customer.zone,
        finished=finished,
    )


def consignment_of(row: OrderRow, *, finished: bool = False) -> Consignment:
    """As `consignment`, of an order that is in no table."""
    return _consignment(
        row,
        place=row.place,
        items=row.items,
        shipments=[(shipment, shipment.events) for shipment in row.shipments],
        zone=ZoneInfo(row.customer.timezone),
        finished=finished,
    )


def _consignment(
    order: Order | OrderRow,
    *,
    place: Order | Place,
    items: Sequence[Item | ItemRow],
    shipments: Sequence[tuple[Shipment | ShipmentRow, Sequence[TrackingEvent | EventRow]]],
    zone: ZoneInfo,
    finished: bool,
) -> Consignment:
    if order.placed_at is None:
        raise ValueError(f"order {order.number} has no time of placing")
    slowest, events = _slowest(shipments)
    arrivals = [shipment.delivered_at for shipment, _ in shipments if shipment.delivered_at]
    delivered = max(arrivals) if finished and arrivals and len(arrivals) == len(shipments) else None
    sellers = {item.seller.external_id: item.seller for item in items if item.seller}
    seller = next(iter(sellers.values()), None)
    origin = seller.place if isinstance(seller, SellerRow) else seller
    dearest = max(items, key=lambda item: item.price, default=None)

    def local(at: datetime | None) -> datetime | None:
        return at.astimezone(zone) if at else None

    def scans(kinds: frozenset[Kind]) -> list[datetime]:
        return sorted(event.at.astimezone(zone) for event in events if event.kind in kinds)

    return Consignment(
        placed_at=order.placed_at.astimezone(zone),
        paid_at=local(order.paid_at),
        handed_over_at=local(slowest.handed_over_at) if slowest else None,
        scans=tuple(scans(_ON_THE_WAY)),
        out_for_delivery_at=max(scans(frozenset({Kind.OUT_FOR_DELIVERY})), default=None),
        delivered_at=local(delivered),
        promised_at=local(order.promised_at),
        origin_lat=origin.lat if origin else None,
        origin_lng=origin.lng if origin else None,
        destination_lat=place.lat,
        destination_lng=place.lng,
        origin_region=area(origin) if origin else "",
        region=area(place),
        origin_country=origin.country if origin else "",
        country=place.country,
        postcode=place.postcode,
        seller=seller.external_id if seller else "",
        sellers=float(len(sellers)) if sellers else None,
        carrier=slowest.carrier if slowest else "",
        service=slowest.service if slowest else "",
        category=dearest.category if dearest else "",
        payment=_payment(order.payment_method),
        weight_g=_total(items, "weight_g"),
        volume_cm3=_total(items, "volume_cm3"),
        price=float(sum(item.price * item.quantity for item in items)),
        freight=float(sum(item.freight for item in items)),
        items=float(sum(item.quantity for item in items)),
    )


def area(place: Order | Seller | Place) -> str:
    """ "GB-Cornwall", or as much of it as is known."""
    return f"{place.country}-{place.region}".strip("-")


def _slowest(
    shipments: Sequence[tuple[Shipment | ShipmentRow, Sequence[TrackingEvent | EventRow]]],
) -> tuple[Shipment | ShipmentRow | None, Sequence[TrackingEvent | EventRow]]:
    """The parcel that completes the order: one not handed over yet, or else the last that was."""
    waiting = [pair for pair in shipments if pair[0].delivered_at is None] or shipments
    unsent = next((pair for pair in waiting if pair[0].handed_over_at is None), None)
    return unsent or max(waiting, key=lambda pair: pair[0].handed_over_at or _LONG_AGO, default=(None, ()))


def _payment(method: str) -> str:
    """ "Visa card" of "Visa card ending 9212": how it was paid, without what is the customer's own."""
    return re.sub(r"\s+ending\b.*|\s*\d.*", "", method).strip()


def _total(items: Sequence[Item | ItemRow], name: str) -> float | None:
    values = [(getattr(item, name), item.quantity) for item in items]
    known = [float(value) * quantity for value, quantity in values if value is not None]
    return sum(known) if known else None

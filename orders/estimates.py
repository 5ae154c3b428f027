"""From an order's rows to when it arrives and what kind of answer that makes.

Chat and email both tell what `describe` says, so their dates agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from ml.types import Consignment, Estimate, Quantiles
from orders.models import MOVING, OPEN, Item, Order, Seller, Shipment, Status, TrackingEvent
from orders.rows import ItemRow, OrderRow, Place, ShipmentRow

Kind = Literal[
    "placed",
    "in_transit",
    "out_for_delivery",
    "late",
    "overdue",
    "delivered",
    "cancelled",
    "returning",
    "exception",
    "no_estimate",
]

SILENCE = timedelta(days=7)  # without a scan, where the carrier does scan: nobody knows where it is
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
LAST_DROP_HOUR = 21  # vans are back by then
_RETURNING = frozenset({Status.RETURN_REQUESTED, Status.EXCHANGE_REQUESTED, Status.RETURNED})
_SCANS = frozenset(
    {
        TrackingEvent.Kind.ARRIVED,
        TrackingEvent.Kind.DEPARTED,
        TrackingEvent.Kind.OUT_FOR_DELIVERY,
        TrackingEvent.Kind.ATTEMPTED,
    }
)


class Forecaster(Protocol):
    """What this package needs of a delivery model; `ml.delivery.model.DeliveryModel` is one."""

    @property
    def version(self) -> str: ...

    def remaining(self, row: Consignment, *, elapsed: float) -> Quantiles | None:
        """Days from the hand-over, or the placing where there was none, given `elapsed` have passed."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said about an order now. Dates are days in the customer's time zone.

    `window_start`, `window_end` and `likely` are set for the kinds placed, in_transit,
    out_for_delivery and late, read off `estimate`, and never lie in the past. `days_late` counts from
    the promised day to today or to the likely day, whichever is later.
    """

    kind: Kind
    window_start: date | None = None
    window_end: date | None = None
    likely: date | None = None
    promised: date | None = None
    days_late: int = 0
    placed: date | None = None
    shipped: date | None = None
    delivered: date | None = None
    cancelled: date | None = None
    estimate: Estimate | None = None


def outlook(order: Order, *, model: Forecaster | None, now: datetime) -> Outlook:
    """What can be said about an order now. Without a model states are told, but no days to come."""
    return describe(order, estimate(order, model=model, now=now) if model else None, now)


def estimate(order: Order, *, model: Forecaster, now: datetime) -> Estimate | None:
    """When the order arrives, or None where that cannot honestly be said.

    That is: it is not on its way, it is not known when it was placed, the carrier has fallen silent,
    or it has been under way for longer than all but a few parcels the model knows.
    """
    if order.placed_at is None or order.status not in OPEN | MOVING or is_silent(order, now=now):
        return None
    today = _van_today(order, now=now)
    if today is not None:
        return Estimate(now, today, today, "out_for_delivery", model.version)
    row = consignment(order)
    start = row.handed_over_at or row.placed_at
    elapsed = (now - start).total_seconds() / 86_400
    days = model.remaining(row, elapsed=elapsed)
    if days is None:
        return None
    earliest, likely, latest = (
        max(now, start + timedelta(days=value)) for value in (days.low, days.median, days.high)
    )
    return Estimate(earliest, likely, latest, "handover" if row.handed_over_at else "purchase", model.version)


def describe(order: Order, estimate: Estimate | None, now: datetime) -> Outlook:
    """The kind of answer that this order's state and estimate allow, and the days to tell."""
    known = _Days(order, now)
    kind, arrival = _kind(order, estimate, known)
    if arrival is None:
        return replace(
            known.outlook(kind), days_late=known.days_late(known.today) if kind == "overdue" else 0
        )
    start, likely, end = (known.day(at) for at in (arrival.earliest, arrival.likely, arrival.latest))
    return replace(
        known.outlook(kind),
        window_start=start,
        likely=likely,
        window_end=end,
        days_late=known.days_late(max(likely, known.today)),
        estimate=arrival,
    )


def is_silent(order: Order, *, now: datetime) -> bool:
    """Whether a carrier that scans parcels has not scanned one of this order's for a week."""
    for shipment in order.shipments.all():
        events = list(shipment.events.all())
        scanned = any(event.kind in _SCANS for event in events)
        if shipment.delivered_at is None and scanned and now - max(e.at for e in events) > SILENCE:
            return True
    return False


def consignment(order: Order, *, finished: bool = False) -> Consignment:
    """The order's rows as plain feature values; with `finished`, its delivery as well, to learn from."""
    items = list(order.items.all())
    seller = next((item.seller for item in items if item.seller), None)
    return _consignment(
        order,
        place=order,
        origin=seller,
        seller=seller.external_id if seller else "",
        items=items,
        shipments=list(order.shipments.all()),
        zone=order.customer.zone,
        finished=finished,
    )


def consignment_of(row: OrderRow, *, finished: bool = False) -> Consignment:
    """As `consignment`, of an order that is in no table."""
    seller = next((item.seller for item in row.items if item.seller), None)
    return _consignment(
        row,
        place=row.place,
        origin=seller.place if seller else None,
        seller=seller.external_id if seller else "",
        items=row.items,
        shipments=row.shipments,
        zone=ZoneInfo(row.customer.timezone),
        finished=finished,
    )


def _consignment(
    order: Order | OrderRow,
    *,
    place: Order | Place,
    origin: Seller | Place | None,
    seller: str,
    items: Sequence[Item | ItemRow],
    shipments: Sequence[Shipment | ShipmentRow],
    zone: ZoneInfo,
    finished: bool,
) -> Consignment:
    if order.placed_at is None:
        raise ValueError(f"order {order.number} has no time of placing")
    slowest = _slowest(shipments)
    arrivals = [shipment.delivered_at for shipment in shipments if shipment.delivered_at]
    delivered = max(arrivals) if finished and arrivals and len(arrivals) == len(shipments) else None

    def local(at: datetime | None) -> datetime | None:
        return at.astimezone(zone) if at else None

    return Consignment(
        placed_at=order.placed_at.astimezone(zone),
        handed_over_at=local(slowest.handed_over_at) if slowest else None,
        delivered_at=local(delivered),
        promised_at=local(order.promised_at),
        origin_lat=origin.lat if origin else None,
        origin_lng=origin.lng if origin else None,
        destination_lat=place.lat,
        destination_lng=place.lng,
        origin_region=_area(origin) if origin else "",
        region=_area(place),
        seller=seller,
        carrier=slowest.carrier if slowest else "",
        service=slowest.service if slowest else "",
        weight_g=_total(items, "weight_g"),
        volume_cm3=_total(items, "volume_cm3"),
        price=float(sum(item.price * item.quantity for item in items)),
        freight=float(sum(item.freight for item in items)),
        items=float(sum(item.quantity for item in items)),
    )


def _kind(order: Order, arrival: Estimate | None, known: _Days) -> tuple[Kind, Estimate | None]:
    settled = _settled_kind(order, known)
    if settled is not None:
        return settled, None
    if arrival is None:
        missed = known.promised is not None and known.today > known.promised
        return ("overdue" if missed or is_silent(order, now=known.now) else "no_estimate"), None
    if order.status == Status.OUT_FOR_DELIVERY and arrival.stage == "out_for_delivery":
        return "out_for_delivery", arrival
    if known.promised is not None and max(known.day(arrival.likely), known.today) > known.promised:
        return "late", arrival
    return ("in_transit" if order.status in MOVING else "placed"), arrival


def _settled_kind(order: Order, known: _Days) -> Kind | None:
    """The kind of an order that nobody waits for any more, or that a person has to look at."""
    if order.status == Status.CANCELLED:
        return "cancelled"
    if order.status in _RETURNING:
        return "returning"
    if order.status == Status.EXCEPTION:
        return "exception"
    if order.status == Status.DELIVERED:
        return "delivered" if known.delivered else "no_estimate"
    return None


class _Days:
    """An order's moments as days in its customer's time zone."""

    def __init__(self, order: Order, now: datetime) -> None:
        self.zone = order.customer.zone
        self.now = now
        self.today = self.day(now)
        self.promised = self._day_or_none(order.promised_at)
        self.placed = self._day_or_none(order.placed_at)
        self.shipped = self._day_or_none(order.shipped_at)
        self.delivered = self._day_or_none(order.delivered_at)
        self.cancelled = self._day_or_none(order.cancelled_at)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _day_or_none(self, at: datetime | None) -> date | None:
        return self.day(at) if at else None

    def days_late(self, day: date) -> int:
        return max(0, (day - self.promised).days) if self.promised else 0

    def outlook(self, kind: Kind) -> Outlook:
        return Outlook(
            kind,
            promised=self.promised,
            placed=self.placed,
            shipped=self.shipped,
            delivered=self.delivered,
            cancelled=self.cancelled,
        )


def _van_today(order: Order, *, now: datetime) -> datetime | None:
    """This evening in the customer's zone, if a parcel was loaded for delivery today and vans still drive."""
    if order.status != Status.OUT_FOR_DELIVERY:
        return None
    local = now.astimezone(order.customer.zone)
    loaded = any(
        event.kind == TrackingEvent.Kind.OUT_FOR_DELIVERY
        and event.at.astimezone(local.tzinfo).date() == local.date()
        for shipment in order.shipments.all()
        for event in shipment.events.all()
    )
    evening = local.replace(hour=LAST_DROP_HOUR, minute=0, second=0, microsecond=0)
    return evening if loaded and local < evening else None


def _slowest(shipments: Sequence[Shipment | ShipmentRow]) -> Shipment | ShipmentRow | None:
    """The parcel that completes the order: one not handed over yet, or else the last that was."""
    waiting = [shipment for shipment in shipments if shipment.delivered_at is None] or shipments
    unsent = next((shipment for shipment in waiting if shipment.handed_over_at is None), None)
    return unsent or max(waiting, key=lambda s: s.handed_over_at or _LONG_AGO, default=None)


def _area(place: Order | Seller | Place) -> str:
    return f"{place.country}-{place.region}".strip("-")


def _total(items: Sequence[Item | ItemRow], name: str) -> float | None:
    values = [(getattr(item, name), item.quantity) for item in items]
    known = [float(value) * quantity for value, quantity in values if value is not None]
    return sum(known) if known else None

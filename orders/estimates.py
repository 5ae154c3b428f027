"""When an order arrives, and what kind of answer that makes.

Chat, email and desk all tell what `outlook` says, so their dates agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal, Protocol

from django.conf import settings

from ml.types import Consignment, DeliveryStage, Forecast
from orders.consignments import consignment
from orders.models import MOVING, OPEN, Order, Status, TrackingEvent
from orders.paces import known_at

Kind = Literal[
    "placed",
    "in_transit",
    "out_for_delivery",
    "late",
    "overdue",
    "uncertain",
    "delivered",
    "cancelled",
    "returning",
    "exception",
    "no_estimate",
]

SILENCE = timedelta(days=7)  # without a scan, where the carrier does scan: nobody knows where it is
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

    def forecast_many(
        self, rows: Sequence[Consignment], *, now: datetime, confidence: float = 0.8
    ) -> list[Forecast | None]:
        """A forecast a row, given that it has not arrived by `now`; None where nothing honest can be said."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said about an order now. Dates are days in the customer's time zone.

    `window_start`, `window_end` and `likely` are set for the kinds placed, in_transit,
    out_for_delivery and late, and never lie in the past: the window that holds the arrival with the
    chosen confidence. `chance` is that of keeping to a promised day which is still to come. `days_late`
    counts from the promised day to today or to the likely day, whichever is later. `forecast` is what the
    model said, also where it is too vague to be told (the kinds uncertain and overdue).
    """

    kind: Kind
    window_start: date | None = None
    window_end: date | None = None
    likely: date | None = None
    chance: float | None = None
    promised: date | None = None
    days_late: int = 0
    placed: date | None = None
    shipped: date | None = None
    delivered: date | None = None
    cancelled: date | None = None
    forecast: Forecast | None = None


def outlook(order: Order, *, model: Forecaster | None, now: datetime) -> Outlook:
    """What can be said about an order now. Without a model states are told, but no days to come."""
    return outlooks([order], model=model, now=now)[0]


def outlooks(orders: Sequence[Order], *, model: Forecaster | None, now: datetime) -> list[Outlook]:
    """As `outlook`, of many orders at once."""
    if model is None:
        return [describe(order, now=now) for order in orders]
    asked = [order for order in orders if is_expected(order, now=now)]
    rows = known_at([consignment(order) for order in asked], now=now)
    said = model.forecast_many(rows, now=now, confidence=settings.ESTIMATE_CONFIDENCE)
    forecasts = {order.pk: forecast for order, forecast in zip(asked, said, strict=True)}
    return [
        describe(order, forecasts.get(order.pk), now=now, was_asked=order.pk in forecasts) for order in orders
    ]


def describe(
    order: Order, forecast: Forecast | None = None, *, now: datetime, was_asked: bool = False
) -> Outlook:
    """The kind of answer that this order's state and forecast allow, and the days to tell.

    `was_asked`: a model has been asked, so that no forecast means there is none to be had.
    """
    known = _Days(order, now)
    kind = _settled_kind(order, known)
    if kind is not None:
        return known.outlook(kind)
    if forecast is None or _is_too_wide(forecast):
        return _undated(order, forecast, known, was_asked=was_asked)
    start, likely, end = (known.day(at) for at in (forecast.low, forecast.likely, forecast.high))
    return replace(
        known.outlook(_dated_kind(order, likely, known)),
        window_start=start,
        likely=likely,
        window_end=end,
        chance=known.chance(forecast),
        days_late=known.days_late(max(likely, known.today)),
        forecast=forecast,
    )


_STATUS_AT: dict[DeliveryStage, Status] = {
    "placed": Status.PLACED,
    "paid": Status.PAID,
    "handed_over": Status.SHIPPED,
    "in_transit": Status.SHIPPED,
    "out_for_delivery": Status.OUT_FOR_DELIVERY,
}


def outlook_then(order: Order, forecast: Forecast) -> Outlook:
    """What this forecast of the past would have had us say of an order, at its moment."""
    then = copy(order)
    then.status = _STATUS_AT[forecast.stage]
    return describe(then, forecast, now=forecast.at, was_asked=True)


def is_expected(order: Order, *, now: datetime) -> bool:
    """Whether it can be estimated at all: it is on its way, it is known when it was placed, and the carrier
    has not fallen silent."""
    return order.placed_at is not None and order.status in OPEN | MOVING and not is_silent(order, now=now)


def is_silent(order: Order, *, now: datetime) -> bool:
    """Whether a carrier that scans parcels has not scanned one of this order's for a week."""
    for shipment in order.shipments.all():
        events = list(shipment.events.all())
        scanned = any(event.kind in _SCANS for event in events)
        if shipment.delivered_at is None and scanned and now - max(e.at for e in events) > SILENCE:
            return True
    return False


def _is_too_wide(forecast: Forecast) -> bool:
    """Whether its window is of no use to anybody: better say so and offer a colleague."""
    return forecast.too_wide or forecast.high - forecast.low > timedelta(days=settings.ESTIMATE_WIDEST)


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


def _undated(order: Order, forecast: Forecast | None, known: _Days, *, was_asked: bool) -> Outlook:
    """An order that is waited for and of which no day can honestly be told."""
    missed = known.promised is not None and known.today > known.promised
    if missed or is_silent(order, now=known.now):
        late = known.days_late(known.today)
        return replace(known.outlook("overdue"), days_late=late, forecast=forecast)
    return replace(known.outlook("uncertain" if was_asked else "no_estimate"), forecast=forecast)


def _dated_kind(order: Order, likely: date, known: _Days) -> Kind:
    if likely == known.today and _is_on_the_van(order, now=known.now):
        return "out_for_delivery"
    if known.promised is not None and max(likely, known.today) > known.promised:
        return "late"
    return "in_transit" if order.status in MOVING else "placed"


def _is_on_the_van(order: Order, *, now: datetime) -> bool:
    """Whether a parcel was loaded for delivery today, in the customer's zone, and vans still drive."""
    local = now.astimezone(order.customer.zone)
    if order.status != Status.OUT_FOR_DELIVERY or local.hour >= LAST_DROP_HOUR:
        return False
    return any(
        event.kind == TrackingEvent.Kind.OUT_FOR_DELIVERY
        and event.at.astimezone(local.tzinfo).date() == local.date()
        for shipment in order.shipments.all()
        for event in shipment.events.all()
    )


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

    def chance(self, forecast: Forecast) -> float | None:
        """Of arriving by the end of the promised day; None where that day is over or there is none."""
        if self.promised is None or self.promised < self.today:
            return None
        end = datetime.combine(self.promised + timedelta(days=1), time.min, tzinfo=self.zone)
        return forecast.chance_by(end)

    def outlook(self, kind: Kind) -> Outlook:
        return Outlook(
            kind,
            promised=self.promised,
            placed=self.placed,
            shipped=self.shipped,
            delivered=self.delivered,
            cancelled=self.cancelled,
        )

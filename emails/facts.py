"""The one place where an order's rows become what a customer reads, in chat and in mail alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from ml.types import Fact
from orders import reasons
from orders.actions import return_deadline
from orders.estimates import Outlook
from orders.models import MOVING, OPEN, Customer, Item, Order, Refund, Shipment, Status, TrackingEvent

SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "BRL": "R$ "}
_DANGLING = re.compile(r"(?:[\s,&+/-]|\b(?:and|or|with|for|of|in|by|the|a|an))+$", re.I)  # "kettle with the"
LONGEST_ITEM = 36  # characters, so that a subject with a day beside it keeps to one line of 80

Row = dict[str, str]  # one line of a timeline: label, day, state (done, now or expected)

_SITUATIONS = {
    "placed": "mail_timeline_placed",
    "in_transit": "mail_timeline_transit",
    "out_for_delivery": "mail_timeline_transit",
    "late": "mail_timeline_late",
    "overdue": "mail_timeline_overdue",
    "delivered": "mail_timeline_delivered",
}

Kind = TrackingEvent.Kind
_EVENT_LABELS: dict[str, str] = {
    Kind.ARRIVED: "Arrived at {place}",
    Kind.DEPARTED: "Left {place}",
    Kind.OUT_FOR_DELIVERY: "Out for delivery",
    Kind.ATTEMPTED: "Delivery attempted",
    Kind.HELD: "Held at {place}",
    Kind.LOST: "Reported lost",
    Kind.DAMAGED: "Reported damaged",
    Kind.SENT_BACK: "On its way back to us",
}
_AFTER_DELIVERY: dict[str, list[Row]] = {
    Status.DELIVERED: [],
    Status.RETURN_REQUESTED: [{"label": "Return asked for", "day": "", "state": "now"}],
    Status.EXCHANGE_REQUESTED: [{"label": "Exchange asked for", "day": "", "state": "now"}],
    Status.RETURNED: [{"label": "Back with us", "day": "", "state": "done"}],
}
_AT_A_DEPOT = frozenset({Kind.ARRIVED, Kind.DEPARTED, Kind.HELD, Kind.OUT_FOR_DELIVERY})


def day(value: date | datetime, zone: ZoneInfo) -> str:
    """ "Tuesday 24 November"; the year follows only where it is not the current one."""
    local = value.astimezone(zone).date() if isinstance(value, datetime) else value
    text = f"{local:%A} {local.day} {local:%B}"
    return text if local.year == timezone.now().astimezone(zone).year else f"{text} {local.year}"


def span(start: date, end: date, zone: ZoneInfo) -> str:
    """ "Tuesday 24 to Friday 27 November", or one day where both are the same."""
    if start == end:
        return day(end, zone)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start:%A} {start.day} to {day(end, zone)}"
    return f"{day(start, zone)} to {day(end, zone)}"


def money(amount: Decimal, currency: str) -> str:
    """ "£48.20", "$1,536.65", "R$ 128.45", "−£3.00", else "48.20 CHF"."""
    symbol, sign, size = SYMBOLS.get(currency.upper()), "−" if amount < 0 else "", f"{abs(amount):,.2f}"
    return f"{sign}{symbol}{size}" if symbol else f"{sign}{size} {currency.upper()}"


def masked(email: str) -> str:
    """An address as it may be shown in a chat: "a•••@example.com"."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def situation(outlook: Outlook) -> str:
    """What a timeline email for this outlook is about, a name of `ml.writer.situations`."""
    return _SITUATIONS.get(outlook.kind, "mail_timeline_other")


def order_slots(order: Order, outlook: Outlook) -> dict[str, Fact]:
    """Every slot that this order can fill; one without a value is left out.

    Days are in the customer's time zone. A window of one day is only a `likely_day`.
    """
    groups = (
        _customer(order.customer),
        _order(order),
        _parcel(order),
        _arrival(order, outlook),
        _money_back(order),
    )
    return {slot: Fact(display, source) for slot, display, source in chain(*groups) if display}


def timeline(order: Order, outlook: Outlook) -> list[Row]:
    """What happened and what is expected, oldest first, as rows of label, day and state."""
    zone = order.customer.zone
    rows = [_row("Ordered", order.placed_at, zone, "done")] if order.placed_at else []
    if order.shipped_at:
        parcel = parcel_of(order)
        rows.append(_row(f"Handed to {_carrier(parcel)}", order.shipped_at, zone, "done"))
    if order.status == Status.CANCELLED:
        rows.append(_row("Cancelled", order.cancelled_at, zone, "done"))
    elif order.status in _AFTER_DELIVERY:
        rows += [_row("Delivered", order.delivered_at, zone, "done"), *_AFTER_DELIVERY[order.status]]
    else:
        rows += [*_standing(order, zone), *_expected(outlook, zone)]
    return [*rows, *_refund_rows(order, zone)]


def parcel_of(order: Order) -> Shipment | None:
    """The parcel that an answer is about: one still under way, else the one that arrived last."""
    parcels = sorted(order.shipments.all(), key=lambda parcel: parcel.pk)
    under_way = [parcel for parcel in parcels if parcel.delivered_at is None]
    if under_way:
        return under_way[0]
    return max(parcels, key=lambda parcel: parcel.delivered_at or timezone.now(), default=None)


def latest_event(parcel: Shipment) -> TrackingEvent | None:
    return max(parcel.events.all(), key=lambda event: (event.at, event.pk), default=None)


def main_item(order: Order) -> Item | None:
    """The item an order is called by: the dearest one that has a name."""
    named = [item for item in order.items.all() if item.name.strip()]
    return max(named, key=lambda item: (item.price, -item.position), default=None)


def short_name(name: str) -> str:
    """An item's name without what follows a bracket, comma or dash, cut at a word if still long."""
    for mark in ("(", "[", ", ", " - ", " – ", " | ", ": "):
        name = name.split(mark)[0].strip() or name
    name = " ".join(name.split())
    if len(name) <= LONGEST_ITEM:
        return name
    return _DANGLING.sub("", name[: LONGEST_ITEM + 1].rsplit(" ", 1)[0][:LONGEST_ITEM])


def customer_slots(customer: Customer) -> dict[str, Fact]:
    """What can be said where no order is meant."""
    return {slot: Fact(display, source) for slot, display, source in _customer(customer) if display}


Triple = tuple[str, str, str]  # slot, display, source


def _customer(customer: Customer) -> Iterator[Triple]:
    yield "first_name", " ".join(customer.first_name.split()), f"orders.Customer:{customer.pk}.first_name"
    yield "shop", settings.SHOP_NAME, "settings.SHOP_NAME"


def _order(order: Order) -> Iterator[Triple]:
    row, zone = f"orders.Order:{order.pk}", order.customer.zone
    days = {
        "placed_at": order.placed_at,
        "promised_at": order.promised_at,
        "cancelled_at": order.cancelled_at,
    }
    yield "order", order.number, f"{row}.number"
    yield "status", order.get_status_display(), f"{row}.status"
    yield "amount", money(order.total, order.currency), f"{row}.total"
    if order.payment_method:
        yield "payment_method", f"your {order.payment_method}", f"{row}.payment_method"
    for field, at in days.items():
        if at:
            yield field.replace("_at", "_day"), day(at, zone), f"{row}.{field}"
    if item := main_item(order):
        yield "item", short_name(item.name), f"orders.Item:{item.pk}.name"
    if count := sum(item.quantity for item in order.items.all()):
        yield "item_count", f"{count:,} item{'s' if count > 1 else ''}", f"{row}.items"


def _parcel(order: Order) -> Iterator[Triple]:
    zone, parcel, row = order.customer.zone, parcel_of(order), f"orders.Order:{order.pk}.shipments"
    if order.shipped_at:
        yield "shipped_day", day(order.shipped_at, zone), f"{row}.handed_over_at"
    if order.delivered_at:
        yield "delivered_day", day(order.delivered_at, zone), f"{row}.delivered_at"
    if deadline := return_deadline(order):
        yield "return_deadline", day(deadline, zone), f"{row}.delivered_at"
    if parcel is None:
        return
    row = f"orders.Shipment:{parcel.pk}"
    yield "carrier", parcel.carrier, f"{row}.carrier"
    yield "tracking_link", parcel.tracking_link, f"{row}.tracking_link"
    if event := latest_event(parcel):
        row = f"orders.TrackingEvent:{event.pk}"
        if event.kind in _AT_A_DEPOT and event.place:
            yield "place", depot(event.place), f"{row}.place"
        yield "last_event", event.get_kind_display(), f"{row}.kind"
        yield "last_event_day", day(event.at, zone), f"{row}.at"


def _arrival(order: Order, outlook: Outlook) -> Iterator[Triple]:
    if outlook.likely is None or outlook.forecast is None:
        return
    zone, source = order.customer.zone, f"delivery:{outlook.forecast.model}"
    yield "likely_day", day(outlook.likely, zone), source
    if outlook.window_start and outlook.window_end and outlook.window_start != outlook.window_end:
        yield "window_start", day(outlook.window_start, zone), source
        yield "window_end", day(outlook.window_end, zone), source
    if outlook.promised and outlook.likely > outlook.promised:
        late = (outlook.likely - outlook.promised).days
        yield "days_late", f"{late} day{'s' if late > 1 else ''}", source
    yield "reasons", reasons.in_a_sentence(outlook.forecast.reasons), source
    if outlook.chance is not None:
        yield "promise_chance", reasons.chance(outlook.chance), source


def _money_back(order: Order) -> Iterator[Triple]:
    refund = live_refund(order)
    if refund and refund.paid_at:
        yield "refund_day", day(refund.paid_at, order.customer.zone), f"orders.Refund:{refund.pk}.paid_at"


def live_refund(order: Order) -> Refund | None:
    return next((refund for refund in order.refunds.all() if refund.state != Refund.State.REFUSED), None)


def depot(place: str) -> str:
    """A town where a parcel was scanned, as a place to be at: "the Leeds depot"."""
    has_noun = re.search(r"\b(?:depot|hub|cent(?:er|re)|warehouse|terminal|facility)\b", place, re.IGNORECASE)
    name = place if has_noun else f"{place} depot"
    return name if name.lower().startswith("the ") else f"the {name}"


def _standing(order: Order, zone: ZoneInfo) -> list[Row]:
    """Where an order that is not settled stands now."""
    if order.status in OPEN:
        label = "Being packed" if order.status == Status.PROCESSING else "Waiting to be packed"
        return [_row(label, None, zone, "now")]
    parcel = parcel_of(order)
    event = latest_event(parcel) if parcel else None
    if event and event.kind in _EVENT_LABELS:
        place = depot(event.place) if event.place else "the depot"
        return [_row(_EVENT_LABELS[event.kind].format(place=place), event.at, zone, "now")]
    return [_row("On its way", None, zone, "now")] if order.status in MOVING else []


def _carrier(parcel: Shipment | None) -> str:
    return parcel.carrier if parcel and parcel.carrier else "the carrier"


def _refund_rows(order: Order, zone: ZoneInfo) -> list[Row]:
    refund = live_refund(order)
    if refund is None:
        return []
    amount = money(refund.amount, order.currency)
    if refund.paid_at:
        return [_row(f"Refund of {amount} paid", refund.paid_at, zone, "done")]
    return [_row(f"Refund of {amount} {refund.get_state_display()}", refund.requested_at, zone, "now")]


def _expected(outlook: Outlook, zone: ZoneInfo) -> list[Row]:
    if not (outlook.window_start and outlook.window_end and outlook.likely):
        return []
    window = span(outlook.window_start, outlook.window_end, zone)
    rows = [{"label": "Arrives", "day": window, "state": "expected"}]
    if outlook.window_start != outlook.window_end:
        rows.append(_row("Most likely", outlook.likely, zone, "expected"))
    return rows


def _row(label: str, at: date | None, zone: ZoneInfo, state: str) -> Row:
    return {"label": label, "day": day(at, zone) if at else "", "state": state}

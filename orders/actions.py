"""What changes an order. Each action locks the order's row, so two at once happen one after the other."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from django.db import transaction
from django.utils import timezone

from orders import news
from orders.addresses import parse_address
from orders.errors import RefundError, TransitionError
from orders.models import OPEN, Order, Refund, Shipment, Status, TrackingEvent

RETURN_DAYS = 30

RefundStanding = Literal["open", "too_early", "too_late", "closed"]

Kind = TrackingEvent.Kind

# What a scan says about the whole order. Kinds that are missing here say nothing new about it.
STATUS_AFTER: dict[str, Status] = {
    Kind.HANDED_OVER: Status.SHIPPED,
    Kind.ARRIVED: Status.SHIPPED,
    Kind.DEPARTED: Status.SHIPPED,
    Kind.ATTEMPTED: Status.SHIPPED,
    Kind.OUT_FOR_DELIVERY: Status.OUT_FOR_DELIVERY,
    Kind.DELIVERED: Status.DELIVERED,
    Kind.LOST: Status.EXCEPTION,
    Kind.DAMAGED: Status.EXCEPTION,
    Kind.SENT_BACK: Status.EXCEPTION,
}


def cancel_order(*, order: Order, reason: str) -> Order:
    """Cancel and, where it was paid, approve the refund of its total.

    An order that is cancelled already is returned as it is: asking twice is asking once.
    Raises TransitionError where it is too late.
    """
    with transaction.atomic():
        locked = _locked(order.pk)
        if locked.status == Status.CANCELLED:
            return locked
        # the rules let staff cancel a held-up order; a customer can only before it is packed and gone
        if not locked.is_cancellable:
            raise TransitionError(
                f"Order {locked.number} is {locked.get_status_display()} and cannot be cancelled any more."
            )
        was_paid = is_paid(locked)
        locked.transition(Status.CANCELLED)
        locked.cancelled_at = timezone.now()
        locked.save(update_fields=["status", "cancelled_at", "updated_at"])
        if was_paid and locked.total > 0 and _live_refund(locked) is None:
            Refund.objects.create(
                order=locked, amount=locked.total, state=Refund.State.APPROVED, reason=reason[:200]
            )
        return locked


def is_paid(order: Order) -> bool:
    """Whether there is money to give back; some sources tell it only by the status."""
    return order.paid_at is not None or order.status != Status.PLACED


def change_shipping_address(*, order: Order, address: str) -> Order:
    """Replace the delivery address by a free text one.

    Raises AddressError where the text is no address, TransitionError where it is too late.
    """
    parsed = parse_address(address)
    with transaction.atomic():
        locked = _locked(order.pk)
        if not locked.address_is_changeable:
            raise TransitionError(
                f"Order {locked.number} is {locked.get_status_display()}; its address is fixed now."
            )
        locked.line1, locked.line2 = parsed.line1, parsed.line2
        locked.city, locked.region, locked.postcode = parsed.city, parsed.region, parsed.postcode
        # the old position would make the estimate one for the old address
        locked.lat = locked.lng = None
        locked.save()
        return locked


def request_refund(*, order: Order, reason: str) -> Refund:
    """Store a refund request over the order's total; a second request returns the first.

    Raises RefundError where the order is not delivered or its return period is over.
    """
    with transaction.atomic():
        locked = _locked(order.pk)
        live = _live_refund(locked)
        if live is not None:
            return live
        standing = refund_standing(locked, now=timezone.now())
        if standing != "open":
            raise RefundError(_REFUSALS[standing].format(number=locked.number))
        return Refund.objects.create(order=locked, amount=locked.total, reason=reason[:200])


_REFUSALS: dict[RefundStanding, str] = {
    "too_early": "Order {number} is not delivered yet, so there is nothing to refund.",
    "too_late": "The return period of order {number} is over.",
    "closed": "Order {number} has no refund left to request.",
}


def refund_standing(order: Order, *, now: datetime) -> RefundStanding:
    """Whether a refund can be requested now, and if not, why. "closed": cancelled, sent back or asked for."""
    if order.status in OPEN or order.status in (Status.SHIPPED, Status.OUT_FOR_DELIVERY, Status.EXCEPTION):
        return "too_early"
    if order.status in (Status.CANCELLED, Status.RETURNED) or _live_refund(order) is not None:
        return "closed"
    deadline = return_deadline(order)
    today = now.astimezone(order.customer.zone).date()
    return "too_late" if deadline is not None and today > deadline else "open"


def return_deadline(order: Order) -> date | None:
    """The last day for a return, in the customer's time zone; None while the delivery's day is unknown."""
    delivered = order.delivered_at
    if delivered is None:
        return None
    return delivered.astimezone(order.customer.zone).date() + timedelta(days=RETURN_DAYS)


def record_event(*, shipment: Shipment, kind: str, at: datetime, place: str = "") -> TrackingEvent:
    """Store a carrier's scan and move the order's status along; the same scan twice is stored once.

    Scans come late and out of order: only the newest one of a parcel says where the order stands.
    """
    with transaction.atomic():
        order = _locked(shipment.order_id)
        event, created = TrackingEvent.objects.get_or_create(
            shipment=shipment, at=at, kind=kind, defaults={"place": place[:120]}
        )
        if created:
            _stamp(shipment, event)
            _advance(order, event)
            news.take_in([order.pk])
        return event


def _stamp(shipment: Shipment, event: TrackingEvent) -> None:
    if event.kind == Kind.HANDED_OVER and shipment.handed_over_at is None:
        shipment.handed_over_at = event.at
    elif event.kind == Kind.DELIVERED and shipment.delivered_at is None:
        shipment.delivered_at = event.at
    else:
        return
    shipment.save(update_fields=["handed_over_at", "delivered_at"])


def _advance(order: Order, event: TrackingEvent) -> None:
    status = STATUS_AFTER.get(event.kind)
    is_newest = not TrackingEvent.objects.filter(shipment=event.shipment_id, at__gt=event.at).exists()
    if status is None or not is_newest or order.status == status or not order.can_reach(status):
        return
    if status == Status.DELIVERED and order.shipments.filter(delivered_at=None).exists():
        return
    order.status = status
    order.save(update_fields=["status", "updated_at"])


def _locked(order_id: int) -> Order:
    return Order.objects.select_for_update(of=("self",)).select_related("customer").get(pk=order_id)


def _live_refund(order: Order) -> Refund | None:
    return next((refund for refund in order.refunds.all() if refund.state != Refund.State.REFUSED), None)

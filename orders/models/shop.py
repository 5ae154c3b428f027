"""Customers, their orders, and where the parcels are. Rules about one row live on its model."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F
from django.db.models.functions import Lower, Upper

from orders.errors import TransitionError


class Customer(models.Model):
    email = models.EmailField(blank=True, help_text="Empty where the shop's data holds none.")
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2, blank=True)
    lat = models.FloatField(null=True, blank=True)
    lng = models.FloatField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    source = models.CharField(max_length=32, default="api")
    external_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="customer_external_once"),
        ]
        indexes = [
            models.Index(Lower("email"), name="customer_email_lower"),
            models.Index(Upper("last_name"), name="customer_last_name_upper"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or self.external_id

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Seller(models.Model):
    """Who packs an order: a warehouse of the shop, or a merchant on a marketplace."""

    source = models.CharField(max_length=32, default="api")
    external_id = models.CharField(max_length=64)
    name = models.CharField(max_length=120, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2, blank=True)
    lat = models.FloatField(null=True, blank=True)
    lng = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="seller_external_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.city or self.external_id


class Status(models.TextChoices):
    PLACED = "placed", "placed"
    PAID = "paid", "paid"
    PROCESSING = "processing", "being packed"
    SHIPPED = "shipped", "on its way"
    OUT_FOR_DELIVERY = "out_for_delivery", "out for delivery"
    DELIVERED = "delivered", "delivered"
    CANCELLED = "cancelled", "cancelled"
    RETURN_REQUESTED = "return_requested", "waiting for its return"
    EXCHANGE_REQUESTED = "exchange_requested", "waiting for its exchange"
    RETURNED = "returned", "returned"
    EXCEPTION = "exception", "held up"


OPEN = frozenset({Status.PLACED, Status.PAID, Status.PROCESSING})
MOVING = frozenset({Status.SHIPPED, Status.OUT_FOR_DELIVERY})
PASSABLE = OPEN | MOVING | {Status.DELIVERED, Status.RETURN_REQUESTED}

TRANSITIONS: dict[str, frozenset[str]] = {
    Status.PLACED: frozenset({Status.PAID, Status.PROCESSING, Status.CANCELLED, Status.EXCEPTION}),
    Status.PAID: frozenset({Status.PROCESSING, Status.SHIPPED, Status.CANCELLED, Status.EXCEPTION}),
    Status.PROCESSING: frozenset({Status.SHIPPED, Status.CANCELLED, Status.EXCEPTION}),
    Status.SHIPPED: frozenset({Status.OUT_FOR_DELIVERY, Status.DELIVERED, Status.EXCEPTION}),
    Status.OUT_FOR_DELIVERY: frozenset({Status.SHIPPED, Status.DELIVERED, Status.EXCEPTION}),
    Status.DELIVERED: frozenset({Status.RETURN_REQUESTED, Status.EXCHANGE_REQUESTED}),
    Status.RETURN_REQUESTED: frozenset({Status.RETURNED, Status.DELIVERED}),
    Status.EXCHANGE_REQUESTED: frozenset({Status.RETURNED, Status.DELIVERED, Status.SHIPPED}),
    Status.EXCEPTION: frozenset({Status.SHIPPED, Status.DELIVERED, Status.RETURNED, Status.CANCELLED}),
    Status.CANCELLED: frozenset(),
    Status.RETURNED: frozenset(),
}


def number_key(number: str) -> str:
    """The form under which order numbers are compared: letters and digits only, upper case."""
    return re.sub(r"[^0-9A-Z]", "", number.upper())


class Order(models.Model):
    number = models.CharField(max_length=40, help_text="As the shop writes it: #W2611340")
    number_key = models.CharField(max_length=40, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=24, choices=Status, default=Status.PLACED)
    currency = models.CharField(max_length=3, default="GBP")
    total = models.DecimalField(max_digits=12, decimal_places=2)
    placed_at = models.DateTimeField(null=True, blank=True, help_text="Empty where the source does not say.")
    paid_at = models.DateTimeField(null=True, blank=True)
    promised_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    payment_method = models.CharField(max_length=80, blank=True, help_text="As shown: Visa card ending 9212")
    line1 = models.CharField(max_length=120, blank=True)
    line2 = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=80, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    country = models.CharField(max_length=2, blank=True)
    lat = models.FloatField(null=True, blank=True)
    lng = models.FloatField(null=True, blank=True)
    source = models.CharField(max_length=32, default="api")
    updated_at = models.DateTimeField(auto_now=True)
    watched_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its estimate was last looked at; empty: news."
    )

    class Meta:
        ordering = ["-placed_at", "-id"]
        indexes = [
            models.Index(fields=["customer", "-placed_at"], name="order_by_customer"),
            models.Index(fields=["status", "promised_at"], name="order_by_status"),
            models.Index(fields=["source", "placed_at"], name="order_by_source"),
            # the few that somebody waits for, whatever the number of orders
            models.Index(
                F("watched_at").asc(nulls_first=True),
                condition=models.Q(status__in=sorted(OPEN | MOVING)),
                name="order_to_watch",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def save(self, *args: object, **kwargs: object) -> None:
        self.number_key = number_key(self.number)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def can_become(self, status: str) -> bool:
        return status in TRANSITIONS[self.status]

    def can_reach(self, status: str) -> bool:
        """Whether the rules lead there in one or more steps forward, for news that skips steps.

        An exchange starts a journey anew, so it is never a step on the way.
        """
        seen, frontier = {self.status}, {self.status}
        while frontier:
            frontier = {after for state in frontier for after in TRANSITIONS[state]} - seen
            if status in frontier:
                return True
            seen |= frontier
            frontier &= PASSABLE
        return False

    def transition(self, status: str) -> None:
        """Set the status where the rules allow it; saving is the caller's.

        Raises TransitionError otherwise.
        """
        if not self.can_become(status):
            raise TransitionError(
                f"Order {self.number} is {self.get_status_display()} and cannot be {status}."
            )
        self.status = status

    @property
    def is_cancellable(self) -> bool:
        return self.status in OPEN

    @property
    def address_is_changeable(self) -> bool:
        return self.status in OPEN

    @property
    def delivered_at(self) -> datetime | None:
        """When the last parcel arrived, if all have."""
        times = [shipment.delivered_at for shipment in self.shipments.all()]
        return max(t for t in times if t) if times and all(times) else None

    @property
    def shipped_at(self) -> datetime | None:
        """When the first parcel was handed to a carrier."""
        return min((s.handed_over_at for s in self.shipments.all() if s.handed_over_at), default=None)


class Item(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=160)
    options = models.JSONField(default=dict, blank=True)
    category = models.CharField(max_length=80, blank=True)
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    freight = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    weight_g = models.FloatField(null=True, blank=True)
    volume_cm3 = models.FloatField(null=True, blank=True)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, null=True, blank=True, related_name="items")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="item_position_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Shipment(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shipments")
    carrier = models.CharField(max_length=80, blank=True)
    service = models.CharField(max_length=40, blank=True)
    tracking_number = models.CharField(max_length=64, blank=True)
    tracking_link = models.URLField(max_length=300, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["tracking_number"], name="shipment_by_tracking"),
            models.Index(fields=["carrier", "delivered_at"], name="shipment_by_carrier"),
            models.Index(fields=["delivered_at"], name="shipment_by_delivery"),
        ]

    def __str__(self) -> str:
        return self.tracking_number or f"shipment {self.pk}"


class TrackingEvent(models.Model):
    class Kind(models.TextChoices):
        LABEL = "label", "label made"
        HANDED_OVER = "handed_over", "hand-over to the carrier"
        ARRIVED = "arrived", "arrival at the depot"
        DEPARTED = "departed", "departure from the depot"
        OUT_FOR_DELIVERY = "out_for_delivery", "loading for delivery"
        ATTEMPTED = "attempted", "a delivery attempt"
        DELIVERED = "delivered", "delivery"
        HELD = "held", "a hold at the depot"
        LOST = "lost", "a report of loss"
        DAMAGED = "damaged", "a report of damage"
        SENT_BACK = "sent_back", "a return to the sender"

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=Kind)
    place = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "at", "kind"], name="event_once"),
        ]
        indexes = [models.Index(fields=["shipment", "-at"], name="event_latest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"


class Refund(models.Model):
    class State(models.TextChoices):
        REQUESTED = "requested", "requested"
        APPROVED = "approved", "approved"
        PAID = "paid", "paid"
        REFUSED = "refused", "refused"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=12, choices=State, default=State.REQUESTED)
    reason = models.CharField(max_length=200, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            # one live refund an order: a second request finds the first
            models.UniqueConstraint(
                fields=["order"], condition=~models.Q(state="refused"), name="refund_one_live"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.number}: {self.amount} {self.order.currency}"

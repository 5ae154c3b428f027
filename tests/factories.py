"""Rows for tests, created straight in the database. Every argument has a believable default."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db.models import Max
from django.utils import timezone

from chatbot.models import Conversation, Message
from emails.models import Draft, new_key
from orders.models import MOVING, Customer, Item, Order, Shipment, Status, TrackingEvent

_count = itertools.count(1)

PASSWORD = "correct horse battery"


def customer(**fields: Any) -> Customer:
    n = next(_count)
    defaults = {
        "email": f"ada.lovell.{n}@mail.example",
        "first_name": "Ada",
        "last_name": "Lovell",
        "postcode": "LS1 4DY",
        "city": "Leeds",
        "country": "GB",
        "timezone": "Europe/London",
        "source": "test",
        "external_id": f"c{n}",
    }
    return Customer.objects.create(**defaults | fields)


def order(
    *,
    of: Customer | None = None,
    items: tuple[str, ...] = ("kettle",),
    shipped: bool | None = None,
    **fields: Any,
) -> Order:
    """An order with its items; with a shipment and its events where the status says it is under way."""
    n = next(_count)
    now = timezone.now()
    defaults = {
        "number": f"DS-{10_000 + n}",
        "customer": of or customer(),
        "status": Status.SHIPPED,
        "total": Decimal("24.10") * len(items),
        "placed_at": now - timedelta(days=4),
        "paid_at": now - timedelta(days=4),
        "promised_at": now + timedelta(days=2),
        "payment_method": "Visa card ending 9212",
        "line1": "12 Albion Street",
        "city": "Leeds",
        "postcode": "LS1 4DY",
        "country": "GB",
        "source": "test",
    }
    row: Order = Order.objects.create(**defaults | fields)
    Item.objects.bulk_create(
        Item(order=row, position=position, sku=f"SKU-{position}", name=name, price=row.total / len(items))
        for position, name in enumerate(items, start=1)
    )
    if row.status in {*MOVING, Status.DELIVERED} if shipped is None else shipped:
        shipment(row, delivered=row.status == Status.DELIVERED)
    return row


def shipment(of: Order, *, delivered: bool = False, **fields: Any) -> Shipment:
    handed_over = (of.placed_at or timezone.now()) + timedelta(days=1)
    arrived = handed_over + timedelta(days=1)
    defaults = {
        "carrier": "Northline",
        "tracking_number": f"NL{next(_count):09d}",
        "tracking_link": "https://northline.example/track",
        "handed_over_at": handed_over,
        "delivered_at": arrived if delivered else None,
    }
    row: Shipment = Shipment.objects.create(order=of, **defaults | fields)
    Kind = TrackingEvent.Kind
    TrackingEvent.objects.create(shipment=row, at=handed_over, kind=Kind.HANDED_OVER, place="Leeds")
    if row.delivered_at:
        TrackingEvent.objects.create(shipment=row, at=row.delivered_at, kind=Kind.DELIVERED, place="Leeds")
    return row


def staff_user(first_name: str = "Nina", **fields: Any) -> User:
    """Somebody who works at the desk; log in with `client.force_login` or PASSWORD."""
    defaults: dict[str, Any] = {
        "username": f"{first_name.lower()}{next(_count)}",
        "first_name": first_name,
        "is_staff": True,
    }
    return User.objects.create(password=_hashed(), **defaults | fields)


@cache
def _hashed() -> str:
    """Hashing is slow on purpose; once is enough for all tests."""
    return make_password(PASSWORD)


def conversation(*, of: Customer | None = None, **fields: Any) -> Conversation:
    """A conversation with the assistant; `of` is its verified customer."""
    defaults: dict[str, Any] = {"customer": of, "proof": Conversation.Proof.PAIR if of else ""}
    if fields.get("state") == Conversation.State.WAITING:
        defaults["waiting_since"] = timezone.now()
    return Conversation.objects.create(**defaults | fields)


def message(
    of: Conversation, text: str = "Where is my order?", *, at: datetime | None = None, **fields: Any
) -> Message:
    """The next message of a conversation, from the customer unless `author` says otherwise."""
    last = of.messages.aggregate(last=Max("seq"))["last"] or 0
    defaults = {"author": Message.Author.CUSTOMER, "seq": last + 1}
    row = Message.objects.create(conversation=of, text=text, **defaults | fields)
    if at:
        Message.objects.filter(pk=row.pk).update(created_at=at)
        row.created_at = at
    Conversation.objects.filter(pk=of.pk).update(last_seq=row.seq)
    of.last_seq = row.seq
    return row


def draft(*, of: Customer | None = None, **fields: Any) -> Draft:
    """An email that waits for approval."""
    owner = of or customer()
    defaults = {
        "kind": Draft.Kind.DELAY_NOTICE,
        "key": new_key(),
        "state": Draft.State.DRAFT,
        "customer": owner,
        "to": owner.email,
        "subject": "Your kettle will be late, new date inside",
        "body": "Hello Ada,\n\nYour kettle is late.",
        "written_by": "model",
    }
    return Draft.objects.create(**defaults | fields)

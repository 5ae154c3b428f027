"""The one door to a customer's rows.

Nothing outside this module turns an order number, an email or an id from the outside into a row:
`verify` and `customer_by_email` say who is asking, everything else takes that customer.
"""

from __future__ import annotations

import hmac
import re

from django.db.models import F, Max, Prefetch, QuerySet
from django.db.models.functions import Lower

from orders.models import Customer, Item, Order, Shipment, TrackingEvent, number_key

SHOWN_ORDERS = 50
SHOWN_ITEMS = 200
LONGEST_INPUT = 254  # an email's own limit; numbers and postcodes are far shorter

_NOBODY = "nobody"  # compared with where the number is unknown, so that both failures cost the same work


def verify(*, order_number: str, proof: str) -> Customer | None:
    """The customer who placed this order, if `proof` is their email or a postcode of theirs.

    An unknown number and a wrong proof are not told apart, neither by the answer nor by the work done.
    """
    order = (
        Order.objects.select_related("customer")
        .filter(number_key=number_key(order_number[:LONGEST_INPUT]))
        .first()
    )
    known = (order.customer.email, order.customer.postcode, order.postcode) if order else (_NOBODY,) * 3
    email, *postcodes = known
    matches = [_same(_email_key(email), _email_key(proof))]
    matches += [_same(*_postcode_keys(postcode, proof)) for postcode in postcodes]
    return order.customer if order and any(matches) else None


def customer_by_email(*, email: str) -> Customer | None:
    """The customer with this email; only for an identity that the shop has signed.

    Where several rows share the email, the one who ordered last.
    """
    key = _email_key(email)
    if not key:
        return None
    return (
        Customer.objects.annotate(email_key=Lower("email"), newest=Max("orders__placed_at"))
        .filter(email_key=key)
        .order_by(F("newest").desc(nulls_last=True), "-id")
        .first()
    )


def orders_of(customer: Customer) -> list[Order]:
    """The customer's newest orders, at most 50, with items, shipments and events loaded."""
    return list(_whole(customer)[:SHOWN_ORDERS])


def item_names(customer: Customer) -> list[str]:
    """What the customer ordered, newest first: the names of at most 200 items."""
    items = Item.objects.filter(order__customer=customer).exclude(name="")
    newest = items.order_by(F("order__placed_at").desc(nulls_last=True), "-order_id", "position")
    return list(newest.values_list("name", flat=True)[:SHOWN_ITEMS])


def order_of(customer: Customer, *, number: str) -> Order | None:
    """The customer's own order of that number, however it is written; None for anyone else's."""
    return _whole(customer).filter(number_key=number_key(number[:LONGEST_INPUT])).first()


def order_by_id(customer: Customer, order_id: int) -> Order | None:
    """The customer's own order of that id; None for anyone else's."""
    return _whole(customer).filter(pk=order_id).first()


def _whole(customer: Customer) -> QuerySet[Order]:
    return (
        Order.objects.filter(customer=customer)
        .select_related("customer")
        .prefetch_related(
            Prefetch("items", Item.objects.select_related("seller")),
            Prefetch(
                "shipments",
                Shipment.objects.prefetch_related(Prefetch("events", TrackingEvent.objects.all())),
            ),
            "refunds",
        )
        .order_by(F("placed_at").desc(nulls_last=True), "-id")
    )


def _same(known: str, given: str) -> bool:
    """Equal and not empty; takes as long for a near miss as for a far one."""
    return hmac.compare_digest(known.encode(), given.encode()) and bool(known)


def _email_key(text: str) -> str:
    return re.sub(r"\s", "", text[:LONGEST_INPUT]).lower()


def _postcode_keys(known: str, given: str) -> tuple[str, str]:
    """Both postcodes in the form under which they are compared.

    Leading zeros do not count, spreadsheets eat them. Some shops store only the five leading digits of
    a longer code; a customer who writes all of theirs means the same place.
    """
    left, right = (re.sub(r"[^0-9A-Z]", "", text[:LONGEST_INPUT].upper()) for text in (known, given))
    if left.isdigit() and right.isdigit():
        if len(left) == 5 and len(right) in (8, 9):
            right = right[:5]
        return left.lstrip("0"), right.lstrip("0")
    return left, right

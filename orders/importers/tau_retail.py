"""The shop of tau-bench's retail domain: orders.json, users.json, products.json, plain or gzipped.

It is a fixed set of a thousand orders in single JSON objects, so the files are read whole. The data
holds no dates, hence the orders have none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from orders.errors import ImportFailed
from orders.importers import Source, files
from orders.importers.values import BadValue, amount
from orders.models import Refund, Status
from orders.rows import CustomerRow, ItemRow, OrderRow, Place, RefundRow, Rejected, ShipmentRow

NAME = "tau_retail"
ORDERS, USERS, PRODUCTS = "orders.json", "users.json", "products.json"

_STATUSES = {
    "pending": Status.PAID,
    "pending (item modified)": Status.PAID,
    "processed": Status.SHIPPED,  # it has a tracking number, and can neither be cancelled nor changed
    "delivered": Status.DELIVERED,
    "cancelled": Status.CANCELLED,
    "return requested": Status.RETURN_REQUESTED,
    "exchange requested": Status.EXCHANGE_REQUESTED,
}

_STATES_BY_ZONE = {
    "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
}
ZONES = {state: zone for zone, states in _STATES_BY_ZONE.items() for state in states.split()}

Json = Mapping[str, Any]


def open_folder(folder: Path) -> Source:
    if not folder.is_dir():
        raise ImportFailed(f"{folder} is no folder.")
    orders, users, products = (_load(files.find(folder, name)) for name in (ORDERS, USERS, PRODUCTS))
    return Source(NAME, len(orders), _rows(orders, users, products))


def _load(path: Path) -> dict[str, Any]:
    try:
        with files.open_text(path) as file:
            loaded = json.load(file)
    except (ValueError, OSError, EOFError) as error:
        raise ImportFailed(f"{path.name} cannot be read as JSON: {error}.") from error
    if not isinstance(loaded, dict):
        raise ImportFailed(f"{path.name} must hold one JSON object.")
    return loaded


def _rows(orders: Json, users: Json, products: Json) -> Iterator[OrderRow | Rejected]:
    for position, (number, order) in enumerate(orders.items(), 1):
        try:
            yield _order(number, order, users, products, position)
        except BadValue as error:
            yield Rejected(ORDERS, position, f"Order {number}: {error}")
        except (KeyError, TypeError, AttributeError) as error:
            yield Rejected(
                ORDERS, position, f"Order {number} lacks a value or holds one of a wrong kind: {error}."
            )


def _order(number: str, order: Json, users: Json, products: Json, position: int) -> OrderRow:
    if order["status"] not in _STATUSES:
        raise BadValue(f"its status is {order['status']!r}, which is not known.")
    user = users.get(order["user_id"])
    if user is None:
        raise BadValue(f"user {order['user_id']} is not in {USERS}.")
    if not order["items"]:
        raise BadValue("it has no items.")
    paid = [entry for entry in order["payment_history"] if entry["transaction_type"] == "payment"]
    items = tuple(_item(item, products) for item in order["items"])
    return OrderRow(
        number=number,
        customer=_customer(order["user_id"], user),
        status=_STATUSES[order["status"]],
        currency="USD",
        total=_sum(paid) if paid else sum((item.price for item in items), Decimal(0)),
        place=_place(order["address"]),
        payment_method=_payment_method(user, paid[-1]["payment_method_id"]) if paid else "",
        items=items,
        shipments=tuple(_shipments(order)),
        refunds=tuple(_refunds(order)),
        line=position,
    )


def _customer(user_id: str, user: Json) -> CustomerRow:
    place = _place(user["address"])
    return CustomerRow(
        external_id=user_id,
        email=user["email"],
        first_name=user["name"]["first_name"],
        last_name=user["name"]["last_name"],
        place=place,
        timezone=ZONES.get(place.region, "America/New_York"),
    )


def _place(address: Json) -> Place:
    return Place(
        line1=address["address1"],
        line2=address["address2"],
        city=address["city"],
        region=address["state"],
        postcode=address["zip"],
        country="US" if address["country"] == "USA" else address["country"][:2].upper(),
    )


def _item(item: Json, products: Json) -> ItemRow:
    if item["product_id"] not in products:
        raise BadValue(f"product {item['product_id']} is not in {PRODUCTS}.")
    return ItemRow(
        name=item["name"],
        price=amount(str(item["price"]), "price"),
        sku=item["item_id"],
        options={str(name): str(value) for name, value in item["options"].items()},
        category=products[item["product_id"]]["name"],
    )


def _shipments(order: Json) -> Iterator[ShipmentRow]:
    for fulfilment in order["fulfillments"]:
        for tracking in fulfilment["tracking_id"]:
            yield ShipmentRow(tracking_number=tracking)


def _refunds(order: Json) -> Iterator[RefundRow]:
    """One for all that was booked back. It is known to be on its way, not when it arrived."""
    booked = [entry for entry in order["payment_history"] if entry["transaction_type"] == "refund"]
    if booked:
        yield RefundRow(_sum(booked), Refund.State.APPROVED, str(order.get("cancel_reason") or "")[:200])


def _sum(entries: list[Json]) -> Decimal:
    return sum((amount(str(entry["amount"]), "amount") for entry in entries), Decimal(0))


def _payment_method(user: Json, method_id: str) -> str:
    method = user["payment_methods"].get(method_id)
    if method is None:
        return ""
    if method["source"] == "credit_card":
        return f"{method['brand'].capitalize()} ending {method['last_four']}"
    return {"paypal": "PayPal", "gift_card": "gift card"}.get(method["source"], "")

"""Olist's marketplace in its original layout: one folder of CSV files, plain or gzipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orders.errors import ImportFailed
from orders.importers import Source, files
from orders.importers.olist_words import CITY_PARTICLES, NOUNS, ZONES
from orders.importers.values import BadValue, amount, end_of_day, measure, moment
from orders.models import Status, TrackingEvent
from orders.rows import (
    CustomerRow,
    EventRow,
    ItemRow,
    OrderRow,
    Place,
    Rejected,
    SellerRow,
    ShipmentRow,
)

NAME = "olist"
BATCH = 1000
CLOCK = ZoneInfo("America/Sao_Paulo")  # the marketplace writes its times without an offset

ORDERS = "olist_orders_dataset.csv"
CUSTOMERS = "olist_customers_dataset.csv"
ITEMS = "olist_order_items_dataset.csv"
PAYMENTS = "olist_order_payments_dataset.csv"
PRODUCTS = "olist_products_dataset.csv"
SELLERS = "olist_sellers_dataset.csv"
CATEGORIES = "product_category_name_translation.csv"
POSITIONS = "geo_by_zip.csv"

# file → temporary table, its keys, and the file's columns under the names they get there
_TABLES: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    ORDERS: (
        "olist_orders",
        ("line", "order_id"),
        {
            "order_id": "order_id",
            "customer_id": "customer_id",
            "order_status": "status",
            "order_purchase_timestamp": "placed",
            "order_approved_at": "paid",
            "order_delivered_carrier_date": "handed_over",
            "order_delivered_customer_date": "delivered",
            "order_estimated_delivery_date": "promised",
        },
    ),
    CUSTOMERS: (
        "olist_customers",
        ("customer_id",),
        {
            "customer_id": "customer_id",
            "customer_unique_id": "person",
            "customer_zip_code_prefix": "postcode",
            "customer_city": "city",
            "customer_state": "state",
        },
    ),
    ITEMS: (
        "olist_items",
        ("order_id",),
        {
            "order_id": "order_id",
            "order_item_id": "position",
            "product_id": "product_id",
            "seller_id": "seller_id",
            "price": "price",
            "freight_value": "freight",
        },
    ),
    PAYMENTS: (
        "olist_payments",
        ("order_id",),
        {"order_id": "order_id", "payment_type": "kind", "payment_value": "value"},
    ),
    PRODUCTS: (
        "olist_products",
        ("product_id",),
        {
            "product_id": "product_id",
            "product_category_name": "category",
            "product_weight_g": "weight",
            "product_length_cm": "length",
            "product_height_cm": "height",
            "product_width_cm": "width",
        },
    ),
}

_STATUSES = {
    "created": Status.PLACED,
    "approved": Status.PAID,
    "invoiced": Status.PROCESSING,
    "processing": Status.PROCESSING,
    "shipped": Status.SHIPPED,
    "delivered": Status.DELIVERED,
    "canceled": Status.CANCELLED,
    "unavailable": Status.EXCEPTION,  # the seller cannot supply it, and nobody has cancelled it
}
# orders that may stand without items: nothing was put together, or it was taken apart again
_MAY_BE_EMPTY = frozenset({"created", "canceled", "unavailable"})
_PAYMENTS = {
    "credit_card": "credit card",
    "debit_card": "debit card",
    "boleto": "boleto",
    "voucher": "voucher",
}


class _Head(NamedTuple):
    line: int
    order_id: str
    customer_id: str
    status: str
    placed: str
    paid: str
    handed_over: str
    delivered: str
    promised: str
    person: str | None
    postcode: str
    city: str
    state: str
    first_line: int


class _ItemLine(NamedTuple):
    line: int
    order_id: str
    position: str
    seller_id: str
    price: str
    freight: str
    product_id: str | None
    category: str
    weight: str
    length: str
    height: str
    width: str


class _Payment(NamedTuple):
    order_id: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What is small however many orders there are: categories, sellers, where postcodes lie."""

    categories: dict[str, str]
    sellers: dict[str, SellerRow]
    positions: dict[str, tuple[float, float]]


def open_folder(folder: Path) -> Source:
    if not folder.is_dir():
        raise ImportFailed(f"{folder} is no folder.")
    catalogue = _catalogue(folder)
    for name, (table, keys, columns) in _TABLES.items():
        rows = files.read_csv(files.find(folder, name), tuple(columns))
        values = ((line, *row.values()) for line, row in rows)
        files.stage(table, ("line", *columns.values()), values, keys=keys)
    total = int(files.query("SELECT count(*) FROM olist_orders")[0][0])
    return Source(NAME, total, _rows(catalogue))


def _rows(catalogue: _Catalogue) -> Iterator[OrderRow | Rejected]:
    last = 0
    while heads := _heads(last):
        ids = [head.order_id for head in heads]
        items, payments = _grouped_items(ids), _grouped_payments(ids)
        for head in heads:
            yield _order(head, items[head.order_id], payments[head.order_id], catalogue)
        last = heads[-1].line
    files.unstage(*(table for table, _, _ in _TABLES.values()))


def _heads(after: int) -> list[_Head]:
    sql = """
        SELECT o.line, o.order_id, o.customer_id, o.status, o.placed, o.paid, o.handed_over, o.delivered,
               o.promised, c.person, c.postcode, c.city, c.state,
               (SELECT min(line) FROM olist_orders same WHERE same.order_id = o.order_id)
        FROM (SELECT * FROM olist_orders WHERE line > %s ORDER BY line LIMIT %s) o
        LEFT JOIN LATERAL (
            SELECT * FROM olist_customers WHERE customer_id = o.customer_id ORDER BY line LIMIT 1
        ) c ON true
        ORDER BY o.line"""
    return [_Head(*row) for row in files.query(sql, (after, BATCH))]


def _grouped_items(order_ids: Sequence[str]) -> dict[str, list[_ItemLine]]:
    sql = """
        SELECT i.line, i.order_id, i.position, i.seller_id, i.price, i.freight,
               p.product_id, p.category, p.weight, p.length, p.height, p.width
        FROM olist_items i LEFT JOIN LATERAL (
            SELECT * FROM olist_products WHERE product_id = i.product_id ORDER BY line LIMIT 1
        ) p ON true
        WHERE i.order_id = ANY(%s) ORDER BY i.line"""
    grouped: dict[str, list[_ItemLine]] = defaultdict(list)
    for row in files.query(sql, (list(order_ids),)):
        item = _ItemLine(*row)
        grouped[item.order_id].append(item)
    return grouped


def _grouped_payments(order_ids: Sequence[str]) -> dict[str, list[_Payment]]:
    sql = "SELECT order_id, kind, value FROM olist_payments WHERE order_id = ANY(%s) ORDER BY line"
    grouped: dict[str, list[_Payment]] = defaultdict(list)
    for row in files.query(sql, (list(order_ids),)):
        payment = _Payment(*row)
        grouped[payment.order_id].append(payment)
    return grouped


def _order(
    head: _Head, items: list[_ItemLine], payments: list[_Payment], catalogue: _Catalogue
) -> OrderRow | Rejected:
    try:
        _check(head, items)
        return _convert(head, items, payments, catalogue)
    except BadValue as error:
        return Rejected(ORDERS, head.line, f"Order {head.order_id}: {error}")


def _check(head: _Head, items: list[_ItemLine]) -> None:
    if not head.order_id:
        raise BadValue("order_id is empty.")
    if head.first_line != head.line:
        raise BadValue(f"it stands on line {head.first_line} already.")
    if head.status not in _STATUSES:
        raise BadValue(f"order_status is {head.status!r}, which is not known.")
    if head.person is None:
        raise BadValue(f"customer {head.customer_id} is not in {CUSTOMERS}.")
    if not items and head.status not in _MAY_BE_EMPTY:
        raise BadValue(f"it is {head.status}, yet {ITEMS} has no item of it.")
    seen: set[str] = set()
    for item in items:
        if item.position in seen:
            raise BadValue(f"item {item.position} stands twice in {ITEMS}, again on line {item.line}.")
        seen.add(item.position)


def _convert(
    head: _Head, items: list[_ItemLine], payments: list[_Payment], catalogue: _Catalogue
) -> OrderRow:
    zone = ZONES.get(head.state, CLOCK.key)
    place = _place(head.postcode, head.city, head.state, catalogue.positions)
    rows = tuple(_item(item, catalogue) for item in items)
    shipment = _shipment(head, rows, place)
    placed = moment(head.placed, "order_purchase_timestamp", CLOCK)
    if placed is None:
        raise BadValue("order_purchase_timestamp is empty.")
    return OrderRow(
        number=head.order_id,
        customer=CustomerRow(head.person or "", place=place, timezone=zone),
        status=_STATUSES[head.status],
        currency="BRL",
        total=_total(rows, payments),
        place=place,
        placed_at=placed,
        paid_at=moment(head.paid, "order_approved_at", CLOCK),
        promised_at=end_of_day(head.promised, "order_estimated_delivery_date", ZoneInfo(zone)),
        payment_method=_payment_method(payments),
        items=rows,
        shipments=(shipment,) if shipment else (),
        line=head.line,
    )


def _total(items: Sequence[ItemRow], payments: Sequence[_Payment]) -> Decimal:
    """What was paid; of an order without payments, what its items cost."""
    if payments:
        return sum((amount(payment.value, "payment_value") for payment in payments), Decimal(0))
    return sum((item.price + item.freight for item in items), Decimal(0))


def _payment_method(payments: Sequence[_Payment]) -> str:
    names = {payment.kind: _PAYMENTS[payment.kind] for payment in payments if payment.kind in _PAYMENTS}
    return " and ".join(names.values())


def _item(item: _ItemLine, catalogue: _Catalogue) -> ItemRow:
    if item.product_id is None:
        raise BadValue(f"the product of item {item.position} is not in {PRODUCTS}.")
    if item.seller_id not in catalogue.sellers:
        raise BadValue(f"seller {item.seller_id} is not in {SELLERS}.")
    category = catalogue.categories.get(item.category, item.category)
    sides = [measure(text, "product size") for text in (item.length, item.height, item.width)]
    length, height, width = sides
    return ItemRow(
        name=NOUNS.get(category, "item"),
        price=amount(item.price, "price"),
        sku=item.product_id,
        category=category.replace("_", " "),
        freight=amount(item.freight, "freight_value"),
        weight_g=measure(item.weight, "product_weight_g"),
        volume_cm3=length * height * width if length and height and width else None,
        seller=catalogue.sellers[item.seller_id],
    )


def _shipment(head: _Head, items: Sequence[ItemRow], destination: Place) -> ShipmentRow | None:
    """What is known of the way. A hand-over before the order or after the delivery cannot be true, and
    is left out; in the data a few hundred are."""
    placed = moment(head.placed, "order_purchase_timestamp", CLOCK)
    handed_over = moment(head.handed_over, "order_delivered_carrier_date", CLOCK)
    delivered = moment(head.delivered, "order_delivered_customer_date", CLOCK)
    if handed_over and ((placed and handed_over < placed) or (delivered and delivered < handed_over)):
        handed_over = None
    if not handed_over and not delivered:
        return None
    origin = items[0].seller.place.city if items and items[0].seller else ""
    scans: list[tuple[datetime | None, str, str]] = [
        (handed_over, TrackingEvent.Kind.HANDED_OVER, origin),
        (delivered, TrackingEvent.Kind.DELIVERED, destination.city),
    ]
    return ShipmentRow(
        handed_over_at=handed_over,
        delivered_at=delivered,
        events=tuple(EventRow(at, kind, place) for at, kind, place in scans if at),
    )


def _catalogue(folder: Path) -> _Catalogue:
    positions = {
        _postcode(row["geolocation_zip_code_prefix"]): (float(row["lat"]), float(row["lng"]))
        for _, row in files.read_csv(
            files.find(folder, POSITIONS), ("geolocation_zip_code_prefix", "lat", "lng")
        )
        if measure(row["lat"], "lat", low=-90, high=90) is not None
        and measure(row["lng"], "lng", low=-180, high=180) is not None
    }
    columns = ("seller_id", "seller_zip_code_prefix", "seller_city", "seller_state")
    sellers = {
        row["seller_id"]: SellerRow(
            row["seller_id"],
            place=_place(row["seller_zip_code_prefix"], row["seller_city"], row["seller_state"], positions),
        )
        for _, row in files.read_csv(files.find(folder, SELLERS), columns)
    }
    names = ("product_category_name", "product_category_name_english")
    categories = {
        row[names[0]]: row[names[1]] for _, row in files.read_csv(files.find(folder, CATEGORIES), names)
    }
    return _Catalogue(categories, sellers, positions)


def _place(postcode: str, city: str, state: str, positions: dict[str, tuple[float, float]]) -> Place:
    code = _postcode(postcode)
    lat, lng = positions.get(code, (None, None))
    return Place(city=_city(city), region=state, postcode=code, country="BR", lat=lat, lng=lng)


def _postcode(prefix: str) -> str:
    """The five digits that a prefix has; a spreadsheet on the way ate leading zeros."""
    return prefix.zfill(5) if prefix else ""


def _city(name: str) -> str:
    words = [word if word in CITY_PARTICLES else word.capitalize() for word in name.lower().split()]
    return " ".join(words)[:120]

"""A shop's own export: one CSV, a row an item, the order's columns repeated (docs/import-csv.md)."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from orders.errors import ImportFailed
from orders.importers import Source, files
from orders.importers.values import BadValue, amount, end_of_day, measure, moment, whole
from orders.models import Status, TrackingEvent, number_key
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

NAME = "csv"
TABLE = "csv_orders"
BATCH = 1000

REQUIRED = ("order_number", "status", "currency", "item_name", "item_price")
ORDER_COLUMNS = (
    "order_number",
    "status",
    "currency",
    "total",
    "placed_at",
    "paid_at",
    "promised_at",
    "cancelled_at",
    "payment_method",
    "customer_id",
    "customer_email",
    "customer_first_name",
    "customer_last_name",
    "customer_postcode",
    "timezone",
    "line1",
    "line2",
    "city",
    "region",
    "postcode",
    "country",
    "lat",
    "lng",
    "carrier",
    "service",
    "tracking_number",
    "tracking_link",
    "handed_over_at",
    "delivered_at",
)
ITEM_COLUMNS = (
    "item_name",
    "item_price",
    "item_quantity",
    "item_freight",
    "item_sku",
    "item_category",
    "item_weight_g",
    "item_volume_cm3",
    "seller",
    "seller_lat",
    "seller_lng",
)
KNOWN = (*ORDER_COLUMNS, *ITEM_COLUMNS)
# the tables' limits; a text that is longer is a mistake in the file, not something to cut silently
_LONGEST = {
    "order_number": 40,
    "customer_id": 64,
    "customer_email": 254,
    "customer_first_name": 80,
    "customer_last_name": 80,
    "customer_postcode": 16,
    "payment_method": 80,
    "line1": 120,
    "line2": 120,
    "city": 120,
    "region": 80,
    "postcode": 16,
    "carrier": 80,
    "service": 40,
    "tracking_number": 64,
    "tracking_link": 300,
    "item_name": 160,
    "item_sku": 64,
    "item_category": 80,
    "seller": 64,
}

Cells = Mapping[str, str]
Lines = Sequence[tuple[int, Cells]]


class _Refused(Exception):
    """One line spoils its order."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def open_file(path: Path) -> Source:
    if not path.is_file():
        raise ImportFailed(f"{path} is no file.")
    files.stage(TABLE, ("line", "key", "cells"), _staged(path), keys=("key",))
    # one head an order, where its first line stands; its lines may stand anywhere
    files.execute("DROP TABLE IF EXISTS pg_temp.csv_heads")
    files.execute(
        f"CREATE TEMPORARY TABLE csv_heads AS SELECT key, min(line) AS line FROM {TABLE} GROUP BY key"
    )
    files.execute("CREATE INDEX ON csv_heads (line)")
    total = int(files.query("SELECT count(*) FROM csv_heads")[0][0])
    return Source(NAME, total, _rows(path.name))


def _staged(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, key and all cells as JSON. A row with too few or too many cells says so under "" there."""
    with files.open_text(path) as file:
        try:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            files.check_columns(path, header, required=REQUIRED, known=KNOWN)
            if len(set(header)) < len(header):
                raise ImportFailed(f"{path.name} has a column twice.")
            for row in reader:
                if not any(row):
                    continue
                cells = dict(zip(header, map(files.clean, row), strict=False))
                if len(row) != len(header):
                    cells[""] = f"it has {len(row)} cells, the header has {len(header)}."
                # a line without a number is an order of its own, to be refused as such
                key = number_key(cells.get("order_number", "")) or f"line {reader.line_num}"
                yield reader.line_num, key, json.dumps(cells)
        except (UnicodeDecodeError, csv.Error, OSError, EOFError) as error:
            raise ImportFailed(f"{path.name} cannot be read as CSV in UTF-8: {error}.") from error


def _rows(file: str) -> Iterator[OrderRow | Rejected]:
    last = 0
    while heads := files.query(
        "SELECT line, key FROM csv_heads WHERE line > %s ORDER BY line LIMIT %s", (last, BATCH)
    ):
        grouped: dict[str, list[tuple[int, Cells]]] = {key: [] for _, key in heads}
        sql = f"SELECT key, line, cells FROM {TABLE} WHERE key = ANY(%s) ORDER BY line"
        for key, line, cells in files.query(sql, (list(grouped),)):
            grouped[key].append((line, json.loads(cells)))
        for lines in grouped.values():
            yield _order_or_reason(file, lines)
        last = heads[-1][0]
    files.unstage(TABLE, "csv_heads")


def _order_or_reason(file: str, lines: Lines) -> OrderRow | Rejected:
    try:
        return _order(lines)
    except _Refused as refused:
        number = lines[0][1].get("order_number", "")
        rest = " Nothing of this order was imported." if len(lines) > 1 else ""
        return Rejected(file, refused.line, f"Order {number or 'without a number'}: {refused}{rest}")


def _order(lines: Lines) -> OrderRow:
    _check_lines(lines)
    items = []
    for line, cells in lines:
        try:
            items.append(_item(cells))
        except BadValue as error:
            raise _Refused(line, str(error)) from error
    line, cells = lines[0]
    try:
        return _head(cells, tuple(items), line)
    except BadValue as error:
        raise _Refused(line, str(error)) from error


def _check_lines(lines: Lines) -> None:
    first_line, first = lines[0]
    seen: dict[tuple[str, ...], int] = {}
    for line, cells in lines:
        if "" in cells:
            raise _Refused(line, cells[""])
        for name in ORDER_COLUMNS:
            if cells.get(name, "") != first.get(name, ""):
                raise _Refused(line, f"{name} differs from line {first_line}, which is of the same order.")
        item = tuple(cells.get(name, "") for name in ITEM_COLUMNS)
        if item in seen:
            raise _Refused(line, f"it repeats line {seen[item]}; two of an item are item_quantity 2.")
        seen[item] = line
        for name, longest in _LONGEST.items():
            if len(cells.get(name, "")) > longest:
                raise _Refused(line, f"{name} has more than {longest} characters.")


def _head(cells: Cells, items: tuple[ItemRow, ...], line: int) -> OrderRow:
    def cell(name: str) -> str:
        return cells.get(name, "")

    if not number_key(cell("order_number")):
        raise BadValue("order_number is empty or has neither letters nor digits.")
    if cell("status") not in Status.values:
        raise BadValue(f"status is {cell('status')!r}; known are {', '.join(Status.values)}.")
    if not re.fullmatch(r"[A-Z]{3}", cell("currency")):
        raise BadValue(f"currency is {cell('currency')!r}, which is no code such as GBP.")
    customer = _customer(cells)
    zone = ZoneInfo(customer.timezone)
    shipment = _shipment(cells, zone)
    goods = sum((item.price * item.quantity + item.freight for item in items), Decimal(0))
    return OrderRow(
        number=cell("order_number"),
        customer=customer,
        status=cell("status"),
        currency=cell("currency"),
        total=amount(cell("total"), "total") if cell("total") else goods,
        place=_place(cells),
        placed_at=moment(cell("placed_at"), "placed_at", zone),
        paid_at=moment(cell("paid_at"), "paid_at", zone),
        promised_at=end_of_day(cell("promised_at"), "promised_at", zone),
        cancelled_at=moment(cell("cancelled_at"), "cancelled_at", zone),
        payment_method=cell("payment_method"),
        items=items,
        shipments=(shipment,) if shipment else (),
        line=line,
    )


def _customer(cells: Cells) -> CustomerRow:
    email, external_id = cells.get("customer_email", ""), cells.get("customer_id", "")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise BadValue(f"customer_email is {email!r}, which is no email address.")
    if not external_id and not email:
        raise BadValue("customer_id and customer_email are both empty.")
    if not external_id and len(email) > 64:
        raise BadValue("customer_email has more than 64 characters; give a customer_id as well.")
    zone = cells.get("timezone", "") or "UTC"
    if zone not in available_timezones():
        raise BadValue(f"timezone is {zone!r}, which is no name such as Europe/London.")
    place = _place(cells)
    return CustomerRow(
        external_id=external_id or email.lower(),
        email=email,
        first_name=cells.get("customer_first_name", ""),
        last_name=cells.get("customer_last_name", ""),
        place=Place(
            city=place.city,
            region=place.region,
            postcode=cells.get("customer_postcode", "") or place.postcode,
            country=place.country,
            lat=place.lat,
            lng=place.lng,
        ),
        timezone=zone,
    )


def _place(cells: Cells) -> Place:
    country = cells.get("country", "")
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        raise BadValue(f"country is {country!r}, which is no code such as GB.")
    return Place(
        line1=cells.get("line1", ""),
        line2=cells.get("line2", ""),
        city=cells.get("city", ""),
        region=cells.get("region", ""),
        postcode=cells.get("postcode", ""),
        country=country,
        lat=measure(cells.get("lat", ""), "lat", low=-90, high=90),
        lng=measure(cells.get("lng", ""), "lng", low=-180, high=180),
    )


def _shipment(cells: Cells, zone: ZoneInfo) -> ShipmentRow | None:
    handed_over = moment(cells.get("handed_over_at", ""), "handed_over_at", zone)
    delivered = moment(cells.get("delivered_at", ""), "delivered_at", zone)
    if handed_over and delivered and delivered < handed_over:
        raise BadValue("delivered_at lies before handed_over_at.")
    link = cells.get("tracking_link", "")
    if link and not link.startswith(("https://", "http://")):
        raise BadValue(f"tracking_link is {link!r}, which is no web address.")
    texts = {name: cells.get(name, "") for name in ("carrier", "service", "tracking_number")}
    if not (handed_over or delivered or link or any(texts.values())):
        return None
    scans = ((handed_over, TrackingEvent.Kind.HANDED_OVER), (delivered, TrackingEvent.Kind.DELIVERED))
    return ShipmentRow(
        **texts,
        tracking_link=link,
        handed_over_at=handed_over,
        delivered_at=delivered,
        events=tuple(EventRow(at, kind) for at, kind in scans if at),
    )


def _item(cells: Cells) -> ItemRow:
    if not cells.get("item_name"):
        raise BadValue("item_name is empty.")
    return ItemRow(
        name=cells["item_name"],
        price=amount(cells.get("item_price", ""), "item_price"),
        sku=cells.get("item_sku", ""),
        category=cells.get("item_category", ""),
        quantity=whole(cells.get("item_quantity", "") or "1", "item_quantity"),
        freight=amount(cells.get("item_freight", "") or "0", "item_freight"),
        weight_g=measure(cells.get("item_weight_g", ""), "item_weight_g"),
        volume_cm3=measure(cells.get("item_volume_cm3", ""), "item_volume_cm3"),
        seller=_seller(cells),
    )


def _seller(cells: Cells) -> SellerRow | None:
    name = cells.get("seller", "")
    if not name:
        return None
    lat = measure(cells.get("seller_lat", ""), "seller_lat", low=-90, high=90)
    lng = measure(cells.get("seller_lng", ""), "seller_lng", low=-180, high=180)
    return SellerRow(name, name, Place(lat=lat, lng=lng))

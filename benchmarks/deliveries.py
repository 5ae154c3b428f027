"""Readers of finished deliveries: Olist's folder, or any shop's CSV."""

from __future__ import annotations

import csv
import gzip
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from ml.types import Consignment

REQUIRED = ("order_id", "placed_at", "delivered_at")
# Columns that are fields of a consignment by their name; every other one is a feature of the shop's own.
TIMES = ("placed_at", "paid_at", "handed_over_at", "out_for_delivery_at", "delivered_at", "promised_at")
NUMBERS = (
    *("origin_lat", "origin_lng", "destination_lat", "destination_lng"),
    *("weight_g", "volume_cm3", "price", "freight", "items", "sellers"),
)
WORDS = (
    *("origin_region", "region", "seller", "carrier", "service"),
    *("country", "origin_country", "postcode", "category", "payment"),
)
FIELDS = {*TIMES, *NUMBERS, *WORDS}
assert {field.name for field in fields(Consignment)} >= FIELDS


def read_csv(path: Path) -> Iterator[Consignment]:
    """Any shop's orders; those not delivered count as orders in hand.

    A column of the shop's own is a number where every value reads as one. One that holds times is left
    out: nobody can tell whether they were known when the order was placed.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
        if missing:
            raise SystemExit(f"{path.name} lacks the column {missing[0]}.")
        rows = [row for row in reader if row["placed_at"]]
    own = [name for name in rows[0] if name and name not in FIELDS and name != "order_id"] if rows else []
    kinds = {name: _kind(row[name] or "" for row in rows) for name in own}
    for row in rows:
        yield Consignment(
            **{name: _moment_or_none(row.get(name)) for name in TIMES},  # type: ignore[arg-type]
            **{name: _number(row.get(name)) for name in NUMBERS},  # type: ignore[arg-type]
            **{name: row.get(name) or "" for name in WORDS},  # type: ignore[arg-type]
            extra=_extra(row, kinds),
        )


def read_olist(folder: Path) -> Iterator[Consignment]:
    """Orders as the importer would store them, without a database; none that was cancelled."""
    positions = {
        row["geolocation_zip_code_prefix"]: (float(row["lat"]), float(row["lng"]))
        for row in _table(folder, "geo_by_zip")
    }
    sellers = {row["seller_id"]: row for row in _table(folder, "olist_sellers_dataset")}
    customers = {row["customer_id"]: row for row in _table(folder, "olist_customers_dataset")}
    products = {row["product_id"]: row for row in _table(folder, "olist_products_dataset")}
    items, payments = _grouped(folder, "olist_order_items_dataset"), _payments(folder)
    for order in _table(folder, "olist_orders_dataset"):
        bought = items[order["order_id"]]
        if order["order_status"] in ("canceled", "unavailable") or not bought:
            continue
        customer, seller = customers[order["customer_id"]], sellers[bought[0]["seller_id"]]
        goods = [products[item["product_id"]] for item in bought]
        origin = positions.get(seller["seller_zip_code_prefix"].zfill(5), (None, None))
        destination = positions.get(customer["customer_zip_code_prefix"].zfill(5), (None, None))
        placed = _moment(order["order_purchase_timestamp"])
        handed = _moment_or_none(order["order_delivered_carrier_date"])
        is_delivered = order["order_status"] == "delivered"
        delivered = _moment_or_none(order["order_delivered_customer_date"]) if is_delivered else None
        # a hand-over before the order or after the delivery cannot be true
        if handed and (handed < placed or (delivered and delivered < handed)):
            handed = None
        yield Consignment(
            placed_at=placed,
            paid_at=_moment_or_none(order["order_approved_at"]),
            handed_over_at=handed,
            delivered_at=delivered,
            promised_at=_moment_or_none(order["order_estimated_delivery_date"]),
            origin_lat=origin[0],
            origin_lng=origin[1],
            destination_lat=destination[0],
            destination_lng=destination[1],
            origin_region=seller["seller_state"],
            region=customer["customer_state"],
            country="BR",
            origin_country="BR",
            postcode=customer["customer_zip_code_prefix"].zfill(5),
            seller=seller["seller_id"],
            sellers=float(len({item["seller_id"] for item in bought})),
            category=goods[0]["product_category_name"],
            payment=payments.get(order["order_id"], ""),
            weight_g=_sum(_number(product["product_weight_g"]) for product in goods),
            volume_cm3=_sum(map(_volume, goods)),
            price=_sum(_number(item["price"]) for item in bought),
            freight=_sum(_number(item["freight_value"]) for item in bought),
            items=float(len(bought)),
        )


def moment(text: str) -> datetime:
    """Times without an offset are taken as they stand: only differences and local hours matter here."""
    return _moment(text)


def _table(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _grouped(folder: Path, name: str) -> dict[str, list[dict[str, str]]]:
    grouped: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _table(folder, name):
        grouped[row["order_id"]].append(row)
    return grouped


def _payments(folder: Path) -> dict[str, str]:
    """How the larger part of each order was paid."""
    paid = _grouped(folder, "olist_order_payments_dataset")
    return {
        order: max(rows, key=lambda row: float(row["payment_value"]))["payment_type"]
        for order, rows in paid.items()
    }


def _volume(product: dict[str, str]) -> float | None:
    sides = [_number(product[f"product_{side}_cm"]) for side in ("length", "height", "width")]
    length, height, width = sides
    return length * height * width if length and height and width else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _kind(values: Iterable[str]) -> type[float] | type[str] | None:
    known = [text for text in values if text]
    if all(_number(text) is not None for text in known):
        return float
    return None if all(_is_moment(text) for text in known) else str


def _extra(row: dict[str, str], kinds: dict[str, type[float] | type[str] | None]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name, kind in kinds.items():
        number = _number(row[name]) if kind is float else None
        if number is not None:
            found[name] = number
        elif kind is str and row[name]:
            found[name] = row[name]
    return found


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _moment_or_none(text: str | None) -> datetime | None:
    return _moment(text) if text else None


def _number(text: str | None) -> float | None:
    """None for an empty cell, for what is no number, and for NaN and the infinities."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None

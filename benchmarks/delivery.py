"""How well arrivals are estimated, on orders the model has never seen.

Olist: learned from deliveries that had ended before 2018-06-01, scored on delivered orders bought on or
after that day. Any other shop: a CSV and a date, the same way.
"""

from __future__ import annotations

import csv as csv_module
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ml.delivery.evaluate import baselines, score
from ml.delivery.model import DeliveryModel
from ml.types import Consignment

OLIST_SPLIT = "2018-06-01"
REQUIRED = ("order_id", "placed_at", "delivered_at")
POSITIONS = ("origin_lat", "origin_lng", "destination_lat", "destination_lng")
KNOWN = {*REQUIRED, *POSITIONS, "promised_at"}


def run(data: Path | None, *, csv: Path | None, split: str | None) -> dict[str, Any]:
    """The figures as one flat dictionary; errors and widths in days."""
    if csv is not None:
        if not split:
            raise SystemExit(
                "--csv needs --split DATE: deliveries before it train, orders placed since test."
            )
        return compare(list(read_csv(csv)), _moment(split))
    if data is None:
        raise SystemExit("delivery needs --data DIR (the public data) or --csv FILE --split DATE.")
    return compare(list(read_olist(data / "orders" / "olist")), _moment(split or OLIST_SPLIT))


def compare(rows: list[Consignment], split: datetime) -> dict[str, Any]:
    train = [row for row in rows if row.delivered_at and row.delivered_at < split]
    test = [row for row in rows if row.delivered_at and row.placed_at >= split]
    if not train or not test:
        raise SystemExit(f"Nothing to learn from before {split:%Y-%m-%d}, or nothing to test on since.")
    model = DeliveryModel().fit(train)
    purchase = score(model, test, "purchase")
    handover = score(model, test, "handover") if "handover" in model.stages_ else None
    simple = baselines(train, test, "purchase")
    return {
        "mae_purchase": purchase["mae"],
        "mae_purchase_interval": purchase["mae_interval"],
        "mae_handover": handover["mae"] if handover else None,
        "promise_mae": simple["promise_mae"],
        "median_mae": simple["median_mae"],
        "coverage90": purchase["coverage90"],
        "width90": purchase["width90"],
        "coverage90_handover": handover["coverage90"] if handover else None,
        "width90_handover": handover["width90"] if handover else None,
        "train_orders": len(train),
        "test_orders": purchase["test_orders"],
    }


def read_csv(path: Path) -> Iterator[Consignment]:
    """Any shop's orders; a column that is not known is a feature, a number where it reads as one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv_module.DictReader(file)
        missing = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
        if missing:
            raise SystemExit(f"{path.name} lacks the column {missing[0]}.")
        for row in reader:
            if row["placed_at"] and row["delivered_at"]:
                yield Consignment(
                    placed_at=_moment(row["placed_at"]),
                    delivered_at=_moment(row["delivered_at"]),
                    promised_at=_moment_or_none(row.get("promised_at")),
                    extra={name: _value(text) for name, text in row.items() if name not in KNOWN and text},
                    origin_lat=_number(row.get("origin_lat")),
                    origin_lng=_number(row.get("origin_lng")),
                    destination_lat=_number(row.get("destination_lat")),
                    destination_lng=_number(row.get("destination_lng")),
                )


def read_olist(folder: Path) -> Iterator[Consignment]:
    """Delivered orders as the importer would store them, without a database."""
    positions = {
        row["geolocation_zip_code_prefix"]: (float(row["lat"]), float(row["lng"]))
        for row in _table(folder, "geo_by_zip")
    }
    sellers = {row["seller_id"]: row for row in _table(folder, "olist_sellers_dataset")}
    customers = {row["customer_id"]: row for row in _table(folder, "olist_customers_dataset")}
    products = {row["product_id"]: row for row in _table(folder, "olist_products_dataset")}
    items = defaultdict(list)
    for row in _table(folder, "olist_order_items_dataset"):
        items[row["order_id"]].append(row)
    for order in _table(folder, "olist_orders_dataset"):
        if order["order_status"] != "delivered" or not order["order_delivered_customer_date"]:
            continue
        bought = items[order["order_id"]]
        customer, seller = customers[order["customer_id"]], sellers[bought[0]["seller_id"]]
        goods = [products[item["product_id"]] for item in bought]
        origin = positions.get(seller["seller_zip_code_prefix"].zfill(5), (None, None))
        destination = positions.get(customer["customer_zip_code_prefix"].zfill(5), (None, None))
        yield Consignment(
            placed_at=_moment(order["order_purchase_timestamp"]),
            handed_over_at=_moment_or_none(order["order_delivered_carrier_date"]),
            delivered_at=_moment(order["order_delivered_customer_date"]),
            promised_at=_moment_or_none(order["order_estimated_delivery_date"]),
            origin_lat=origin[0],
            origin_lng=origin[1],
            destination_lat=destination[0],
            destination_lng=destination[1],
            origin_region=seller["seller_state"],
            region=customer["customer_state"],
            seller=seller["seller_id"],
            weight_g=_sum(_number(product["product_weight_g"]) for product in goods),
            volume_cm3=_sum(map(_volume, goods)),
            price=_sum(_number(item["price"]) for item in bought),
            freight=_sum(_number(item["freight_value"]) for item in bought),
            items=float(len(bought)),
        )


def _table(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv_module.DictReader(file)


def _volume(product: dict[str, str]) -> float | None:
    sides = [_number(product[f"product_{side}_cm"]) for side in ("length", "height", "width")]
    length, height, width = sides
    return length * height * width if length and height and width else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _moment(text: str) -> datetime:
    """Times without an offset are taken as they stand: only differences and local hours matter here."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _moment_or_none(text: str | None) -> datetime | None:
    return _moment(text) if text else None


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text

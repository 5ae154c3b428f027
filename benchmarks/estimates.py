"""How long an estimate takes in a full database, and in one a hundredth of its size.

A shop is simulated, 10,000 orders through the ordinary import. Its finished orders are then copied inside
the database, each time as those of other sellers in another time, until there are `orders` of them. The
same open orders are estimated before and after. Everything lives in an embedded PostgreSQL in a temporary
folder, which is gone afterwards. Times are wall-clock milliseconds of one process: `read_order` with its
items, parcels and scans; `estimate` an order that was read, with the features that the database keeps
(`features`) and the model (`model`); `one` is both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

SMALL = 10_000
SINGLES = 300
BATCH = 1000
WARM_UP = 20
APART = 10_000_000  # between the ids of a copy and those of the next


def run(orders: int = 1_000_000) -> dict[str, Any]:
    """In a process of its own, since settings decide at their import where the database is."""
    with tempfile.TemporaryDirectory(prefix="doorstep-estimates-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.estimates", str(orders)],
            env=os.environ
            | {"DOORSTEP_VAR": folder, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measured(orders: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.utils import timezone

    from emails.assistant import mail_tools
    from orders import paces

    call_command("migrate", verbosity=0)
    call_command("seed_demo", customers=4000, orders=SMALL, verbosity=0)
    paces.count_backlog()
    _, model = mail_tools()
    now = timezone.now()
    small = _times(model, now)
    started = time.perf_counter()
    count = _fill(orders)
    paces.count_backlog()
    filled = time.perf_counter() - started
    full = _times(model, now)
    return {
        "orders": {"small": SMALL, "full": count},
        "ms": {
            name: {"small": small[name], "full": full[name]}
            for name in ("one", "read_order", "estimate", "features", "model")
        },
        "times_the_small_one": {
            name: round(full[name]["p50"] / small[name]["p50"], 2) for name in ("one", "estimate")
        },
        f"batch_of_{BATCH}_s": {"small": small["batch"], "full": full["batch"]},
        "filled_in_s": round(filled),
    }


def _times(model: Any, now: datetime) -> dict[str, Any]:
    from orders import lookups
    from orders.consignments import consignment
    from orders.estimates import outlook, outlooks
    from orders.models import MOVING, OPEN, Order
    from orders.paces import known_at

    def whole(row: Order) -> Order:
        order = lookups.order_by_id(row.customer, row.pk)
        assert order
        return order

    waited_for = Order.objects.filter(status__in=sorted(OPEN | MOVING), source="demo").order_by("number")
    singles = list(waited_for.select_related("customer")[: SINGLES + WARM_UP])
    read = [whole(row) for row in singles]
    rows = [consignment(order) for order in read]
    known = known_at(rows, now=now)
    many = list(
        waited_for.select_related("customer").prefetch_related("items__seller", "shipments__events")[:BATCH]
    )
    batches = [_seconds(lambda: outlooks(many, model=model, now=now)) for _ in range(3)]
    return {
        "one": _spread(lambda row: outlook(whole(row), model=model, now=now), singles),
        "read_order": _spread(whole, singles),
        "estimate": _spread(lambda order: outlook(order, model=model, now=now), read),
        "features": _spread(lambda row: known_at([row], now=now), rows),
        "model": _spread(lambda row: model.forecast_many([row], now=now), known),
        "batch": round(statistics.median(batches), 3) if len(many) == BATCH else None,
    }


def _spread(work: Callable[[Any], object], rows: Sequence[Any]) -> dict[str, float]:
    """Milliseconds a row; the first WARM_UP are worked on and not counted."""
    times = sorted([1000 * _seconds(partial(work, row)) for row in rows][WARM_UP:])
    return {f"p{share}": round(times[len(times) * share // 100], 2) for share in (10, 50, 95)}


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _fill(orders: int) -> int:
    """Copy the finished orders of the shop until there are so many; says how many there are."""
    from django.db import connection

    from orders.models import Item, Order, Pace, Seller, Shipment, TrackingEvent

    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # rows of one copy need no foreign key checks
        count, copies = SMALL, 0
        while count < orders:
            copies += 1
            finished = f"status IN ('delivered', 'cancelled', 'returned') ORDER BY id LIMIT {orders - count}"
            cursor.execute(_copy_of(Seller, copies, "true"))
            cursor.execute(_copy_of(Order, copies, finished))
            count += cursor.rowcount
            for model, parent in ((Item, "order"), (Shipment, "order"), (TrackingEvent, "shipment")):
                new = f"SELECT id FROM orders_{parent} WHERE id > {copies * APART}"
                cursor.execute(_copy_of(model, copies, f"{parent}_id + {copies * APART} IN ({new})"))
            cursor.execute(
                f"INSERT INTO {Pace._meta.db_table} (key, orders, ended_at, days) "
                f"SELECT key || 'X{copies}', orders, ended_at, days FROM {Pace._meta.db_table} "
                "WHERE key LIKE 'seller%%' AND key NOT LIKE '%%X%%'",
                {},
            )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    return count


def _copy_of(model: Any, copy: int, which: str) -> str:
    """SQL that copies the original rows of a table: own ids and numbers, of the copy's sellers, a copy's
    hours earlier. Originals have ids below APART."""
    own = {"number", "number_key", "external_id"}
    linked = {"id", "order_id", "shipment_id", "seller_id"}
    columns, values = [], []
    for field in model._meta.concrete_fields:
        value = column = field.column
        if column in own:
            value = f"{column} || 'X{copy}'"
        elif column in linked:
            value = f"{column} + {copy * APART}"
        elif field.get_internal_type() == "DateTimeField":
            value = f"{column} - interval '{copy} hours'"
        columns.append(column)
        values.append(value)
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM {table} WHERE id < {APART} AND {which}"
    )


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measured(int(sys.argv[1]))))

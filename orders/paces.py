"""How fast things go just now, kept beside the orders so that an estimate reads a handful of rows.

What a model looks at is `ml.types.LEGS`: for each leg the latest so many spells that have ended, among
deliveries that agree in the leg's keys. Training finds them in the rows it reads; here they are kept in
`Pace`, a row a leg and key, brought up to date in the same transaction as the scan or the import that
ends a spell. A pace is a function of the finished spells alone: neither their order of coming nor their
coming twice makes a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from django.db import connection, transaction

from ml.types import LEGS, Consignment, Leg, Spell
from orders.consignments import consignment
from orders.models import OPEN, Backlog, Order, Pace

DAY = 86_400.0  # seconds
CHUNK = 1000
_LATEST = {leg.name: leg.latest for leg in LEGS}

Entry = tuple[float, int, float]  # known at, in seconds since 1970; order; days


def key_of(leg: Leg, row: Consignment) -> str | None:
    """Under which `Pace` a row's spell of this leg is kept; None where a value it goes by is unknown."""
    values = [str(getattr(row, name)) for name in leg.keys]
    return "|".join([leg.name, *values]) if all(values) else None


def absorb(rows: Iterable[tuple[int, Consignment]]) -> None:
    """Take in what these orders (id, with their deliveries) show. Doing it again changes nothing."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for order_id, row in rows:
        for leg in LEGS:
            start, end, key = getattr(row, leg.start), getattr(row, leg.end), key_of(leg, row)
            known = getattr(row, leg.known or leg.end)
            if start and end and known and key:
                found[key].append((known.timestamp(), order_id, (end - start).total_seconds() / DAY))
    if found:
        _merge(found)


def known_at(rows: Sequence[Consignment], *, now: datetime) -> list[Consignment]:
    """The rows with what their sellers, routes and carriers show by now, and the orders in hand."""
    keys = [{leg.name: key_of(leg, row) for leg in LEGS} for row in rows]
    wanted = {key for of_row in keys for key in of_row.values() if key}
    spells = {pace.key: _spells(pace, now) for pace in Pace.objects.filter(key__in=sorted(wanted))}
    backlog = dict(
        Backlog.objects.filter(seller__in=sorted({row.seller for row in rows} | {""})).values_list(
            "seller", "open"
        )
    )
    shop = backlog.get("")
    return [
        replace(
            row,
            past={name: spells[key] for name, key in of_row.items() if key in spells},
            # a seller without a row has nothing in hand, once anything was counted
            seller_open=float(backlog.get(row.seller, 0)) if shop is not None and row.seller else None,
            shop_open=float(shop) if shop is not None else None,
        )
        for row, of_row in zip(rows, keys, strict=True)
    ]


@transaction.atomic
def count_backlog() -> None:
    """Count the orders in hand anew, per seller and altogether. An order is its first item's seller's."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"open": sorted(OPEN)})
        counted = dict(cursor.fetchall())
    Backlog.objects.exclude(seller__in=list(counted)).delete()
    Backlog.objects.bulk_create(
        [Backlog(seller=seller, open=count) for seller, count in sorted(counted.items())],
        update_conflicts=True,
        unique_fields=["seller"],
        update_fields=["open"],
    )


_COUNT = """
    SELECT coalesce(s.external_id, ''), count(*)
    FROM orders_order o
    CROSS JOIN LATERAL (
        SELECT seller_id FROM orders_item
        WHERE order_id = o.id AND seller_id IS NOT NULL ORDER BY position LIMIT 1
    ) first
    JOIN orders_seller s ON s.id = first.seller_id
    WHERE o.status = ANY(%(open)s)
    GROUP BY GROUPING SETS ((s.external_id), ())
"""


def rebuild() -> int:
    """Make every pace again from the tables; says from how many orders."""
    Pace.objects.all().delete()
    rows = (
        Order.objects.filter(placed_at__isnull=False, shipments__handed_over_at__isnull=False)
        .select_related("customer")
        .prefetch_related("items__seller", "shipments__events")
        .order_by("id")
        .distinct()
        .iterator(chunk_size=CHUNK)
    )
    count = 0
    chunk: list[tuple[int, Consignment]] = []
    for order in rows:
        chunk.append((order.pk, consignment(order, finished=True)))
        if len(chunk) == CHUNK:
            absorb(chunk)
            count, chunk = count + len(chunk), []
    absorb(chunk)
    return count + len(chunk)


@transaction.atomic
def _merge(found: Mapping[str, list[Entry]]) -> None:
    """Under locks taken in one order, so that two at once wait for each other and never in a circle."""
    keys = sorted(found)
    Pace.objects.bulk_create([Pace(key=key) for key in keys], ignore_conflicts=True)
    paces = list(Pace.objects.select_for_update().filter(key__in=keys).order_by("key"))
    for pace in paces:
        known = {order: (end, order, days) for end, order, days in _entries(pace)}
        known |= {entry[1]: entry for entry in found[pace.key]}
        latest = sorted(known.values(), reverse=True)[: _LATEST[pace.key.partition("|")[0]]]
        pace.ended_at, pace.orders, pace.days = (list(column) for column in zip(*latest, strict=True))
    # an upsert: bulk_update would write a CASE of every row's arrays for each column
    columns = ["ended_at", "orders", "days"]
    Pace.objects.bulk_create(paces, update_conflicts=True, unique_fields=["key"], update_fields=columns)


def _entries(pace: Pace) -> Iterable[Entry]:
    return zip(pace.ended_at, pace.orders, pace.days, strict=True)


def _spells(pace: Pace, now: datetime) -> tuple[Spell, ...]:
    until = now.timestamp()
    return tuple(
        Spell(days, datetime.fromtimestamp(end, UTC)) for end, _, days in _entries(pace) if end < until
    )

"""Writes orders to the tables, a batch a transaction, each order with everything that belongs to it.

Loading the same orders again changes nothing. Loading newer ones of the same numbers brings them up to
date, with three limits, because customers and staff change orders here too: a status only moves along
the rules of `orders.models.TRANSITIONS`, an address that is known already stays, and scans are added,
never removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, models, transaction

from orders import news, paces
from orders.consignments import consignment_of
from orders.models import Customer, Item, Order, Refund, Seller, Shipment, TrackingEvent, number_key
from orders.rows import (
    CustomerRow,
    EventRow,
    ItemRow,
    OrderRow,
    Place,
    RefundRow,
    Rejected,
    SellerRow,
    ShipmentRow,
)

BATCH = 500

Person = TypeVar("Person", Customer, Seller)


@dataclass(slots=True)
class Report:
    imported: int = 0
    unchanged: int = 0
    updated: int = 0
    rejected: int = 0

    def as_dict(self) -> dict[str, int]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(slots=True)
class _Batch:
    """What one transaction writes, gathered so that each table is written once."""

    source: str
    orders: list[Order] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    events: list[TrackingEvent] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)


def load(
    rows: Iterable[OrderRow | Rejected],
    *,
    source: str,
    batch: int = BATCH,
    reject: Callable[[Rejected], None],
    advance: Callable[[int], object] = lambda _: None,
) -> Report:
    """Load a stream in batches. `reject` hears of every rejected row, `advance` how many rows were seen."""
    report = Report()
    for count, chunk in enumerate(_chunks(rows, batch), 1):
        orders = []
        for row in chunk:
            if isinstance(row, Rejected):
                report.rejected += 1
                reject(row)
            else:
                orders.append(row)
        load_batch(orders, source=source, report=report, reject=reject)
        if count & (count - 1) == 0:  # 1, 2, 4, 8 …
            _analyse()
        advance(len(chunk))
    return report


def _analyse() -> None:
    """Tell the database that its tables have grown. Its plans for checking foreign keys were made when
    they were empty, and would read a whole table for every row that is added."""
    names = ", ".join(
        table._meta.db_table for table in (Customer, Seller, Order, Item, Shipment, TrackingEvent)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {names}")


@transaction.atomic
def load_batch(
    rows: Sequence[OrderRow], *, source: str, report: Report, reject: Callable[[Rejected], None]
) -> None:
    existing = _existing(rows)
    customers = _customers([row.customer for row in rows], source)
    sellers = _sellers([item.seller for row in rows for item in row.items if item.seller], source)
    new = _Batch(source)
    added: list[tuple[Order, OrderRow]] = []
    updated: list[int] = []
    for row in rows:
        order = existing.get(number_key(row.number))
        if order is None:
            order = _add_order(new, row, customers[row.customer.external_id], sellers)
            existing[number_key(row.number)] = order
            added.append((order, row))
            report.imported += 1
        elif order.source != source or order.customer_id != customers[row.customer.external_id].pk:
            report.rejected += 1
            reject(
                Rejected("", row.line, f"Order {row.number} is already here and belongs to somebody else.")
            )
        elif _update_order(order, row, sellers):
            updated.append(order.pk)
            report.updated += 1
        else:
            report.unchanged += 1
    _write(new)
    paces.absorb((order.pk, consignment_of(row, finished=True)) for order, row in added if row.placed_at)
    news.take_in(updated)


def _chunks(rows: Iterable[OrderRow | Rejected], size: int) -> Iterator[list[OrderRow | Rejected]]:
    stream = iter(rows)
    while chunk := list(islice(stream, size)):
        yield chunk


def _existing(rows: Sequence[OrderRow]) -> dict[str, Order]:
    keys = [number_key(row.number) for row in rows]
    found = (
        Order.objects.select_for_update()
        .filter(number_key__in=keys)
        .prefetch_related("items__seller", "shipments__events", "refunds")
    )
    return {order.number_key: order for order in found}


def _customers(rows: Sequence[CustomerRow], source: str) -> dict[str, Customer]:
    # the first mention counts, here and by `_fill` afterwards, whatever the batches are
    wanted = {row.external_id: _customer_values(row) for row in reversed(rows)}
    return _people(Customer, wanted, source)


def _sellers(rows: Sequence[SellerRow], source: str) -> dict[str, Seller]:
    wanted = {row.external_id: {"name": row.name, **_position(row.place)} for row in rows}
    return _people(Seller, wanted, source)


def _people(model: type[Person], wanted: dict[str, dict[str, Any]], source: str) -> dict[str, Person]:
    """Rows by external id; missing ones are created, gaps in known ones filled.

    What is known already stays: of two orders with different details neither is the truer one.
    """
    known = {
        person.external_id: person
        for person in model._default_manager.filter(source=source, external_id__in=list(wanted))
    }
    for external_id, person in known.items():
        if filled := _fill(person, wanted[external_id]):
            person.save(update_fields=filled)
    missing = [
        model(source=source, external_id=external_id, **values)
        for external_id, values in wanted.items()
        if external_id not in known
    ]
    known |= {person.external_id: person for person in model._default_manager.bulk_create(missing)}
    return known


def _add_order(new: _Batch, row: OrderRow, customer: Customer, sellers: dict[str, Seller]) -> Order:
    order = Order(
        number=row.number,
        number_key=number_key(row.number),
        customer=customer,
        status=row.status,
        source=new.source,
        **_order_values(row),
        **_address(row.place),
    )
    new.orders.append(order)
    for position, item in enumerate(row.items, 1):
        new.items.append(Item(order=order, position=position, **_item_values(item, sellers)))
    for shipment in row.shipments:
        _add_shipment(new, order, shipment)
    new.refunds.extend(Refund(order=order, **_refund_values(refund)) for refund in row.refunds)
    return order


def _add_shipment(new: _Batch, order: Order, row: ShipmentRow) -> None:
    shipment = Shipment(order=order, **_shipment_values(row))
    new.shipments.append(shipment)
    new.events.extend(
        TrackingEvent(shipment=shipment, at=event.at, kind=event.kind, place=event.place)
        for event in row.events
    )


def _write(new: _Batch) -> None:
    Order.objects.bulk_create(new.orders)
    Item.objects.bulk_create(new.items)
    Shipment.objects.bulk_create(new.shipments)
    TrackingEvent.objects.bulk_create(new.events)
    requested = [refund.requested_at for refund in new.refunds]
    Refund.objects.bulk_create(new.refunds)
    # creating stamps the present time; a known time of the request is the true one
    dated = [refund for refund, at in zip(new.refunds, requested, strict=True) if at]
    for refund, at in zip(new.refunds, requested, strict=True):
        refund.requested_at = at or refund.requested_at
    if dated:
        Refund.objects.bulk_update(dated, ["requested_at"])


def _update_order(order: Order, row: OrderRow, sellers: dict[str, Seller]) -> bool:
    """Bring a known order up to date. Says whether anything changed."""
    changed = _change(order, _order_values(row))
    if not (order.line1 or order.city or order.postcode):
        changed += _fill(order, _address(row.place))
    if order.status != row.status and order.can_reach(row.status):
        order.status = row.status
        changed.append("status")
    if changed:
        order.save(update_fields=[*changed, "updated_at"])
    parts = [
        _update_items(order, row.items, sellers),
        _update_shipments(order, row.shipments),
        _update_refunds(order, row.refunds),
    ]
    if any(parts) and not changed:
        order.save(update_fields=["updated_at"])
    return bool(changed) or any(parts)


def _update_items(order: Order, rows: Sequence[ItemRow], sellers: dict[str, Seller]) -> bool:
    known = {item.position: item for item in order.items.all()}
    touched = False
    for position, row in enumerate(rows, 1):
        values = _item_values(row, sellers)
        item = known.pop(position, None)
        if item is None:
            Item.objects.create(order=order, position=position, **values)
            touched = True
        elif changed := _change(item, values):
            item.save(update_fields=changed)
            touched = True
    if rows and known:
        order.items.filter(position__in=list(known)).delete()
        touched = True
    return touched


def _update_shipments(order: Order, rows: Sequence[ShipmentRow]) -> bool:
    known = list(order.shipments.all())
    touched = False
    for shipment, row in zip(known, rows, strict=False):
        if changed := _change(shipment, _shipment_values(row)):
            shipment.save(update_fields=changed)
            touched = True
        touched |= _add_events(shipment, row.events)
    new = _Batch(order.source)
    for row in rows[len(known) :]:
        _add_shipment(new, order, row)
    _write(new)
    return touched or bool(new.shipments)


def _add_events(shipment: Shipment, rows: Sequence[EventRow]) -> bool:
    known = {(event.at, event.kind) for event in shipment.events.all()}
    missing = [row for row in rows if (row.at, row.kind) not in known]
    TrackingEvent.objects.bulk_create(
        TrackingEvent(shipment=shipment, at=row.at, kind=row.kind, place=row.place) for row in missing
    )
    return bool(missing)


def _update_refunds(order: Order, rows: Sequence[RefundRow]) -> bool:
    """An order has one live refund: a first one is added, a known one brought up to date."""
    known = next((refund for refund in order.refunds.all() if refund.state != Refund.State.REFUSED), None)
    for row in rows[:1]:
        if known is None:
            Refund.objects.create(order=order, **_refund_values(row))
            return True
        values = {name: value for name, value in _refund_values(row).items() if name != "requested_at"}
        if changed := _change(known, values):
            known.save(update_fields=changed)
            return True
    return False


def _change(row: models.Model, values: dict[str, Any]) -> list[str]:
    """Set what differs and is known; returns the names set."""
    changed = [
        name for name, value in values.items() if value not in (None, "") and getattr(row, name) != value
    ]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def _fill(row: models.Model, values: dict[str, Any]) -> list[str]:
    """Set what was unknown; returns the names set."""
    return _change(row, {name: value for name, value in values.items() if getattr(row, name) in (None, "")})


def _customer_values(row: CustomerRow) -> dict[str, Any]:
    return {
        "email": row.email,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "timezone": row.timezone,
        **_position(row.place),
    }


def _position(place: Place) -> dict[str, Any]:
    names = ("postcode", "city", "region", "country", "lat", "lng")
    return {name: getattr(place, name) for name in names}


def _address(place: Place) -> dict[str, Any]:
    return {"line1": place.line1, "line2": place.line2, **_position(place)}


_ORDER_FIELDS = (
    "currency",
    "total",
    "placed_at",
    "paid_at",
    "promised_at",
    "cancelled_at",
    "payment_method",
)
_ITEM_FIELDS = (
    "name",
    "price",
    "sku",
    "options",
    "category",
    "quantity",
    "freight",
    "weight_g",
    "volume_cm3",
)
_SHIPMENT_FIELDS = (
    "carrier",
    "service",
    "tracking_number",
    "tracking_link",
    "handed_over_at",
    "delivered_at",
)
_REFUND_FIELDS = ("amount", "state", "reason", "requested_at", "paid_at")


def _order_values(row: OrderRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _ORDER_FIELDS}


def _item_values(row: ItemRow, sellers: dict[str, Seller]) -> dict[str, Any]:
    seller = sellers[row.seller.external_id] if row.seller else None
    return {**{name: getattr(row, name) for name in _ITEM_FIELDS}, "seller": seller}


def _shipment_values(row: ShipmentRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _SHIPMENT_FIELDS}


def _refund_values(row: RefundRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _REFUND_FIELDS}

"""Which of the customer's orders a message names, by number or by what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from chatbot.skills.base import Turn
from ml.types import Entity
from orders.models import MOVING, OPEN, Order, number_key


def named(turn: Turn) -> list[list[Order]]:
    """For each mention the orders that it fits, in reading order; two mentions of one order are one."""
    told = [entity for entity in turn.understanding.entities if entity.kind in ("order_number", "product")]
    if not told or turn.customer is None:
        return []
    orders, groups = turn.orders(), []
    for _, entities in groupby(told, key=lambda entity: (entity.start, entity.end)):
        fitting = _narrowed(_fitting(orders, list(entities)))
        if fitting and fitting not in groups:
            groups.append(fitting)
    return groups


def _fitting(orders: Sequence[Order], entities: Sequence[Entity]) -> list[Order]:
    numbers = {number_key(entity.value) for entity in entities if entity.kind == "order_number"}
    names = {entity.value for entity in entities if entity.kind == "product"}
    return [
        order
        for order in orders
        if order.number_key in numbers or any(item.name in names for item in order.items.all())
    ]


def _narrowed(orders: list[Order]) -> list[Order]:
    """Of several orders with the same thing, the only one that is not yet settled."""
    live = [order for order in orders if order.status in OPEN | MOVING]
    return live if len(live) == 1 else orders

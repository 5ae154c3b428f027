"""Where is it, and when does it come."""

from __future__ import annotations

import re

from chatbot.skills.base import EMAIL_ME, HUMAN, Button, Reply, Turn, order_card
from chatbot.skills.mentions import named
from ml.types import Fact
from orders.models import MOVING, OPEN, Order

SKILL = "tracking"
PLACES = (
    {"first", "1st", "1"},
    {"second", "2nd", "2", "two"},
    {"third", "3rd", "3", "three"},
    {"fourth", "4th", "4", "four"},
    {"fifth", "5th", "5", "five"},
)
SHOWN = len(PLACES)

SITUATIONS = {
    "placed": "order_placed",
    "in_transit": "order_in_transit",
    "out_for_delivery": "order_out_for_delivery",
    "late": "order_late",
    "overdue": "order_overdue",
    "uncertain": "order_uncertain",
    "delivered": "order_delivered",
    "cancelled": "order_cancelled",
    "returning": "order_returning",
    "exception": "order_exception",
    "no_estimate": "order_no_estimate",
}
# states in which a colleague can do more than a date can
NEEDS_PERSON = frozenset({"overdue", "uncertain", "exception"})


def track(turn: Turn) -> Reply:
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    seen = turn.outlook(order)
    slots = turn.slots(order, seen)
    return Reply(
        SKILL,
        SITUATIONS[seen.kind],
        slots,
        card=order_card(order, seen, slots),
        quick_replies=_offers(order, needs_person=seen.kind in NEEDS_PERSON),
        priority=1 if seen.kind in NEEDS_PERSON else 0,
        told=(order, seen),
    )


def _offers(order: Order, *, needs_person: bool) -> list[Button]:
    offers = [HUMAN] if needs_person else []
    return [*offers, EMAIL_ME] if order.customer.email else offers


def the_one_meant(turn: Turn) -> Order | None:
    """The order a customer means: the one they name, the one they pick from our list, the only one,
    or the only one under way."""
    if groups := named(turn):
        return groups[0][0] if len(groups[0]) == 1 else None
    orders = turn.orders()
    if turn.pending.get("kind") == "which_order":
        shown = [order for order in orders if order.pk in turn.pending.get("orders", ())]
        if chosen := _chosen(turn.message.text, shown):
            return chosen
    under_way = [order for order in orders if order.status in OPEN | MOVING]
    for candidates in (orders, under_way):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _chosen(text: str, orders: list[Order]) -> Order | None:
    """From "the second one", "3", "the newest": the place in our list, newest first."""
    words = set(re.findall(r"\w+", text.lower()))
    if not orders:
        return None
    for place, order in zip(PLACES, orders, strict=False):
        if words & place:
            return order
    if words & {"last", "latest", "newest", "recent", "top"}:
        return orders[0]
    return orders[-1] if words & {"oldest", "bottom"} else None


def ask_which(turn: Turn) -> Reply:
    """Several orders: let the customer pick one of the newest."""
    orders = next((group for group in named(turn) if len(group) > 1), None) or turn.orders()
    if not orders:
        return Reply(SKILL, "no_orders", quick_replies=[HUMAN])
    return Reply(
        SKILL,
        "which_order",
        {**count_slot(turn, len(orders)), **first_name(turn)},
        quick_replies=[{"text": _label(o), "value": f"order:{o.number}"} for o in orders[:SHOWN]],
        pending={"kind": "which_order", "then": turn.intent, "orders": [order.pk for order in orders]},
    )


def _label(order: Order) -> str:
    item = next(iter(order.items.all()), None)
    return f"{order.number} · {item.name}" if item else order.number


def count_slot(turn: Turn, count: int) -> dict[str, Fact]:
    assert turn.customer
    return {"order_count": Fact(f"{count} orders", f"orders.Customer:{turn.customer.pk}.orders")}


def first_name(turn: Turn) -> dict[str, Fact]:
    if not (turn.customer and turn.customer.first_name):
        return {}
    return {"first_name": Fact(turn.customer.first_name, f"orders.Customer:{turn.customer.pk}.first_name")}

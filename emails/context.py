"""Facts as they are kept on a draft's row: `Draft.context`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emails.facts import money, short_name
from ml.types import MOODS, Fact, Facts
from orders.models import Order

Line = dict[str, str]  # one line of an invoice: label, amount


def pack(facts: Facts) -> dict[str, Any]:
    return {
        "situation": facts.situation,
        "slots": {slot: {"display": f.display, "source": f.source} for slot, f in facts.slots.items()},
        "mood": facts.mood,
        "committed": sorted(facts.committed),
        "customer_text": facts.customer_text,
    }


def unpack(context: dict[str, Any]) -> Facts:
    return Facts(
        situation=context["situation"],
        slots={slot: Fact(f["display"], f["source"]) for slot, f in context["slots"].items()},
        mood=next((mood for mood in MOODS if mood == context["mood"]), "neutral"),
        channel="mail",
        committed=frozenset(context["committed"]),
        customer_text=context["customer_text"],
    )


def invoice(order: Order) -> list[Line]:
    """The order's items and what else makes up its total, the total last."""
    items = list(order.items.all())
    lines = [(_item_label(item.name, item.quantity), item.price * item.quantity) for item in items]
    freight = sum((item.freight for item in items), Decimal(0))
    if freight:
        lines.append(("Delivery", freight))
    # discounts, interest and rounding of the source, which it names nowhere
    rest = order.total - sum((amount for _, amount in lines), Decimal(0))
    if lines and rest:
        lines.append(("Adjustment", rest))
    lines.append(("Total", order.total))
    return [{"label": label, "amount": money(amount, order.currency)} for label, amount in lines]


def _item_label(name: str, quantity: int) -> str:
    label = short_name(name) or "item"
    return f"{quantity} × {label}" if quantity > 1 else label[:1].upper() + label[1:]

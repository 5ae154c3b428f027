"""What a skill gets and what it gives back. Skills choose actions and produce facts; they word nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chatbot.assistant import Assistant
from chatbot.models import Conversation, Message
from emails.facts import order_slots, timeline
from ml.types import Fact, Understanding
from orders import lookups
from orders.estimates import Outlook, outlook
from orders.models import Customer, Order

Button = dict[str, str]

YES_NO: list[Button] = [{"text": "Yes", "value": "yes"}, {"text": "No", "value": "no"}]
HUMAN: Button = {"text": "Talk to a person", "value": "human"}
WHERE: Button = {"text": "Where is my order?", "value": "intent:track_order"}
EMAIL_ME: Button = {"text": "Email me the timeline", "value": "intent:email_timeline"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One customer message in its conversation. `pending` is what we asked before; `focus` is the
    order being talked about."""

    conversation: Conversation
    message: Message
    understanding: Understanding
    intent: str
    customer: Customer | None
    pending: Mapping[str, Any]
    focus: Order | None
    assistant: Assistant
    now: datetime

    def about(self, order: Order | None) -> Turn:
        return replace(self, focus=order)

    def meaning(self, intent: str) -> Turn:
        return replace(self, intent=intent)

    @property
    def words(self) -> str:
        """The part of the message in which this turn's intent is asked for."""
        said = self.understanding
        return dict(zip(said.requests, said.wordings, strict=False)).get(self.intent, self.message.text)

    @property
    def is_upset(self) -> bool:
        """Angry, or threatening to leave."""
        return self.understanding.mood == "angry" or "leaving" in self.understanding.flags.raised

    def outlook(self, order: Order) -> Outlook:
        return outlook(order, model=self.assistant.delivery, now=self.now)

    def slots(self, order: Order, seen: Outlook | None = None) -> dict[str, Fact]:
        return order_slots(order, seen or self.outlook(order))

    def orders(self) -> list[Order]:
        return lookups.orders_of(self.customer) if self.customer else []


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say and what to remember. `slots` may hold more than the situation knows; `pending`
    replaces what was asked before; `told` is the estimate it tells, to be kept on record. `before` are
    the answers to a message's other requests, said first: whatever asks for something comes last."""

    skill: str
    situation: str
    slots: Mapping[str, Fact] = field(default_factory=dict)
    committed: frozenset[str] = frozenset()
    quick_replies: list[Button] = field(default_factory=list)
    card: dict[str, Any] | None = None
    pending: dict[str, Any] = field(default_factory=dict)
    hand_over: bool = False
    priority: int = 0
    told: tuple[Order, Outlook] | None = None
    before: tuple[Reply, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the next message has to answer this one before anything else can be asked."""
        return self.pending.get("kind") in ("identity", "which_order", "confirm", "address", "choice")


def order_card(order: Order, seen: Outlook, slots: Mapping[str, Fact]) -> dict[str, Any]:
    """The order as the widget and the desk draw it (shape: chatbot.protocol)."""
    start, end = slots.get("window_start"), slots.get("window_end")
    return {
        "kind": "order",
        "number": order.number,
        "status": _status(order, seen),
        "items": [{"name": item.name, "quantity": item.quantity} for item in order.items.all()],
        "total": slots["amount"].display if "amount" in slots else "",
        "window": f"{start.display} to {end.display}" if start and end else "",
        "likely": slots["likely_day"].display if "likely_day" in slots else "",
        "promised": slots["promised_day"].display if "promised_day" in slots else "",
        "chance": slots["promise_chance"].display if "promise_chance" in slots else "",
        "steps": timeline(order, seen),
        "tracking_link": slots["tracking_link"].display if "tracking_link" in slots else "",
    }


def _status(order: Order, seen: Outlook) -> str:
    text = {"late": "late", "overdue": "late, no date yet"}.get(seen.kind, order.get_status_display())
    return text[:1].upper() + text[1:]

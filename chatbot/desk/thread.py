"""One conversation as the desk shows it: what was said, what may be done, what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import QuerySet
from django.utils import timezone

from chatbot.desk import queue
from chatbot.desk.why import Why, why
from chatbot.models import Conversation, Message
from emails.models import Draft
from orders import lookups, record
from orders.models import GivenEstimate, Order

State = Conversation.State
SHOWN_MESSAGES = 200
SHOWN_OTHERS = 6


@dataclass(frozen=True, slots=True)
class Bubble:
    message: Message
    name: str
    why: Why | None
    new_day: date | None  # set on the first message of a day
    follows: bool  # the same author spoke just before


@dataclass(frozen=True, slots=True)
class Controls:
    """What this member of staff may do now; `holder` is the name of whoever has it."""

    can_take_over: bool
    can_hand_back: bool
    can_close: bool
    can_write: bool
    holder: str
    hint: str


def bubbles(conversation: Conversation, *, after: int = 0, whole: bool = False) -> list[Bubble]:
    """Messages with a number above `after`, at most the last 200 unless the whole is wanted."""
    rows = conversation.messages.filter(seq__gte=after).select_related("staff").order_by("-seq")
    messages = list(rows if whole else rows[:SHOWN_MESSAGES])[::-1]
    shown: list[Bubble] = []
    for before, message in zip([None, *messages], messages, strict=False):
        if message.seq > after:
            shown.append(_bubble(conversation, before, message))
    return shown


def _bubble(conversation: Conversation, before: Message | None, message: Message) -> Bubble:
    day = timezone.localdate(message.created_at)
    new_day = not before or timezone.localdate(before.created_at) != day
    follows = before is not None and not new_day and _voice(before) == _voice(message)
    is_bot = message.author == Message.Author.BOT
    return Bubble(
        message,
        speaker(conversation, message),
        why(message.trace) if is_bot else None,
        day if new_day else None,
        follows,
    )


def _voice(message: Message) -> tuple[str, int | None]:
    return message.author, message.staff_id


def speaker(conversation: Conversation, message: Message) -> str:
    if message.author == Message.Author.CUSTOMER:
        return conversation.customer.first_name or "Customer" if conversation.customer else "Visitor"
    if message.author == Message.Author.STAFF:
        return name_of(message.staff) if message.staff else "A former colleague"
    return "Assistant" if message.author == Message.Author.BOT else ""


def name_of(user: User) -> str:
    return user.first_name or user.get_username()


def controls(conversation: Conversation, staff: AbstractBaseUser) -> Controls:
    state, holder = conversation.state, conversation.assignee
    mine = state == State.STAFF and conversation.assignee_id == staff.pk
    free = state in (State.BOT, State.WAITING) or (state == State.STAFF and holder is None)
    name = "you" if mine else name_of(holder) if holder and state == State.STAFF else ""
    return Controls(
        can_take_over=free,
        can_hand_back=mine,
        can_close=mine or free,
        can_write=mine,
        holder=name,
        hint=_hint(state, mine=mine, free=free, holder=name),
    )


def _hint(state: str, *, mine: bool, free: bool, holder: str) -> str:
    if mine:
        return "Your reply goes straight to the customer. The assistant stays silent."
    if state == State.CLOSED:
        return "This conversation is closed."
    if not free:
        return f"{holder} holds this conversation."
    if state == State.WAITING:
        return "The customer waits for a person. Take over to reply."
    return "The assistant is answering. Take over to reply yourself."


@dataclass(frozen=True, slots=True)
class Beside:
    """The right-hand column: orders, each with the estimate last given of it."""

    orders: list[tuple[Order, GivenEstimate | None]]
    others: QuerySet[Conversation]
    drafts: QuerySet[Draft]


def beside(conversation: Conversation) -> Beside:
    customer = conversation.customer
    others = Conversation.objects.filter(customer=customer).exclude(pk=conversation.pk).exclude(last_seq=0)
    orders = lookups.orders_of(customer) if customer else []
    estimates = record.latest_of(orders)
    return Beside(
        orders=[(order, estimates.get(order.pk)) for order in orders],
        others=queue.with_last_words(others if customer else Conversation.objects.none()).order_by(
            "-updated_at"
        )[:SHOWN_OTHERS],
        drafts=Draft.objects.filter(conversation=conversation.pk),
    )


def as_context(conversation: Conversation, staff: AbstractBaseUser) -> dict[str, Any]:
    """What the parts of the page that follow every change need."""
    return {
        "conversation": conversation,
        "customer": conversation.customer,
        "controls": controls(conversation, staff),
        "beside": beside(conversation),
        "now": timezone.now(),
    }

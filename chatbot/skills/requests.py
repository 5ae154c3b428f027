"""Several requests in one message: each is answered, in one reply, and one question is asked at a time.

What asks for something (who are you, which order, shall I) is said last. Where a second request would
ask as well, it waits in `pending["also"]` and is taken up once the first question is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chatbot.skills.base import Reply, Turn
from chatbot.skills.mentions import named
from ml.types import Understanding
from orders import lookups
from orders.models import Order

MOST = 3  # requests of one message that are answered
# words around a request, and feelings that its answer takes up
_ASIDE = frozenset(
    {"greeting", "thanks", "goodbye", "affirm", "deny", "inform", "out_of_scope", "complaint", "review"}
)
_ANSWERS = frozenset({"inform", "affirm", "deny", "out_of_scope"})
_PRESSED = frozenset({"yes", "no", "order"})
# what two named orders are both told; an act is asked for one, the other name may belong to a story
_EACH = frozenset({"track_order", "get_invoice"})


@dataclass(frozen=True, slots=True)
class Request:
    """`order` is the one it names; None leaves that to the skill."""

    intent: str
    order: Order | None = None


def of_message(turn: Turn) -> list[Request]:
    """What a message asks for, in its order; its first (or only) request leads."""
    if turn.message.value:
        return [Request(turn.intent)]
    intents = [intent for intent in turn.understanding.requests if intent not in _ASIDE]
    if not intents or turn.intent not in (*_ASIDE, *intents):
        intents = [turn.intent]
    orders: list[Order | None] = [group[0] for group in named(turn) if len(group) == 1]
    if len(intents) == 1 and len(orders) > 1 and intents[0] in _EACH:
        intents *= len(orders)
    if len(orders) < len(intents):
        orders = (orders[:1] or [None]) * len(intents)
    pairs = zip(intents, orders, strict=False)
    return [Request(intent, order) for intent, order in dict.fromkeys(pairs)][:MOST]


def part(turn: Turn, request: Request) -> Turn:
    """The turn as if the message had asked for this alone."""
    turn = turn.meaning(request.intent)
    if request.order is None:
        return turn
    return replace(turn.about(request.order), understanding=_about(turn.understanding, request.order))


def _about(said: Understanding, order: Order) -> Understanding:
    """Without the numbers and names of other orders."""
    names = {item.name for item in order.items.all()}
    return replace(
        said,
        entities=tuple(
            entity
            for entity in said.entities
            if not (entity.kind == "order_number" and entity.value != order.number)
            and not (entity.kind == "product" and entity.value not in names)
        ),
    )


def left_over(turn: Turn) -> list[Request]:
    """What an earlier message asked for as well, where this one answers our question."""
    button = turn.message.value.partition(":")[0]
    if button in _PRESSED or (not button and turn.intent in _ANSWERS):
        return list(_unpacked(turn, turn.pending.get("also")))
    return []


def _unpacked(turn: Turn, also: Any) -> Iterator[Request]:
    for intent, order_id in also or ():
        order = lookups.order_by_id(turn.customer, order_id) if turn.customer and order_id else None
        yield Request(str(intent), order)


def together(
    turn: Turn,
    first: Reply,
    others: Sequence[Request],
    answer: Callable[[Turn], Reply],
    needs: Callable[[str], bool],
) -> Reply:
    """One reply of the first answer and those to the other requests."""
    said, asking, waiting = [], (first if first.asks else None), []
    if not first.asks:
        said.append(first)
    for request in others:
        if asking and asking.pending["kind"] == "identity" and needs(request.intent):
            waiting.append(request)
            continue
        reply = answer(replace(part(turn, request), pending={}))
        if reply.asks and asking:
            waiting.append(request)
        elif reply.asks:
            asking = reply
        elif all(reply.situation != other.situation or reply.slots != other.slots for other in said):
            said.append(reply)
    *before, last = [*said, asking] if asking else said
    also = [(request.intent, request.order.pk if request.order else None) for request in waiting]
    return replace(
        last,
        before=tuple(before),
        pending=last.pending | ({"also": also} if also else {}),
        quick_replies=_buttons([last, *before]),
        card=next((reply.card for reply in (last, *before) if reply.card), None),
        hand_over=any(reply.hand_over for reply in (last, *before)),
        priority=max(reply.priority for reply in (last, *before)),
    )


def _buttons(replies: Sequence[Reply]) -> list[dict[str, str]]:
    """The question's own buttons alone, so that a tap answers it; else those of all, each once."""
    last = replies[0]
    if last.asks:
        return last.quick_replies
    return list({button["value"]: button for reply in replies for button in reply.quick_replies}.values())

"""From what was understood to the one skill that answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from chatbot.models import Conversation
from chatbot.skills import changes, identify, mail, people, requests, talk, tracking
from chatbot.skills.base import HUMAN, Reply, Turn
from chatbot.skills.requests import Request
from ml.types import Entity, EntityKind
from orders import lookups
from orders.models import Order

Skill = Callable[[Turn], Reply]

NEEDS_CUSTOMER: dict[str, Skill] = {
    "track_order": tracking.track,
    "email_timeline": mail.email_timeline,
    "cancel_order": changes.cancel,
    "change_shipping_address": changes.change_address,
    "get_refund": changes.refund,
    "track_refund": changes.refund_status,
    "get_invoice": mail.invoice,
    "check_invoices": mail.invoice,
}
OPEN_TO_ALL: dict[str, Skill] = {
    **dict.fromkeys(
        (
            "delivery_period",
            "delivery_options",
            "change_order",
            "place_order",
            "set_up_shipping_address",
            "check_refund_policy",
            "check_cancellation_fee",
            "payment_issue",
            "check_payment_methods",
            "create_account",
            "edit_account",
            "delete_account",
            "switch_account",
            "recover_password",
            "registration_problems",
            "newsletter_subscription",
            "contact_customer_service",
        ),
        talk.policy,
    ),
    "complaint": people.complaint,
    "review": talk.review,
    "contact_human_agent": people.human,
    **dict.fromkeys(("greeting", "thanks", "goodbye"), talk.small_talk),
    **dict.fromkeys(("affirm", "deny", "inform"), talk.nothing_pending),
    "out_of_scope": talk.out_of_scope,
    identify.IDENTIFIED: identify.opened,
}
SKILLS = NEEDS_CUSTOMER | OPEN_TO_ALL
# while a colleague is awaited, what carries no question of its own does not start a new exchange
QUIET_WHILE_WAITING = frozenset(
    {"inform", "out_of_scope", "affirm", "deny", "complaint", "contact_human_agent"}
)

# "yes, email it" takes up the email, whatever else was offered beside it
_MAIL = re.compile(r"\be-?mail\b", re.IGNORECASE)
# "how long will it take" asks for one's own parcel, "how long does delivery take" for the rules
_OWN = re.compile(r"\b(?:my|mine|it|this|parcel|package|order|orders)\b", re.IGNORECASE)
# "DS-10023?", "the kettle?", "Tuesday?": asked about an order, they ask when it comes
_ASKS_ABOUT: tuple[EntityKind, ...] = ("order_number", "product", "date")
# Acts wait for a yes of this confidence; the understanding gives more only to words that are a plain yes.
PLAIN = 0.95


def respond(turn: Turn) -> Reply:
    """The one reply to one message. Acts on orders where the customer has said an explicit yes."""
    waiting = requests.left_over(turn)
    turn = _pressed(turn)
    if turn.intent == "contact_human_agent":  # nothing may stand between a customer and a person
        return people.human(turn)
    return _with_a_person_at_hand(turn, _answered(turn, waiting))


def _answered(turn: Turn, waiting: Sequence[Request]) -> Reply:
    """`waiting` is what an earlier message had asked for beside the question that is now answered."""
    if reply := _answer_to_our_question(turn):
        return _and_the_rest(turn, reply, waiting)
    first, *others = requests.of_message(turn)
    turn = requests.part(turn, first)
    known = identify.identify(turn, needs_customer=_needs_customer(turn))
    if isinstance(known, Reply):
        return _and_the_rest(turn, known, waiting or others)
    return _and_the_rest(known, _fresh(known), waiting or others)


def _and_the_rest(turn: Turn, first: Reply, others: Sequence[Request]) -> Reply:
    if not others:
        return first
    return requests.together(turn, first, others, _one_more, NEEDS_CUSTOMER.__contains__)


def _one_more(turn: Turn) -> Reply:
    """The answer to a further request of a message."""
    known: Turn | Reply = turn
    if _needs_customer(turn) and turn.customer is None:
        known = identify.identify(turn, needs_customer=True)
    if isinstance(known, Reply):
        return known
    if _needs_customer(known) and known.customer is None:
        return identify.ask(known)
    return _skill(known)


def _skill(turn: Turn) -> Reply:
    if turn.intent == "delivery_period" and turn.customer and _OWN.search(turn.message.text):
        return tracking.track(turn)
    return SKILLS[turn.intent](turn)


def _with_a_person_at_hand(turn: Turn, reply: Reply) -> Reply:
    """Who is angry, or about to leave, is offered a person whatever the answer is."""
    offered = any(button["value"] == HUMAN["value"] for button in reply.quick_replies)
    if offered or reply.hand_over or not turn.is_upset:
        return reply
    return replace(reply, quick_replies=[*reply.quick_replies, HUMAN])


def _fresh(turn: Turn) -> Reply:
    if turn.conversation.state == Conversation.State.WAITING and turn.intent in QUIET_WHILE_WAITING:
        return Reply(people.SKILL, "handoff_waiting")
    if turn.pending.get("kind") == "which_order" and tracking.the_one_meant(turn):
        turn = turn.meaning(str(turn.pending.get("then", "track_order")))
    if turn.is_upset and (turn.intent == "out_of_scope" or _is_unclear(turn)):
        return people.complaint(turn)
    if _is_torn(turn):
        (first, _), (second, _) = turn.understanding.ranking[:2]
        return talk.clarify(turn, first, second)
    if turn.intent == "inform" and turn.focus and any(map(turn.understanding.first, _ASKS_ABOUT)):
        turn = turn.meaning("track_order")
    if _needs_customer(turn) and turn.customer is None:
        return identify.ask(turn)
    return _skill(turn)


def _needs_customer(turn: Turn) -> bool:
    return turn.intent in NEEDS_CUSTOMER


def _pressed(turn: Turn) -> Turn:
    """A button says plainly what is meant; its value is text from outside and is treated so."""
    value = turn.message.value
    kind, _, rest = value.partition(":")
    match kind:
        case "yes":
            return turn.meaning("affirm")
        case "no":
            return turn.meaning("deny")
        case "human":
            return turn.meaning("contact_human_agent")
        case "intent" if rest in talk.LABELS:
            return replace(
                turn, intent=rest, understanding=replace(turn.understanding, confidence=1.0, margin=1.0)
            )
        case "order" if turn.customer and (order := lookups.order_of(turn.customer, number=rest)):
            wanted = turn.pending.get("then") if turn.pending.get("kind") == "which_order" else None
            said = replace(turn.understanding, confidence=1.0, margin=1.0)
            named = Entity("order_number", order.number, rest, 0, len(rest))
            return replace(
                turn.about(order).meaning(str(wanted or "track_order")),
                understanding=replace(said, entities=(named,)),
                pending={},
            )
    return turn


def _answer_to_our_question(turn: Turn) -> Reply | None:
    """The reply to what we had asked, where this message answers it."""
    pending, intent = turn.pending, turn.intent
    kind = pending.get("kind")
    order = _pending_order(turn)
    if kind == "confirm" and order:
        if intent == "affirm" and _is_plain(turn):
            return changes.confirmed(turn.about(order), order)
        if intent == "deny":
            return changes.declined(turn.about(order), order)
        if intent in ("affirm", "inform", "out_of_scope"):
            return changes.asked_again(turn.about(order), order)
    if kind == "address" and order:
        return changes.confirm_address(turn.about(order), order)
    if kind == "offer" and intent == "affirm" and _is_plain(turn):
        if pending.get("action") == "human" and not _MAIL.search(turn.message.text):
            return people.human(turn)
        if turn.customer:
            return mail.email_timeline(turn.about(order or turn.focus))
    if kind == "offer" and intent == "deny":
        return talk.small_talk(turn.meaning("thanks"))
    if kind == "choice" and (chosen := _chosen_intent(turn)):
        return _fresh(replace(turn.meaning(chosen), pending={}))
    return None


def _is_plain(turn: Turn) -> bool:
    """Whether a yes is one beyond doubt: the button, or words that can be nothing else."""
    return turn.message.value == "yes" or turn.understanding.confidence >= PLAIN


def _pending_order(turn: Turn) -> Order | None:
    order_id = turn.pending.get("order")
    if turn.customer is None or not isinstance(order_id, int):
        return None
    return lookups.order_by_id(turn.customer, order_id)


def _chosen_intent(turn: Turn) -> str | None:
    intents = [i for i in turn.pending.get("intents", []) if i in SKILLS]
    text = turn.message.text.lower()
    for word, intent in zip(("first", "second"), intents, strict=False):
        if word in text or talk.LABELS[intent] in text:
            return str(intent)
    return None


def _is_unclear(turn: Turn) -> bool:
    """Whether the message itself, not a button or our question, left its meaning open."""
    said = turn.understanding
    asked = turn.pending.get("kind") in ("identity", "which_order")
    return turn.intent == said.intent and not asked and turn.assistant.understander.is_unsure(said)


def _is_torn(turn: Turn) -> bool:
    said = turn.understanding
    if len(said.ranking) < 2 or not _is_unclear(turn):
        return False
    first, second = said.ranking[0][0], said.ranking[1][0]
    return {first, second} <= talk.LABELS.keys() and SKILLS.get(first) is not SKILLS.get(second)

"""Shop questions answered from the help articles, small talk, and the limits of what we know."""

from __future__ import annotations

from django.conf import settings

from chatbot import knowledge
from chatbot.models import Passage
from chatbot.skills.base import HUMAN, WHERE, Reply, Turn
from chatbot.skills.tracking import first_name
from ml.types import Fact

SKILL = "talk"
LABELS = {  # what a customer may want to do, after "to"
    "track_order": "track an order",
    "delivery_period": "know how long delivery takes",
    "delivery_options": "see the delivery options",
    "cancel_order": "cancel an order",
    "change_order": "change an order",
    "place_order": "place an order",
    "change_shipping_address": "change a delivery address",
    "set_up_shipping_address": "add an address",
    "get_refund": "get a refund",
    "track_refund": "follow a refund",
    "check_refund_policy": "know the refund rules",
    "check_cancellation_fee": "know what cancelling costs",
    "get_invoice": "get an invoice",
    "check_invoices": "see your invoices",
    "payment_issue": "sort out a payment",
    "check_payment_methods": "know the ways to pay",
    "create_account": "open an account",
    "edit_account": "change your account details",
    "delete_account": "close your account",
    "switch_account": "switch accounts",
    "recover_password": "reset a password",
    "registration_problems": "get help with signing up",
    "newsletter_subscription": "change the newsletter",
    "complaint": "make a complaint",
    "review": "leave feedback",
    "contact_customer_service": "reach customer service",
    "contact_human_agent": "talk to a person",
    "email_timeline": "get the timeline by email",
}


def shop() -> dict[str, Fact]:
    return {"shop": Fact(settings.SHOP_NAME, "settings.SHOP_NAME")}


def policy(turn: Turn) -> Reply:
    if found := _passage(turn, knowledge.FARTHEST):
        return _quoted(turn, found)
    return Reply(SKILL, "policy_unknown", quick_replies=[HUMAN])


def _passage(turn: Turn, limit: float) -> Passage | None:
    encoder = turn.assistant.understander.encoder
    return knowledge.search(turn.words, intent=turn.intent, encoder=encoder, limit=limit)


def _quoted(turn: Turn, found: Passage) -> Reply:
    slots = {
        "quote": Fact(found.text, f"chatbot.Passage:{found.pk}"),
        "article": Fact(found.article.title, f"chatbot.Article:{found.article_id}.title"),
    }
    return Reply(SKILL, "policy", slots, quick_replies=[WHERE] if turn.intent == "delivery_period" else [])


def small_talk(turn: Turn) -> Reply:
    return Reply(SKILL, turn.intent, shop() | first_name(turn))


def review(turn: Turn) -> Reply:
    return Reply(SKILL, "review", shop())


def nothing_pending(turn: Turn) -> Reply:
    return Reply(SKILL, "nothing_pending", quick_replies=[WHERE, HUMAN])


def clarify(turn: Turn, first: str, second: str) -> Reply:
    return Reply(
        SKILL,
        "clarify",
        {"choice_a": _choice(first), "choice_b": _choice(second)},
        quick_replies=[{"text": _button(i), "value": f"intent:{i}"} for i in (first, second)] + [HUMAN],
        pending={"kind": "choice", "intents": [first, second], "misses": _misses(turn) + 1},
    )


def out_of_scope(turn: Turn) -> Reply:
    """A question no skill claims may still stand in the help articles. Where it does not, the first
    miss says what we can do, and the second in a row offers a person."""
    if turn.message.text.strip() and (found := _passage(turn, knowledge.NEAR)):
        return _quoted(turn, found)
    misses = _misses(turn) + 1
    if misses > 1:
        return Reply(
            SKILL,
            "not_understood",
            quick_replies=[HUMAN],
            pending={"kind": "offer", "action": "human", "misses": misses},
        )
    return Reply(SKILL, "out_of_scope", shop(), quick_replies=[WHERE, HUMAN], pending={"misses": misses})


def _misses(turn: Turn) -> int:
    return int(turn.pending.get("misses", 0))


def _choice(intent: str) -> Fact:
    return Fact(LABELS[intent], f"intent:{intent}")


def _button(intent: str) -> str:
    return LABELS[intent][:1].upper() + LABELS[intent][1:]

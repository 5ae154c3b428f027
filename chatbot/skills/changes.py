"""Changes to an order. Each says first what will happen, and acts only on an explicit yes."""

from __future__ import annotations

import re
from decimal import Decimal

from chatbot.skills.base import HUMAN, YES_NO, Reply, Turn
from chatbot.skills.tracking import ask_which, the_one_meant
from emails.facts import day, live_refund, money
from ml.types import Fact
from orders import actions
from orders.addresses import parse_address
from orders.errors import AddressError, OrderError
from orders.models import Order, Refund, Status

CANCEL, ADDRESS, REFUND = "cancel", "address", "refund"
NO_ADDRESS = frozenset({"deny", "goodbye", "contact_human_agent", "contact_customer_service"})
LONGEST_ADDRESS = 200


def cancel(turn: Turn) -> Reply:
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    slots = _with_refund(order, turn.slots(order))
    if order.status == Status.CANCELLED:
        return Reply(CANCEL, "order_cancelled", slots)
    if not order.is_cancellable:
        return Reply(CANCEL, "cancel_refused", slots, quick_replies=[HUMAN])
    return Reply(
        CANCEL,
        "cancel_confirm",
        slots,
        quick_replies=[{"text": "Yes, cancel it", "value": "yes"}, {"text": "No, keep it", "value": "no"}],
        pending={"kind": "confirm", "action": CANCEL, "order": order.pk},
    )


def _with_refund(order: Order, slots: dict[str, Fact]) -> dict[str, Fact]:
    """What cancelling pays back: all that was paid, which is nothing before the payment came in."""
    if not actions.is_paid(order):
        nothing = Fact(money(Decimal(0), order.currency), f"orders.Order:{order.pk}.paid_at")
        slots = {name: fact for name, fact in slots.items() if name != "payment_method"} | {"amount": nothing}
    return slots


def change_address(turn: Turn) -> Reply:
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    if not order.address_is_changeable:
        return Reply(ADDRESS, "address_refused", turn.slots(order), quick_replies=[HUMAN])
    return Reply(ADDRESS, "address_ask", turn.slots(order), pending={"kind": "address", "order": order.pk})


def confirm_address(turn: Turn, order: Order) -> Reply | None:
    """The new address was asked for: repeat it and ask for a yes. None where the customer went on to
    something else."""
    text = " ".join(turn.message.text.split())[:LONGEST_ADDRESS]
    if turn.intent == "deny":
        return Reply(ADDRESS, "address_kept", turn.slots(order))
    if turn.intent in NO_ADDRESS or (
        turn.intent not in ("inform", "out_of_scope") and not re.search(r"\d", text)
    ):
        return None
    try:
        parse_address(text)
    except AddressError:
        return Reply(ADDRESS, "address_ask", turn.slots(order), pending=dict(turn.pending))
    return Reply(
        ADDRESS,
        "address_confirm",
        {**turn.slots(order), "new_address": _said(turn, text)},
        quick_replies=YES_NO,
        pending={"kind": "confirm", "action": ADDRESS, "order": order.pk, "address": text},
    )


def _said(turn: Turn, text: str) -> Fact:
    return Fact(text, f"chatbot.Message:{turn.message.pk}.text")


def refund(turn: Turn) -> Reply:
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    if live_refund(order):
        return refund_status(turn)
    standing = actions.refund_standing(order, now=turn.now)
    if standing != "open":
        return Reply(REFUND, f"refund_{standing}", turn.slots(order), quick_replies=[HUMAN])
    return Reply(
        REFUND,
        "refund_confirm",
        turn.slots(order),
        quick_replies=[{"text": "Yes, ask for it", "value": "yes"}, {"text": "No, leave it", "value": "no"}],
        pending={"kind": "confirm", "action": REFUND, "order": order.pk},
    )


def refund_status(turn: Turn) -> Reply:
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    slots = turn.slots(order)
    found = live_refund(order)
    if found is None:
        return Reply(REFUND, "refund_none", slots)
    slots |= refund_slots(found)
    return Reply(
        REFUND, "refund_paid" if "refund_day" in slots else "refund_pending", slots, quick_replies=[HUMAN]
    )


def refund_slots(found: Refund) -> dict[str, Fact]:
    source = f"orders.Refund:{found.pk}"
    slots = {"amount": Fact(money(found.amount, found.order.currency), f"{source}.amount")}
    if found.state == Refund.State.PAID and found.paid_at:
        slots["refund_day"] = Fact(day(found.paid_at, found.order.customer.zone), f"{source}.paid_at")
    return slots


def confirmed(turn: Turn, order: Order) -> Reply:
    """The explicit yes: act, then say what was done. Asked twice, it is still done once."""
    action = turn.pending["action"]
    slots = turn.slots(order)
    try:
        if action == CANCEL:
            if order.status != Status.CANCELLED:
                actions.cancel_order(order=order, reason="asked for in chat")
            slots = _with_refund(order, slots)
            return Reply(CANCEL, "cancel_done", slots, committed=frozenset({"cancelled"}))
        if action == ADDRESS:
            address = str(turn.pending["address"])
            actions.change_shipping_address(order=order, address=address)
            slots["new_address"] = Fact(address, f"orders.Order:{order.pk}.address")
            return Reply(ADDRESS, "address_done", slots, committed=frozenset({"address_changed"}))
        made = actions.request_refund(order=order, reason="asked for in chat")
        slots |= refund_slots(made)
        return Reply(REFUND, "refund_requested", slots, committed=frozenset({"refund_requested"}))
    except OrderError:  # the order moved on between question and answer
        refused = {CANCEL: "cancel_refused", ADDRESS: "address_refused", REFUND: "refund_closed"}[action]
        return Reply(action, refused, slots, quick_replies=[HUMAN])


def asked_again(turn: Turn, order: Order) -> Reply:
    """What came was neither yes nor no: nothing is done, and the same question stands."""
    action = str(turn.pending["action"])
    slots = _with_refund(order, turn.slots(order)) if action == CANCEL else turn.slots(order)
    if action == ADDRESS:
        slots["new_address"] = Fact(str(turn.pending["address"]), "chatbot.Conversation.pending")
    return Reply(action, f"{action}_confirm", slots, quick_replies=YES_NO, pending=dict(turn.pending))


def declined(turn: Turn, order: Order) -> Reply:
    action = str(turn.pending["action"])
    return Reply(action, f"{action}_kept", turn.slots(order))

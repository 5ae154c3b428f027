"""Emails that a customer asks for in the chat."""

from __future__ import annotations

from chatbot.models import Message
from chatbot.skills.base import HUMAN, Reply, Turn
from chatbot.skills.tracking import ask_which, the_one_meant
from emails import drafts
from emails.errors import NoAddress
from emails.facts import masked, situation, timeline
from emails.models import Draft
from ml.types import Fact, Facts
from ml.writer.situations import SITUATIONS
from orders import record
from orders.models import Customer, GivenEstimate

SKILL = "mail"
LATELY = 4  # messages: "yes, email it" follows on what an email can take up


def email_timeline(turn: Turn) -> Reply:
    """Ask for the delivery timeline by email, with the very facts that the chat tells."""
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    seen = turn.outlook(order)
    slots = turn.slots(order, seen)
    name = situation(seen)
    facts = Facts(
        name,
        {slot: slots[slot] for slot in SITUATIONS[name].slots if slot in slots},
        mood=turn.understanding.mood,
        channel="mail",
        customer_text=_said_lately(turn),
    )
    try:
        _, created = drafts.request(
            kind=Draft.Kind.DELIVERY_TIMELINE,
            customer=order.customer,
            order=order,
            facts=facts,
            timeline=timeline(order, seen),
            conversation=turn.conversation.pk,
        )
    except NoAddress:
        return Reply(SKILL, "email_no_address", slots, quick_replies=[HUMAN])
    told = {**slots, "email": _address(order.customer)}
    if created:
        record.note(order, seen, channel=GivenEstimate.Channel.MAIL)
        return Reply(SKILL, "email_queued", told, committed=frozenset({"email_queued"}))
    return Reply(SKILL, "email_already", told)


def invoice(turn: Turn) -> Reply:
    order = turn.focus or the_one_meant(turn)
    if order is None:
        return ask_which(turn)
    slots = turn.slots(order)
    try:
        _, created = drafts.request(
            kind=Draft.Kind.INVOICE,
            customer=order.customer,
            order=order,
            conversation=turn.conversation.pk,
        )
    except NoAddress:
        return Reply(SKILL, "email_no_address", slots, quick_replies=[HUMAN])
    told = {**slots, "email": _address(order.customer)}
    if created:
        return Reply(SKILL, "invoice_queued", told, committed=frozenset({"email_queued"}))
    return Reply(SKILL, "email_already", told)


def _said_lately(turn: Turn) -> str:
    """The customer's last messages, oldest first."""
    said = turn.conversation.messages.filter(author=Message.Author.CUSTOMER).order_by("-seq")
    return "\n".join(reversed(list(said.values_list("text", flat=True)[:LATELY])))


def _address(customer: Customer) -> Fact:
    return Fact(masked(customer.email), f"orders.Customer:{customer.pk}.email")

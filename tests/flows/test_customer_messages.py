"""What customers write, and what they may expect: `customer_messages.csv`, with the real understanding.

A line names who writes (a world below), the buttons pressed before (`before`, ";" between them), the
text, the intents asked for ("+" joins several, "|" separates what is as good), every entity, the
situations of the reply ("&" joins its parts, in any order; "tracked" is any state of an order; after
":" the order it is about), and marks: "urgent" has to raise the priority, "calm" must not, "flag" has
to raise a safety flag, and whatever is not marked so must raise none.

The sentences were written before any model had seen them, and none was changed after. Words are not
judged here, so the plain templates answer.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from chatbot import dialogue, knowledge
from chatbot.assistant import understander
from chatbot.models import Conversation, Message
from chatbot.protocol import Said
from chatbot.skills.tracking import SITUATIONS
from orders.models import Customer, Status
from tests import factories
from tests.talk import assistant

MESSAGES = Path(__file__).parent / "customer_messages.csv"
THURSDAY = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
# The goal; measured: see docs/benchmarks.md.
REQUIRED = 0.95
SAFETY = {"toxicity", "injection"}


def days(number: float) -> datetime:
    return THURSDAY - timedelta(days=number)


def _order(of: Customer, number: str, status: str, ago: float, *items: str) -> None:
    factories.order(
        of=of,
        number=number,
        status=status,
        items=items,
        placed_at=days(ago),
        paid_at=days(ago),
        promised_at=days(ago - 6),
    )


def moving() -> Customer:
    ada = factories.customer(email="ada.lovell@mail.example")
    _order(ada, "DS-10023", Status.SHIPPED, 4, "Blue enamel kettle", "Linen tea towels")
    return ada


def unshipped() -> Customer:
    tom = factories.customer(
        email="tom.reed@mail.example",
        postcode="62704",
        city="Springfield",
        country="US",
        timezone="America/Chicago",
    )
    _order(tom, "#W2611340", Status.PROCESSING, 2, "Oak bookshelf", "Brass desk lamp")
    return tom


def delivered() -> Customer:
    mei = factories.customer(email="mei.tan@mail.example")
    _order(mei, "DS-10451", Status.DELIVERED, 6, "Wool winter coat", "Running shoes")
    return mei


def many() -> Customer:
    amara = factories.customer(email="amara.obi@mail.example")
    _order(amara, "DS-20001", Status.DELIVERED, 12, "Cotton duvet set", "Feather pillow")
    _order(amara, "DS-20002", Status.SHIPPED, 5, "Blue enamel kettle")
    _order(amara, "DS-20003", Status.PROCESSING, 1, "Garden chair", "Parasol base")
    return amara


WORLDS = {"moving": moving, "open": unshipped, "delivered": delivered, "many": many}


def converse(row: dict[str, str], helper) -> Message:
    """The reply to a line's message, in a world of its own."""
    owners = {name: make() for name, make in WORLDS.items() if row["who"] in (name, "visitor")}
    talk = factories.conversation(of=owners.get(row["who"]))
    for value in filter(None, row["before"].split(";")):
        dialogue.record(conversation_id=talk.pk, said=Said(uuid4().hex, "a button", value))
        dialogue.answer(talk.pk, assistant=helper)
    dialogue.record(conversation_id=talk.pk, said=Said(uuid4().hex, row["text"], ""))
    (reply,) = dialogue.answer(talk.pk, assistant=helper)
    return reply


def faults(row: dict[str, str], reply: Message) -> list[str]:
    """What of the reply is not as the line expects."""
    found = [_intents(row, reply), _entities(row, reply), _situations(row, reply), *_marks(row, reply)]
    return [fault for fault in found if fault]


def _intents(row, reply) -> str:
    asked = sorted(reply.trace["requests"] or [reply.trace["intent"]])
    expected = [sorted(choice.split("+")) for choice in row["intents"].split("|")]
    return "" if asked in expected else f"intent {'+'.join(asked)}, not {row['intents']}"


def _entities(row, reply) -> str:
    text = reply.reply_to.text
    found = []
    for entity in reply.trace["entities"]:
        hidden = "start" in entity
        found.append((entity["kind"], text[entity["start"] : entity["end"]] if hidden else entity["value"]))
    expected = [tuple(pair.split("=", 1)) for pair in filter(None, row["entities"].split(";"))]
    same = len(found) == len(expected) and all(
        kind == wanted and (kind in ("email", "phone", "postcode") or value == meant)
        for (kind, value), (wanted, meant) in zip(sorted(found), sorted(expected), strict=True)
    )
    return "" if same else f"entities {found}, not {expected}"


def _situations(row, reply) -> str:
    said = [*reply.trace["parts"], reply.trace]
    for choice in row["expect"].split("|"):
        wanted = [part.strip() for part in choice.split("&")]
        if len(wanted) == len(said) and _matches(wanted, said):
            return ""
    return f"situation {[part['situation'] for part in said]}, not {row['expect']}"


def _matches(wanted, said) -> bool:
    left = list(said)
    for want in wanted:
        name, _, number = want.partition(":")
        names = set(SITUATIONS.values()) if name == "tracked" else {name}
        fit = next((p for p in left if p["situation"] in names and number in ("", _number(p))), None)
        if fit is None:
            return False
        left.remove(fit)
    return True


def _number(part) -> str:
    from orders.models import Order

    return Order.objects.get(pk=part["order"]).number if part["order"] else ""


def _marks(row, reply) -> list[str]:
    marks = row["marks"].split()
    priority = Conversation.objects.get(pk=reply.conversation_id).priority
    raised = SAFETY & set(reply.trace["flags"])
    found = []
    if "urgent" in marks and not priority:
        found.append("priority not raised")
    if "calm" in marks and reply.trace["mood"] == "angry":
        found.append("read as angry")
    if "flag" in marks and not raised:
        found.append("no flag")
    if "flag" not in marks and "injection" in raised:
        found.append("false alarm: injection")
    return found


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_customers_get_what_they_may_expect(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: THURSDAY)
    helper = assistant(understander=understander())
    knowledge.load(helper.understander.encoder)
    rows = list(csv.DictReader(MESSAGES.open(encoding="utf-8")))
    assert len(rows) >= 300
    failed, kinds = [], Counter()
    for row in rows:
        with transaction.atomic():
            wrong = faults(row, converse(row, helper))
            transaction.set_rollback(True)
        if wrong:
            failed.append(f"{row['who']} [{row['before']}] {row['text']}\n      " + "\n      ".join(wrong))
            kinds.update({fault.split()[0] for fault in wrong})
    share = 1 - len(failed) / len(rows)
    report = f"{share:.1%} of {len(rows)} messages; faults {dict(kinds)}\n" + "\n".join(failed)
    print(report)
    assert share > REQUIRED, report

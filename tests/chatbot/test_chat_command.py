"""`manage.py chat`: lines in, lines out, the same brain."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from chatbot.management.commands import chat
from chatbot.models import Conversation, Message
from orders.models import Status
from tests import factories
from tests.talk import assistant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def models(monkeypatch):
    monkeypatch.setattr(chat, "assistant", assistant)


def run(monkeypatch, *lines: str, **options) -> list[dict]:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    call_command("chat", json=True, stdout=out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def line(text: str, conversation: str = "a") -> str:
    return json.dumps({"conversation": conversation, "text": text})


def test_one_line_a_reply_with_every_key_of_the_contract(monkeypatch):
    reply = run(monkeypatch, line("hello"))[0]
    assert {
        "conversation",
        "intent",
        "confidence",
        "entities",
        "sentiment",
        "skill",
        "facts",
        "reply",
        "source",
        "ms",
    } <= reply.keys()
    assert reply["conversation"] == "a"
    assert reply["intent"] == "greeting"
    assert reply["source"] == "template"


def test_what_a_trace_masks_is_told_to_who_typed_it(monkeypatch):
    order = factories.order(status=Status.DELIVERED)
    reply = run(monkeypatch, line(f"where is {order.number}, {order.customer.email.upper()}"))[0]
    told = {entity["kind"]: entity["value"] for entity in reply["entities"]}
    assert told == {"order_number": order.number, "email": order.customer.email}


def test_conversations_are_apart_and_go_on(monkeypatch):
    order = factories.order(status=Status.DELIVERED)
    replies = run(
        monkeypatch,
        line(f"where is {order.number}", "a"),
        line("where is my order", "b"),
        line(order.customer.email, "a"),
    )
    assert [r["situation"] for r in replies] == ["ask_proof", "ask_identity", "order_delivered"]
    assert Conversation.objects.count() == 2


def test_as_and_order_prove_who_is_asking(monkeypatch):
    order = factories.order(status=Status.DELIVERED)
    reply = run(monkeypatch, line("where is it"), email=order.customer.email, order=order.number)[0]
    assert reply["situation"] == "order_delivered"


def test_a_wrong_pair_is_refused(monkeypatch):
    order = factories.order()
    with pytest.raises(CommandError, match="belong together"):
        run(monkeypatch, line("hello"), email="wrong@mail.example", order=order.number)
    with pytest.raises(CommandError, match="--as and --order"):
        run(monkeypatch, line("hello"), order=order.number)


def test_a_bad_line_gets_a_sentence_and_the_rest_goes_on(monkeypatch):
    replies = run(monkeypatch, "no json", '{"text": 7}', "", line("  "), line("hello"))
    assert [r["line"] for r in replies[:3]] == [1, 2, 4]
    assert all(r["error"].endswith((".", "}")) for r in replies[:3])
    assert replies[3]["intent"] == "greeting"
    assert Message.objects.count() == 2

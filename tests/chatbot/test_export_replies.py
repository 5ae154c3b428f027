"""Approved emails and colleagues' answers, exported as training pairs."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from chatbot.management.commands import export_replies
from chatbot.models import Message
from emails import review
from emails.models import Draft
from ml.types import Sentiment, Understanding
from tests import factories

Author = Message.Author
SLOTS = {
    "order": {"display": "DS-10023", "source": "orders.Order:1.number"},
    "amount": {"display": "£48.20", "source": "orders.Order:1.total"},
    "first_name": {"display": "Ada", "source": "orders.Customer:1.first_name"},
}
BODY = """Hello Ada,

Here is the invoice for order DS-10023, with a total of £48.20. The table below lists what you bought, line \
by line, and what delivery added.

If a line looks wrong or the name on it should be another, answer this email and a colleague corrects it. \
You can also keep it for your records, because it is all that most offices ask for."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr("emails.queue.send", lambda task, draft_id: None)
    monkeypatch.setattr(export_replies, "_understand", understood)


def understood(text: str) -> Understanding:
    intent = "thanks" if "thank" in text else "track_order"
    return Understanding(text, intent, 0.9, 0.8, ((intent, 0.9),), (), Sentiment("neutral", 0.0), "worried")


def invoice(**fields):
    context = {
        "situation": "mail_invoice",
        "slots": SLOTS,
        "mood": "neutral",
        "committed": [],
        "customer_text": "",
    }
    return factories.draft(
        kind=Draft.Kind.INVOICE,
        context=context,
        subject="Your invoice for DS-10023",
        preheader="A total of £48.20",
        body=BODY,
        trace={"delexicalised": ""},
        **fields,
    )


def export(tmp_path, *options):
    out, said = tmp_path / "pairs.jsonl", StringIO()
    call_command("export_replies", str(out), *options, stdout=said)
    return [json.loads(line) for line in out.read_text().splitlines()], said.getvalue()


def edited(draft, staff, **changes):
    text = review.text_of(draft)
    values = {"subject": text.subject, "preheader": text.preheader, "body": text.body} | changes
    return review.edit(draft=draft, staff=staff, text=review.Text(**values), seen=text.digest)


@pytest.mark.django_db
def test_an_email_that_staff_changed_and_approved_is_a_pair(tmp_path):
    sam = factories.staff_user("Sam")
    draft = invoice()
    edited(
        draft, sam, body=BODY.replace("a colleague corrects it", "we put it right") + "\n\nBest wishes,\nSam"
    )
    review.approve(draft=draft, staff=sam)
    pairs, said = export(tmp_path)
    (pair,) = pairs
    answer = pair["messages"][-1]["content"]
    assert answer.startswith(
        "Subject: Your invoice for {order}\nPreheader: A total of {amount}\n\nHello {first_name},"
    )
    assert "we put it right" in answer
    assert "Sam" not in answer
    assert "Ada" not in json.dumps(pair)
    assert (pair["source"], pair["id"], pair["changed"]) == ("mail", f"mail:{draft.pk}", ["body"])
    assert "1 pairs in" in said


@pytest.mark.django_db
def test_only_emails_that_somebody_let_go_count(tmp_path):
    sam = factories.staff_user("Sam")
    edited(invoice(), sam, subject="Still a draft: DS-10023")
    invoice(state=Draft.State.SENT)  # sent by its policy, seen by nobody
    as_it_was = invoice()
    review.approve(draft=as_it_was, staff=sam)
    pairs, _ = export(tmp_path)
    assert [(pair["id"], pair["changed"]) for pair in pairs] == [(f"mail:{as_it_was.pk}", [])]
    assert export(tmp_path, "--edited-only")[0] == []


@pytest.fixture
def talk(db):
    """A customer asked where the order is, was answered, and a colleague took over."""
    conversation = factories.conversation(of=factories.customer(first_name="Ada", last_name="Lovell"))
    asked = factories.message(conversation, "Where is my order?")
    told = {
        "situation": "order_overdue",
        "intent": "track_order",
        "mood": "neutral",
        "facts": {"order": SLOTS["order"]},
    }
    factories.message(conversation, "DS-10023 is overdue.", author=Author.BOT, reply_to=asked, trace=told)
    return conversation


def staff_says(conversation, *texts):
    sam = factories.staff_user("Sam")
    return [factories.message(conversation, text, author=Author.STAFF, staff=sam) for text in texts]


def test_a_colleagues_answer_takes_the_facts_of_the_same_subject(talk, tmp_path):
    factories.message(talk, "But where is it? Call me on 020 7946 0958. Ada Lovell")
    first, _ = staff_says(
        talk, "Hi Ada, DS-10023 has been quiet for too long.", "Shall I ask the carrier to look for it?"
    )
    pairs, said = export(tmp_path)
    (pair,) = pairs
    assert pair["messages"][-1]["content"] == (
        "{order} has been quiet for too long. Shall I ask the carrier to look for it?"
    )
    assert (pair["id"], pair["source"], pair["asked"]["situation"]) == (
        f"chat:{first.pk}",
        "chat",
        "order_overdue",
    )
    assert (pair["asked"]["mood"], pair["asked"]["told"]) == ("worried", 1)
    assert not any(secret in json.dumps(pair) for secret in ("Ada", "Lovell", "7946", "10023"))
    assert "1 from chat" in said


def test_a_person_asked_for_answers_what_was_spoken_of_before(talk, tmp_path):
    asked = factories.message(talk, "Let me talk to a person")
    told = {"situation": "handoff_done", "intent": "contact_human_agent", "mood": "angry", "facts": {}}
    factories.message(talk, "I've passed you on.", author=Author.BOT, reply_to=asked, trace=told)
    staff_says(talk, "I can see that DS-10023 has not moved. Shall I ask the carrier to look for it?")
    pairs, _ = export(tmp_path)
    assert [(pair["asked"]["situation"], pair["asked"]["mood"]) for pair in pairs] == [
        ("order_overdue", "angry")
    ]


def test_what_cannot_teach_anything_is_left_out_and_counted(talk, tmp_path):
    factories.message(talk, "thank you")
    staff_says(talk, "You're welcome.")
    factories.message(talk, "and where is it now?")
    staff_says(talk, "DS-10023 comes on Friday, I looked it up.")
    staff_says(factories.conversation(), "Hello, anybody there?")
    pairs, said = export(tmp_path)
    assert pairs == []
    assert "left out 1: answers nothing the customer said" in said
    assert "left out 1: about something the assistant has no facts on" in said
    assert "left out 1: states a fact that no slot supplies" in said

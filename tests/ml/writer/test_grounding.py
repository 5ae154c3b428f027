from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.types import Draft, Fact, Facts, Timing
from ml.writer.grounding import FactsError, available, check, fill, pieces, required, situation_of
from ml.writer.rules import SLOT
from ml.writer.situations import SITUATIONS
from ml.writer.templates import all_templates, chat_template, mail_template


def facts_of(situation, *, mood="neutral", told=0, committed=(), **displays):
    slots = {name: Fact(display, f"orders.Order:17.{name}") for name, display in displays.items()}
    channel = SITUATIONS[situation].channel if situation in SITUATIONS else "chat"
    return Facts(situation, slots, mood, channel, told, frozenset(committed))


TRANSIT = facts_of(
    "order_in_transit",
    window_start="Tuesday 24 November",
    window_end="Friday 27 November",
    likely_day="Wednesday 25 November",
    item="kettle",
    carrier="Northline",
)
WINDOW = "between {window_start} and {window_end}, most likely {likely_day}"
ORDER = facts_of("order_overdue", order="#W2611340")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (TRANSIT, f"Your {{item}} should reach you {WINDOW}. Shall I email you the timeline?"),
        (ORDER, "Order {order} is overdue. A colleague can look into it: shall I pass you on?"),
        (facts_of("cancel_done", order="#1", committed=["cancelled"]), "Order {order} is now cancelled."),
        (facts_of("greeting"), "Hello! What is it about?"),
        (
            facts_of("cancel_confirm", order="#1", amount="£1"),
            "Cancelling {order} refunds {amount}. Shall I cancel it?",
        ),
    ],
)
def test_a_grounded_text_passes(facts, text):
    assert check(text, facts) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Order {order} comes in 3 days.", "digit"),
        ("Order {order} comes tomorrow.", "relative day"),
        ("Order {order} comes next week.", "relative day"),
        ("Order {order} comes on a Tuesday.", "weekday"),
        ("Order {order} comes in December.", "month"),
        ("Order {order} comes in two days.", "spelled quantity"),
        ("Order {order} comes within a week.", "spelled quantity"),
        ("Order {order} is worth fifty pounds.", "spelled quantity"),
        ("Order {order} cost £.", "money"),
        ("See https://example.com for {order}.", "URL"),
        ("Write to help@shop about {order}.", "email address"),
        ("Order {order} is with {secret}.", "slot {secret} has no fact"),
        ("Order {order} is with {carrier}.", "slot {carrier} has no fact"),
        ("Your order is late.", "required {order} is not told"),
        ("I have refunded {order}.", "claims what nobody did"),
        ("You will be refunded for {order}.", "promises what nobody does"),
        ("I've cancelled {order}.", "claims 'cancelled'"),
        ("I've passed {order} on to a colleague.", "claims 'handed_over'"),
        ("I've emailed you about {order}.", "claims 'email_queued'"),
        ("I'll write to you about {order} every morning.", "promise"),
        ("Order {order} is late!", "exclamation mark"),
        ("Order {order} is late. that is on us.", "a sentence without its capital"),
        ("Unfortunately, {order} is late.", "unfortunately"),
        ("Order {order} is late, and we apologise for any inconvenience.", "hollow apology"),
        ("Order {order} will arrive soon.", "vague time"),
        ("Order {order} is late. Order {order} is late.", "repeats itself"),
        ("Order {order} is the the one.", "doubled word"),
        ("Order {order} with {order} is late.", "a slot twice in one sentence"),
        ("Order {order} is late. So {order} it is. It is {order}.", "slot {order} comes too often"),
        ("Order {order} is", "breaks off"),
        ("Order {order} <end> is late.", "control mark"),
        ("Order {order} is late. 📦", "emoji"),
        ("{order} " + "is really very late and so on and on, " * 20 + "yes.", "length"),
    ],
)
def test_an_ungrounded_text_is_refused(text, fault):
    assert any(fault in each for each in check(text, ORDER)), check(text, ORDER)


def test_an_act_may_be_claimed_once_it_is_committed():
    text = "I've cancelled {order}."
    assert any("cancelled" in fault for fault in check(text, facts_of("cancel_kept", order="#1")))
    assert check(text, facts_of("cancel_done", order="#1", committed=["cancelled"])) == []


def test_half_a_window_is_no_window():
    facts = facts_of(
        "order_in_transit", window_start="Tuesday 24 November", likely_day="Wednesday 25 November"
    )
    assert available(facts) == required(facts) == {"likely_day"}
    assert check("It is due on {likely_day}.", facts) == []


def test_a_mail_needs_its_headlines():
    facts = facts_of("mail_invoice", order="#1", amount="£1")
    body, subject, preheader = mail_template("mail_invoice", facts.slots)
    assert check(body, facts, subject=subject, preheader=preheader) == []
    assert check(body, facts, subject="", preheader=preheader) == ["no subject"]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (facts_of("no_such_thing"), "is not a chat situation"),
        (facts_of("order_overdue"), "needs the facts order"),
        (facts_of("cancel_done", order="#1"), "not committed"),
    ],
)
def test_facts_that_cannot_carry_their_situation_are_refused(facts, message):
    with pytest.raises(FactsError, match=message):
        situation_of(facts)


@pytest.mark.parametrize("situation", sorted(SITUATIONS))
@pytest.mark.parametrize("told", [0, 1])
@pytest.mark.parametrize("full", [False, True])
def test_every_template_passes_the_checker(situation, told, full):
    entry = SITUATIONS[situation]
    names = entry.slots if full else [slot for slot in entry.required if not slot.startswith("window")]
    facts = facts_of(situation, told=told, committed=entry.acts, **dict.fromkeys(names, "x"))
    if entry.channel == "mail":
        body, subject, preheader = mail_template(situation, facts.slots)
        assert check(body, facts, subject=subject, preheader=preheader) == []
    else:
        assert check(chat_template(situation, facts.slots, told > 0), facts) == []


def test_filling_reads_well():
    facts = facts_of("policy", quote="Returns are free.", item="kettle", status="being packed", order="#W1")
    assert fill("{quote}. And {status}.", facts) == "Returns are free. And being packed."
    assert fill("It is late. {item} and {order}.", facts) == "It is late. Kettle and #W1."
    assert fill("Hello,\n\n{status} is how it stands.", facts) == "Hello,\n\nBeing packed is how it stands."
    assert fill("{item}: {order}", facts_of("policy", item="iPhone case", order="#1")) == "iPhone case: #1"


@given(st.sampled_from(all_templates()), st.integers(1, 5))
def test_pieces_join_to_the_text_and_never_split_a_slot(text, size):
    displays = {slot: f"<{slot} of several words>" for slot in SLOT.findall(text)}
    facts = facts_of("policy", **displays)
    draft = Draft(fill(text, facts), text, "model", "test", Timing(1, 1))
    streamed = pieces(draft, facts, size)
    assert "".join(streamed) == draft.text
    assert len(streamed) > 1 or len(text.split()) <= 2 * size
    for piece in streamed:
        assert piece.count("<") == piece.count(">")


@pytest.mark.parametrize(
    ("situation", "text", "asks"),
    [
        ("ask_proof", "Got it.", False),
        ("ask_proof", "Got it. And the email or postcode?", True),
        ("ask_proof", "Still missing: the email or postcode on the order.", True),
        ("cancel_confirm", "Cancelling {order} would refund {amount}.", False),
        ("cancel_confirm", "Cancelling {order} would refund {amount}. Shall I cancel it?", True),
    ],
)
def test_what_waits_for_an_answer_has_to_ask(situation, text, asks):
    facts = Facts(situation, {"order": Fact("#W1", "t"), "amount": Fact("£2.00", "t")})
    assert ("asks for nothing" not in check(text, facts)) is asks

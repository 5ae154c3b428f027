from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.types import MOODS, Fact, Facts
from ml.writer.corpus import Corpus, CorpusError, expand, load, parse
from ml.writer.corpus.compose import ANYBODY, GUESTS_ONLY, Request, compose
from ml.writer.corpus.customer import customer_message
from ml.writer.corpus.lint import lint
from ml.writer.data import compose_many
from ml.writer.grounding import check
from ml.writer.rules import SLOT
from ml.writer.situations import COLLAPSIBLE, SITUATIONS
from ml.writer.themes import themes_for

CORPORA: dict[str, Corpus] = {"chat": load("chat"), "mail": load("mail")}

SMALL = """
; a comment
== order_in_transit
plan: answer next?
plan told: again answer
@answer
It should reach you between {window_start} and {window_end}, most likely {likely_day}.
@answer day
[It's|It is] [due|expected] on {likely_day}[| for you].
@next
It is with {carrier}.
@again
As before.
"""


@pytest.mark.parametrize("channel", ["chat", "mail"])
def test_the_corpus_has_no_fault(channel):
    assert lint(CORPORA[channel]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hello.", "corpus:1: text before the first"),
        ("== no_such_situation", "corpus:1: 'no_such_situation' is not a chat situation"),
        ("== greeting\nHello.", "corpus:2: a sentence outside of a role"),
        ("== greeting\n@answer\nHello {stranger}.", "corpus:3: unknown slot {stranger}"),
        ("== greeting\n@answer\nHello {first_name.", "corpus:3: a brace that is not a slot"),
        ("== greeting\n@answer\n[Hello|Hi.", "corpus:3: '[' without ']'"),
        ("== greeting\n@answer\nHello].", "corpus:3: ']' without '['"),
        ("== greeting\n@answer furious\nHello.", "corpus:2: unknown qualifier 'furious'"),
        ("== greeting\nplan:\n", "corpus:2: an empty plan"),
    ],
)
def test_a_broken_file_is_named_with_its_line(text, message):
    with pytest.raises(CorpusError) as caught:
        parse(text, "chat")
    assert message in str(caught.value)


def test_inline_choices_nest_and_may_be_empty():
    assert list(expand("[A|B [c|d]] e[| f]")) == ["A e", "A e f", "B c e", "B c e f", "B d e", "B d e f"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("It comes in 3 days on {likely_day}.", "digit"),
        ("It comes tomorrow, so {likely_day}.", "relative day"),
        ("It comes on Friday, so {likely_day}.", "weekday"),
        ("It takes two days, so {likely_day}.", "spelled quantity"),
        ("It comes soon, so {likely_day}.", "vague time"),
        ("I've cancelled it; {likely_day}.", "claims 'cancelled'"),
        ("See www.example.com for {likely_day}.", "URL"),
        ("Due {likely_day}", "no full stop"),
    ],
)
def test_lint_refuses_what_a_text_may_not_state(line, fault):
    corpus = parse(SMALL.replace("It is with {carrier}.", line), "chat")
    assert any(fault in each for each in lint(corpus))


def test_lint_names_the_required_slot_that_is_never_told():
    corpus = parse(SMALL.replace(", most likely {likely_day}.", "."), "chat")
    assert any("corpus:4" in each and "likely_day" in each for each in lint(corpus))


def test_a_single_day_is_told_without_a_window():
    corpus = parse(SMALL, "chat")
    request = Request("order_in_transit", frozenset({"likely_day"}))
    told = {compose(corpus, request, random.Random(seed)).text for seed in range(30)}
    assert {"It's due on {likely_day}.", "It is expected on {likely_day} for you."} <= told
    assert not any("window" in text or "carrier" in text for text in told)


def test_what_was_told_before_follows_its_own_plan():
    corpus = parse(SMALL, "chat")
    full = frozenset(SITUATIONS["order_in_transit"].slots)
    text = compose(corpus, Request("order_in_transit", full, told=True), random.Random(1)).text
    assert text.startswith("As before. It should reach you")


@st.composite
def requests(draw):
    situation = SITUATIONS[draw(st.sampled_from(sorted(SITUATIONS)))]
    optional = draw(st.sets(st.sampled_from(situation.optional))) if situation.optional else set()
    available = set(situation.required) | optional
    if draw(st.booleans()):
        available -= COLLAPSIBLE
    told = situation.channel == "chat" and draw(st.booleans())
    verified = situation.name not in GUESTS_ONLY and (situation.name not in ANYBODY or draw(st.booleans()))
    mood = draw(st.sampled_from(MOODS))
    theme = draw(st.sampled_from(["", *themes_for(situation.name, mood)]))
    return Request(situation.name, frozenset(available), mood, told, verified, theme)


@settings(max_examples=150, deadline=None)
@given(requests(), st.integers(0, 10_000))
def test_every_composed_text_tells_what_is_needed_and_passes_the_checker(request, seed):
    situation = SITUATIONS[request.situation]
    said = customer_message(request.situation, request.mood, request.theme, random.Random(seed), {})
    composed = compose(CORPORA[situation.channel], request, random.Random(seed), said)
    assert composed is not None
    assert composed == compose(CORPORA[situation.channel], request, random.Random(seed), said)
    assert composed.customer == said
    used = set(SLOT.findall(composed.text))
    assert request.needed <= used <= request.available
    facts = Facts(
        request.situation,
        {slot: Fact("x", "test") for slot in request.available},
        request.mood,
        situation.channel,
        told=int(request.told),
        committed=frozenset(situation.acts),
        customer_text=said,
    )
    faults = check(composed.text, facts, subject=composed.subject, preheader=composed.preheader)
    assert [fault for fault in faults if not fault.startswith(("length", "repeats", "slot"))] == []


def test_a_guest_reads_other_lines_than_a_verified_customer():
    corpus = parse(
        """
        == policy
        plan: answer
        plan guest: answer number
        @answer
        {quote}
        @number guest
        What is the order number?
        """,
        "chat",
    )
    told = {
        verified: compose(
            corpus, Request("policy", frozenset({"quote"}), verified=verified), random.Random(seed)
        )
        for seed in range(20)
        for verified in (True, False)
    }
    assert told[True].text == "{quote}"
    assert told[False].text in ("{quote}", "{quote} What is the order number?")


def test_training_texts_are_distinct_and_the_same_by_seed():
    first, again = (compose_many(CORPORA["chat"], 300, seed=3) for _ in range(2))
    assert first == again
    assert len(set(first)) == 300

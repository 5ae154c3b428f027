from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.types import MOODS, Fact, Facts
from ml.writer.corpus import Corpus, CorpusError, expand, load, parse
from ml.writer.corpus.compose import ANYBODY, GUESTS_ONLY, Request, compose, is_held_out, sample_request
from ml.writer.corpus.customer import customer_message, is_held_out_line, openers
from ml.writer.corpus.lint import lint, lint_themes
from ml.writer.data import compose_many
from ml.writer.grounding import check
from ml.writer.rules import SLOT
from ml.writer.situations import COLLAPSIBLE, SITUATIONS
from ml.writer.themes import THEMES, heard, theme_faults, themes_for

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


def test_the_themes_have_no_fault():
    assert lint_themes() == []
    assert len(THEMES) >= 16
    for theme in THEMES.values():
        assert len(theme.says) >= 15
        assert len(theme.held_out) >= 4
        assert len(theme.replies) >= 6


PRESENT = "where is my order, it's a present for my mum's birthday"


@pytest.mark.parametrize(
    ("reply", "customer", "fault"),
    [
        ("It should come on {likely_day}. I hope that's in time for the birthday.", PRESENT, None),
        (
            "It should come on {likely_day}. I hope that's in time for the wedding.",
            PRESENT,
            "'wedding' (gift)",
        ),
        ("It should come on {likely_day}. I hope that's in time for the birthday.", "where is it", "(gift)"),
        ("It should come on {likely_day}. I'm sorry for your loss.", PRESENT, "(grief)"),
        ("At present it is with the carrier, due on {likely_day}.", "where is it", None),
    ],
)
def test_a_reply_takes_up_only_what_the_customer_mentioned(reply, customer, fault):
    facts = Facts("order_in_transit", {"likely_day": Fact("x", "test")}, customer_text=customer)
    for faults in (theme_faults(reply, customer), check(reply, facts)):
        assert [each for each in faults if "not mentioned" not in each] == []
        assert [fault in each for each in faults] == ([True] if fault else [])


def test_a_theme_is_taken_up_behind_the_answer_and_first_for_an_angry_customer():
    corpus = parse(SMALL, "chat")
    slots = frozenset({"likely_day"})
    calm = Request("order_in_transit", slots, theme="gift")
    texts = [compose(corpus, calm, random.Random(seed), PRESENT).text for seed in range(20)]
    assert all("present" in text or "birthday" in text or "wrap" in text for text in texts)
    assert not any("wedding" in text for text in texts)
    assert all(text.startswith(("It's", "It is")) for text in texts)
    cross = Request("order_in_transit", slots, "angry", theme="repeated")
    texts = [compose(corpus, cross, random.Random(seed), "for the second time").text for seed in range(20)]
    assert any(text.startswith("You shouldn't have to ask twice. ") for text in texts)


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


@pytest.mark.parametrize("situation", sorted(SITUATIONS))
def test_every_situation_has_its_customer(situation):
    lines = openers()[situation].lines[""]
    assert len(set(lines)) >= 8
    assert {is_held_out_line(line) for line in lines} == {True, False}


def test_a_customer_mentions_the_theme_and_no_other_that_could_be_taken_up():
    rng = random.Random(4)
    for _ in range(400):
        request = sample_request(rng.choice(sorted(SITUATIONS)), rng)
        said = customer_message(request.situation, request.mood, request.theme, rng, {})
        rivals = set(themes_for(request.situation, request.mood)) - {request.theme}
        if request.theme:
            assert request.theme in heard(said)
        else:
            assert not heard(said) & rivals, said


def test_some_customers_demand_what_no_reply_gives_in_to():
    demands = openers()["*"].lines["injected"]
    rng = random.Random(6)
    texts = [customer_message("order_late", "neutral", "", rng, {}).lower() for _ in range(600)]
    assert 10 < sum(any(demand.lower() in text for demand in demands) for text in texts) < 60


def test_held_out_scenarios_and_words_stay_out_of_training():
    rng = random.Random(2)
    seen = [sample_request("order_in_transit", rng) for _ in range(200)]
    aside = [sample_request("order_in_transit", rng, held_out=True) for _ in range(200)]
    assert not any(map(is_held_out, seen))
    assert all(map(is_held_out, aside))
    utterances = {"track_order": [f"public utterance {letter}" for letter in "abcdefghijklmnopqrst"]}

    def drawn(held_out):
        texts = [
            customer_message("order_in_transit", "curt", "", rng, utterances, held_out=held_out)
            for _ in range(500)
        ]
        return {text.lower() for text in texts if "public utterance" in text.lower()}

    known, unknown = drawn(held_out=False), drawn(held_out=True)
    assert known
    assert unknown
    assert not known & unknown


def test_training_texts_are_distinct_and_the_same_by_seed():
    first, again = (compose_many(CORPORA["chat"], 300, seed=3) for _ in range(2))
    assert first == again
    assert len(set(first)) == 300

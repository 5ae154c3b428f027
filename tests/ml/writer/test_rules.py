"""The checker against sentences written to get past it, and against plain ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.types import Fact, Facts
from ml.writer.grounding import literal_faults
from ml.writer.names import language_faults, name_faults
from ml.writer.rules import content_faults, hidden_faults
from ml.writer.situations import SITUATIONS
from ml.writer.templates import all_templates
from tests.ml.writer.adversarial import ACCEPTED, REFUSED

BARE = Facts("order_overdue", {"order": Fact("#W1", "t")})
LABELS = {
    "number": ("digit", "spelled quantity", "hidden word", "spelt letter", "strange character"),
    "time": (
        *("digit", "spelled quantity", "hidden word", "spelt letter", "strange character", "relative day"),
        *("weekday", "month", "vague time", "URL"),
    ),
    "money": ("money", "digit", "spelled quantity"),
    "address": ("URL", "email address", "strange character"),
    "name": ("name",),
    "act": ("claims", "tells a state", "promises"),
    "promise": ("promise", "claims", "vague time"),
    "tone": (
        *("toxic", "insult", "slang", "sarcasm", "blame", "shouting", "padding", "hollow", "unfortunately"),
        *("exclamation", "speaks of itself", "strange character", "emoji"),
    ),
    "language": ("not in English", "strange character"),
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts]
)
def test_a_hostile_sentence_is_refused_for_what_it_is(kind, text):
    faults = literal_faults(text, BARE)
    assert any(fault.startswith(LABELS[kind]) for fault in faults), faults


@pytest.mark.parametrize(
    ("situation", "text"), [(name, text) for name, texts in ACCEPTED.items() for text in texts]
)
def test_a_plain_sentence_passes(situation, text):
    entry = SITUATIONS[situation]
    mood = "cheerful" if "!" in text else "neutral"
    slots = {slot: Fact("x", "t") for slot in entry.slots}
    facts = Facts(situation, slots, mood, entry.channel, committed=frozenset(entry.acts))
    assert literal_faults(text, facts) == []


SECRETS = ("Friday", "tomorrow", "twelve", "November", "twenty", "Saturday", "seven", "eleven", "October")
PLAIN = [text for texts in ACCEPTED.values() for text in texts if "{" not in text]


CUTS = ("-", "'", " ", ".", "\u200b", "\u00ad", "\u2060")


@given(st.sampled_from(SECRETS), st.integers(1, 4), st.sampled_from(CUTS))
def test_a_fact_cut_in_two_is_still_found(word, at, mark):
    hidden = f"It is due on {word[:at]}{mark}{word[at:]} now."
    assert literal_faults(hidden, BARE), hidden


@given(st.sampled_from(SECRETS), st.data())
def test_a_fact_in_other_letters_is_still_found(word, data):
    """Wide, bold or accented letters, and look-alikes of other scripts."""
    at = data.draw(st.integers(0, len(word) - 1))
    wide = chr(ord(word[at]) + 0xFEE0)
    bold = chr(0x1D400 + (ord(word[at].lower()) - ord("a")))
    accented = word[at] + "\u0301"
    alike = {"a": "\u0430", "e": "\u0435", "o": "\u043e", "i": "\u0456", "r": "\u0433"}.get(word[at], wide)
    other = data.draw(st.sampled_from([wide, bold, accented, alike]))
    text = f"It is due on {word[:at]}{other}{word[at + 1 :]} now."
    assert literal_faults(text, BARE), text


@given(st.sampled_from(SECRETS), st.sampled_from([str.lower, str.upper, str.title, str.swapcase]))
def test_a_fact_in_any_case_is_still_found(word, shape):
    assert literal_faults(f"It is due on {shape(word)} now.", BARE)


@given(
    st.sampled_from(PLAIN), st.characters(categories=("Nd", "Nl", "No", "Cf", "So", "Sc", "Lo")), st.data()
)
def test_no_strange_character_passes_anywhere(text, character, data):
    at = data.draw(st.integers(0, len(text)))
    assert literal_faults(text[:at] + character + text[at:], BARE)


@given(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(REFUSED["act"] + REFUSED["promise"]))
def test_a_claim_between_plain_sentences_is_found(before, after, claim):
    assert any(
        fault.startswith(LABELS["act"] + LABELS["promise"])
        for fault in literal_faults(f"{before} {claim} {after}", BARE)
    )


@given(st.text(st.characters(categories=("Lu", "Ll", "Po", "Zs", "Nd")), max_size=60))
def test_any_text_at_all_is_judged_without_trouble(text):
    assert isinstance(literal_faults(text, BARE), list)


@pytest.mark.parametrize("text", all_templates())
def test_templates_state_hide_and_name_nothing(text):
    assert [*hidden_faults(text), *name_faults(text), *language_faults(text)] == []


def test_slots_are_not_judged_as_words():
    assert literal_faults("Your {item} is with {carrier}, order {order}.", BARE) == []


def test_a_piece_of_a_word_is_not_yet_a_fact():
    """The decoder's mask asks about pieces: " mon" may become "money", " dollars" only dollars."""
    assert [
        piece for piece in (" mon", " dec", " cent", " fri", " vi", " jan") if content_faults(piece)
    ] == []
    assert all(content_faults(piece) for piece in (" dollars", " monday", " two", " tomorrow", " December"))

"""What a message asks beside its main point, and what it names only to refuse it."""

from __future__ import annotations

import pytest

from benchmarks.long_messages import MESSAGES
from ml.understanding.clauses import MOST, core, parts, refusal, tells


@pytest.mark.parametrize(
    ("text", "refused", "rest"),
    [
        ("I do not want to cancel", "cancel", ""),
        ("please don't cancel my order", "cancel my order", ""),
        ("I never asked you to delete my account.", "delete my account", ""),
        ("I’m not asking for a refund, just tell me where it is", "a refund", "tell me where it is"),
        ("I don't want to cancel but where is my parcel", "cancel", "where is my parcel"),
        ("where is it? I do not want to return it", "return it", "where is it?"),
        ("I did not ask to change my name. When does it arrive?", "change my name", "When does it arrive?"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_act_and_leaves_the_rest(text, refused, rest):
    found = refusal(text)
    assert (found.refused, found.rest) == (refused, rest)


@pytest.mark.parametrize(
    "text",
    [
        "I don't want it any more, cancel it",
        "I don't know how to cancel",
        "why can't I cancel my order",
        "it does not arrive",
        "I do not want to wait any longer, cancel it",
        "not happy",
    ],
)
def test_not_every_not_refuses_an_act(text):
    assert refusal(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Where is my order and can I change the address", ["Where is my order", "can I change the address"]),
        ("cancel the lamp. Also send me the invoice", ["cancel the lamp", "send me the invoice"]),
        ("where is my order", []),
        ("thanks and bye", []),
    ],
)
def test_parts_are_what_can_be_asked_apart(text, found):
    assert parts(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "It was sent last week",
        "my lamp is late",
        "I leave on Friday",
        "so we have two of them",
        "Sadly the box was open",
    ],
)
def test_a_statement_tells(text):
    assert tells(text)


@pytest.mark.parametrize(
    "text",
    [
        "please take it back",
        "when is it sent",
        "I want to return it",
        "a refund for the lamp",
        "can you send it again",
    ],
)
def test_a_question_or_a_wish_does_not(text):
    assert not tells(text)


def test_of_a_story_the_core_is_what_asks():
    story = "I bought a lamp on Monday. It came today. My son has broken it. He is sorry. Do you sell bulbs?"
    assert core(parts(story)) == "Do you sell bulbs"
    assert core(parts("cancel the lamp and send me the invoice")) == ""
    assert core(parts("My lamp is late. It was a present.")) == ""


@pytest.mark.parametrize("text", MESSAGES)
def test_of_a_long_message_only_the_beginning_is_taken_apart(text):
    assert len(parts(text)) <= MOST
    found = refusal(text)
    assert found is None or len(found.refused) < 100

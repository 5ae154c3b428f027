"""An email that could have had its reader's name and item in it."""

from __future__ import annotations

import random

import pytest

from ml.types import MOODS
from ml.writer.corpus import load
from ml.writer.corpus.compose import Request, compose
from ml.writer.personal import PATIENCE, Personal
from ml.writer.rules import SLOT, sentences
from ml.writer.situations import SITUATIONS

MAIL = load("mail")
NAMING = sorted(name for name, each in SITUATIONS.items() if each.channel == "mail" and "item" in each.slots)


def test_a_greeting_has_the_name_where_there_is_one():
    assert not Personal({"first_name"})("Hello,")
    assert Personal({"first_name"})("Hi {first_name},")
    assert Personal(())("Hello,")


def test_a_greeting_stands_by_itself():
    assert not Personal({"first_name"})("Hello {first_name}, the delivery should come on {likely_day}.")


def test_the_item_is_asked_for_after_the_greeting_until_it_is_told():
    judge = Personal({"item"})
    assert judge("Order {order}: on its way")  # the subject
    assert judge("Hello,")
    assert not judge("It is on its way.")
    assert judge("Your {item} is on its way.")
    assert judge("It should be with you on {likely_day}.")


def test_patience_ends():
    judge = Personal({"item"})
    judge("Hello,")
    assert [judge("It is on its way.") for _ in range(PATIENCE + 1)] == [False] * PATIENCE + [True]


def test_what_was_said_is_not_said_again_and_sorry_once():
    judge = Personal(())
    judge("Hello,")
    assert judge("The tracking doesn't tell us what is keeping the parcel, and we are sorry.")
    assert not judge("The tracking of {order} doesn't tell us what is keeping the parcel.")
    assert not judge("We are sorry for the wait.")
    assert judge("Reply to this email, and a colleague reads it.")


@pytest.mark.parametrize("situation", NAMING)
def test_training_text_is_taken_as_it_is(situation):
    slots = frozenset(SITUATIONS[situation].slots)
    taken = 0
    for seed in range(40):
        body = compose(MAIL, Request(situation, slots), random.Random(seed)).text.partition("\n\n")[2]
        judge = Personal(slots)
        assert judge("Hello {first_name},")
        taken += all(map(judge, sentences(body)))
    assert taken >= 38


@pytest.mark.parametrize("situation", NAMING)
def test_training_text_opens_with_the_item_that_it_is_about(situation):
    request = Request(situation, frozenset(SITUATIONS[situation].slots))
    composed = [compose(MAIL, request, random.Random(seed)) for seed in range(40)]
    openings = [each.text.split("\n\n")[1] for each in composed]
    assert sum("{item}" in opening for opening in openings) >= 39


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("situation", NAMING)
def test_training_text_says_sorry_once_and_no_fact_three_times(situation, mood):
    request = Request(situation, frozenset(SITUATIONS[situation].slots), mood)
    for seed in range(10):
        composed = compose(MAIL, request, random.Random(seed))
        told = SLOT.findall(composed.text)
        assert sum("sorry" in each for each in sentences(composed.text)) <= 1
        assert all(told.count(slot) <= 2 for slot in told)

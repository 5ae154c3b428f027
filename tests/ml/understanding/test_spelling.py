"""Slips and short forms are put right before the encoder reads; what is known stays as it is."""

from __future__ import annotations

import pytest

from ml.understanding.spelling import Speller, lexicon

ENGLISH = (
    "where",
    "parcel",
    "coming",
    "delivered",
    "arrive",
    "address",
    "back",
    "give",
    "wing",
    "hi",
    "piano",
)


@pytest.fixture
def speller():
    lines = ["where is my parcel, is it coming", "parcel delivered to my address"] * 2
    lines += ["give it back", "when does it arrive", "refund me a kettle"] * 5
    return Speller(lexicon(lines, ENGLISH), ENGLISH)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("wheres my pracel", "where's my parcel"),
        ("is it comming", "is it coming"),
        ("wen wil it ariv", "when will it arrive"),
        ("Delivred??", "delivered??"),
        ("i need to spk to sum1 2day", "i need to speak to someone today"),
        ("giv it bak pls", "give it back please"),
        ("refnd for the ketle", "refund for the kettle"),
    ],
)
def test_slips_become_the_words_that_were_meant(speller, typed, read):
    assert speller.correct(typed) == read


@pytest.mark.parametrize(
    "text",
    [
        "the wing of a piano",
        "Piotr and Siobhan",
        "W2611340 and DS-10023",
        "jo.parcle@example.com",
        "https://parcle.example/wher",
        "2 mugs and 4 plates",
        "dzień dobry",
        "bom dia",
        "",
    ],
)
def test_what_is_known_or_no_word_of_ours_stays(speller, text):
    assert speller.correct(text) == text


def test_a_slip_that_stands_in_an_example_is_no_word():
    assert "pracel" not in lexicon(["where is my pracel", "where is my parcel", "parcel"], ENGLISH)


@pytest.mark.parametrize("text", ["qwrtzx " * 1400, "x" * 10_000])
def test_rows_of_letters_are_no_words(speller, text):
    assert speller.correct(text) == text

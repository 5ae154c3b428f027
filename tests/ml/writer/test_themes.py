from __future__ import annotations

import random

import pytest

from ml.types import Fact, Facts
from ml.writer.corpus import parse
from ml.writer.corpus.compose import Request, compose
from ml.writer.corpus.lint import lint_themes
from ml.writer.grounding import check
from ml.writer.themes import THEMES, theme_faults

SMALL = """
== order_in_transit
plan: answer
@answer
It should reach you between {window_start} and {window_end}, most likely {likely_day}.
@answer day
[It's|It is] [due|expected] on {likely_day}[| for you].
"""


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

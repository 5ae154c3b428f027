"""Our frames: every intent has some, they fill, and none of them is a message that we are tested with."""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path

from benchmarks.unseen import unseen
from ml.understanding.compose import compose, fill
from ml.understanding.data import examples
from ml.understanding.intents import INTENTS, SHOP_INTENTS

FLOWS = Path(__file__).parents[2] / "flows" / "customer_messages.csv"


def made(each=6):
    return compose("frames", each=each, seed=7, framed=frozenset(SHOP_INTENTS))


def test_a_frame_stands_for_its_sentences():
    rng = random.Random(1)
    said = {fill("[where is|wheres] my [parcel|{thing}] [now|] ?", rng) for _ in range(200)}
    assert all(re.fullmatch(r"(where is|wheres) my [a-z ]+\?", text) for text in said)
    assert len(said) > 50


def test_every_intent_has_frames_and_nothing_is_left_unfilled():
    rows = made()
    assert {row.label for row in rows} == set(INTENTS)
    assert not [row.text for row in rows if re.search(r"[\[\]{}|]", row.text)]
    assert all(row.text.strip() for row in rows)


def test_the_same_seed_gives_the_same_sentences():
    assert made() == made()
    assert made() != compose("frames", each=6, seed=8, framed=frozenset(SHOP_INTENTS))


def test_messages_of_the_flow_are_not_trained_on():
    """But for phrases so short that everybody says them ("cancel", "where is my order")."""
    plain = {_plain(row.text) for row in made(10)}
    tested = {_plain(row["text"]) for row in csv.DictReader(FLOWS.read_text(encoding="utf-8").splitlines())}
    assert not [text for text in plain & tested if len(text.split()) > 6]
    assert len(plain & tested) <= 0.04 * len(tested)


def test_hardly_a_sentence_of_ours_is_a_message_of_the_unseen():
    """Those written apart share what everybody says ("eta?", "I want my money back")."""
    ours = {_plain(text) for text, _ in examples("intents")} | {_plain(row.text) for row in made(10)}
    messages = list(unseen())
    shared = [message.text for message in messages if _plain(message.text) in ours]
    assert len([text for text in shared if len(text.split()) > 6]) <= 0.01 * len(messages), shared
    assert len(shared) <= 0.08 * len(messages), shared


def _plain(text):
    return " ".join(re.findall(r"[a-z0-9]+", text.lower().replace("'", "")))

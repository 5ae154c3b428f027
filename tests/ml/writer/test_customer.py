from __future__ import annotations

import random

import pytest

from ml.writer.corpus.compose import is_held_out, sample_request
from ml.writer.corpus.customer import customer_message, is_held_out_line, openers
from ml.writer.situations import SITUATIONS
from ml.writer.themes import heard, themes_for


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

from __future__ import annotations

import pytest

from ml.writer.corpus import load, parse
from ml.writer.corpus.compose import Request
from ml.writer.data import compose_many
from ml.writer.phrasing import Phrasebook

CHAT, MAIL = Phrasebook(load("chat")), Phrasebook(load("mail"))


@pytest.mark.parametrize("channel", ["chat", "mail"])
def test_what_the_corpus_composes_is_at_home_in_its_situation(channel):
    corpus = load(channel)
    book = Phrasebook(corpus)
    for each in compose_many(corpus, 200, seed=8):
        whole = "\n".join((each.subject, each.preheader, each.text))
        assert book.faults(whole, each.request) == []


@pytest.mark.parametrize(
    ("situation", "text"),
    [
        ("refund_pending", "Your refund of {amount} for order {order} is requested and now paid to you."),
        ("cancel_kept", "Order {order} has been cancelled, and nothing will arrive."),
        ("thanks", "Bye, and all the one. If you'd rather talk to someone, I can pass you on now."),
    ],
)
def test_a_text_about_something_else_strays(situation, text):
    fault = CHAT.faults(text, Request(situation, frozenset()))[0]
    assert fault.startswith(("strays from its situation", "misplaces a fact"))


@pytest.mark.parametrize(
    "text",
    [
        "The new date of order {order} allows for {promised_day}.",
        "The day to expect your {order} is {likely_day}.",
        "We said {likely_day} for your {item}.",
    ],
)
def test_a_fact_stands_only_where_its_kind_belongs(text):
    request = Request("mail_timeline_late", frozenset({"order", "promised_day", "likely_day", "item"}))
    assert not MAIL.at_home(text, request)
    assert MAIL.faults(text, request)[0].startswith("misplaces a fact")


def test_with_a_window_at_hand_a_single_day_is_not_enough():
    corpus = parse(
        """
        == order_in_transit
        plan: answer
        @answer
        It should come between {window_start} and {window_end}, most likely on {likely_day}.
        @answer day
        It is due on {likely_day}.
        """,
        "chat",
    )
    book, single = Phrasebook(corpus), "It is due on {likely_day}."
    slots = frozenset({"window_start", "window_end", "likely_day"})
    assert book.at_home(single, Request("order_in_transit", frozenset({"likely_day"})))
    assert not book.at_home(single, Request("order_in_transit", slots))


def test_what_the_customer_mentioned_may_be_taken_up():
    request = Request("order_in_transit", frozenset({"likely_day"}))
    wish = "I hope that's in time for the birthday."
    assert not CHAT.at_home(wish, request)
    assert CHAT.at_home(wish, request, "it's a present for my mum's birthday")
    text = "It's due on {likely_day}. " + wish
    assert CHAT.faults(text, request, "it's a present for my mum's birthday") == []
    assert CHAT.faults(text, request)[0].startswith("strays from its situation")


def test_a_sentence_is_about_the_order_or_about_what_was_mentioned_not_half_and_half():
    request = Request("order_cancelled", frozenset({"order"}))
    moving = "where is it, we are moving on friday"
    assert CHAT.at_home("I'm sorry, I know about the move.", request, moving)
    assert not CHAT.at_home("I'm sorry, I know about the refund.", request, moving)


def test_a_fact_is_followed_by_what_follows_its_kind():
    request = Request("order_out_for_delivery", frozenset({"carrier", "likely_day"}))
    assert not CHAT.at_home("{carrier} is the day.", request)

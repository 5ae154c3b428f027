"""The second count, which has to see by itself what the checker sees."""

from __future__ import annotations

import pytest

from ml.types import Draft, Fact, Facts, Timing
from ml.writer.recount import false_promises, unsupported
from ml.writer.situations import SITUATIONS
from tests.ml.writer.adversarial import ACCEPTED

FACTS = Facts(
    "order_in_transit",
    {
        "likely_day": Fact("Wednesday 25 November", "t"),
        "carrier": Fact("Northline", "t"),
        "item": Fact("women's running shoes", "t"),
        "quote": Fact("You have 30 days. Refunds are paid at once.", "t"),
    },
)


def draft(text: str) -> Draft:
    return Draft(text, text, "model", "test", Timing(1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "It should come on Wednesday 25 November, with Northline.",
        "Women's running shoes are under way. I'm glad it's moving.",
        "You have 30 days. Refunds are paid at once.",
    ],
)
def test_what_facts_display_is_no_fault(text):
    assert unsupported(draft(text), FACTS) == []
    assert false_promises(text, FACTS) == []


@pytest.mark.parametrize(
    "text",
    [
        "It should come on Thursday 26 November.",
        "It should come on Wednesday 25 November, or thursday.",
        "It comes tomorrow.",
        "It comes in two days.",
        "It costs twenty-four.",
        "It comes in ３ days.",
        "It holds Ⅳ items.",
        "It costs £.",
        "It is with Southline.",
        "Write to me@shop.",
        "See shop.com for it.",
        "It comes today.",
        "It is fri\u200bday.",
    ],
)
def test_what_no_fact_displays_is_counted(text):
    assert unsupported(draft(text), FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "I have refunded it.",
        "You will be refunded.",
        "Your order has been cancelled.",
        "We've arranged a replacement.",
        "It's been approved.",
        "I've escalated it.",
        "You'll get a voucher.",
        "Delivery is guaranteed.",
    ],
)
def test_promises_and_claims_are_counted(text):
    assert false_promises(text, FACTS)


@pytest.mark.parametrize("text", ["Shall I cancel it?", "I can't refund it.", "Nothing has been cancelled."])
def test_questions_and_denials_are_none(text):
    assert false_promises(text, FACTS) == []


def test_a_committed_act_may_be_told():
    done = Facts("cancel_done", committed=frozenset({"cancelled"}))
    assert false_promises("I've cancelled it.", done) == []
    assert false_promises("I've cancelled it.", FACTS)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in ACCEPTED.items() for text in texts]
)
def test_plain_sentences_promise_nothing(name, text):
    assert false_promises(text, Facts(name, committed=frozenset(SITUATIONS[name].acts))) == []

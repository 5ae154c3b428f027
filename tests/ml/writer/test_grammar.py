"""The grammar, as llama.cpp itself parses and applies it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp
import pytest

from ml.types import Fact, Facts
from ml.writer.examples import sample_facts
from ml.writer.grammar import grammar
from ml.writer.grounding import available
from ml.writer.situations import SITUATIONS
from ml.writer.templates import chat_template, mail_template

CHAT = Path(__file__).resolve().parents[3] / "ml" / "artifacts" / "writer-chat.gguf"
ORDER = Facts("order_overdue", {name: Fact("x", "t") for name in ("order", "carrier")})
MAIL = Facts("mail_invoice", {name: Fact("x", "t") for name in ("order", "amount")}, channel="mail")


@pytest.fixture(scope="module")
def vocab():
    """Only the vocabulary of a model, no weights."""
    llama = llama_cpp.Llama(str(CHAT), vocab_only=True, verbose=False)
    yield llama_cpp.llama_model_get_vocab(llama.model)
    llama.close()


def accepts(vocab, facts: Facts, text: str) -> bool:
    """Feed the text byte by byte of our vocabulary's making; whether the grammar lets it be whole."""
    sampler = llama_cpp.llama_sampler_init_grammar(vocab, grammar(facts).encode(), b"root")
    assert sampler, "llama.cpp could not parse the grammar"
    try:
        raw = text.encode()
        tokens = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(vocab, raw, len(raw), tokens, len(raw) + 8, False, False)
        assert count > 0
        for token in tokens[:count]:
            if not allowed(sampler, token):
                return False
            llama_cpp.llama_sampler_accept(sampler, token)
        return allowed(sampler, llama_cpp.llama_vocab_eos(vocab))
    finally:
        llama_cpp.llama_sampler_free(sampler)


def allowed(sampler, token: int) -> bool:
    one = (llama_cpp.llama_token_data * 1)(llama_cpp.llama_token_data(token, 0.0, 0.0))
    array = llama_cpp.llama_token_data_array(data=one, size=1, selected=-1, sorted=False)
    llama_cpp.llama_sampler_apply(sampler, ctypes.byref(array))
    return one[0].logit == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "Order {order} is overdue. A colleague can look into it: shall I pass you on?",
        "It's late, and that's on us; {carrier}'s depot has been quiet.",
        "{order} is well-known to us (and overdue).",
        "I don't know – would you like a person?",
    ],
)
def test_plain_replies_are_in_it(vocab, text):
    assert accepts(vocab, ORDER, text)


@pytest.mark.parametrize(
    "text",
    [
        "Order {order} comes in 3 days.",
        "Order {amount} is late.",
        "Order {order is late.",
        "Order order} is late.",
        "Order {} is late.",
        "Order {ord er} is late.",
        "See shop.example for {order}.",
        "See https://shop for {order}.",
        "Write to care@shop about {order}.",
        "Order {order} is **late**.",
        "Order {order} is late.\nSo it is.",
        "Order {order} is late",
        "Order {order} ist verspätet.",
        "Order {order} is Ⅳ.",
        "Order {order} is ３.",
        "Order {order}  is late.",
        " Order {order} is late.",
        "Order {order} <end> is late.",
        "Order {order} cost £.",
        "",
    ],
)
def test_what_is_no_plain_reply_is_not(vocab, text):
    assert not text or not accepts(vocab, ORDER, text)


def test_an_email_has_its_headlines(vocab):
    body = "Hello,\n\nHere is the invoice for {order}.\n\nThe total is {amount}. Keep it."
    assert accepts(
        vocab, MAIL, f"Subject: Your invoice for {{order}}\nPreheader: {{amount}} in all\n\n{body}"
    )
    assert not accepts(vocab, MAIL, body)
    assert not accepts(vocab, MAIL, f"Subject: Invoice\n\n{body}")
    assert not accepts(vocab, MAIL, f"Subject: Invoice 7\nPreheader: The total\n\n{body}")


@pytest.mark.parametrize("channel", ["chat", "mail"])
def test_every_template_is_in_the_grammar_of_its_facts(vocab, channel):
    count = sum(entry.channel == channel for entry in SITUATIONS.values())
    for facts in sample_facts(channel, count):
        slots = available(facts)
        if channel == "chat":
            text = chat_template(facts.situation, slots, facts.told > 0)
        else:
            body, subject, preheader = mail_template(facts.situation, slots)
            text = f"Subject: {subject}\nPreheader: {preheader}\n\n{body}"
        assert accepts(vocab, facts, text), text

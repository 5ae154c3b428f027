"""Driving a conversation in tests: the product's own record and answer, with an understanding that
knows a few plain sentences and a writer that fills the plain templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from django.conf import settings

from chatbot import dialogue
from chatbot.assistant import Assistant
from chatbot.models import Conversation, Message
from chatbot.protocol import Said
from ml.types import Facts, Flags, Known, Sentiment, Understanding
from ml.understanding import context, entities
from ml.writer.errors import BackendError
from ml.writer.sources import Words
from ml.writer.writer import Writer

INTENTS = {
    "where is": "track_order",
    "how long does delivery": "delivery_period",
    "don't cancel": "deny",
    "cancel": "cancel_order",
    "new address": "change_shipping_address",
    "refund status": "track_refund",
    "refund": "get_refund",
    "email me": "email_timeline",
    "invoice": "get_invoice",
    "human": "contact_human_agent",
    "terrible": "complaint",
    "hello": "greeting",
    "thank": "thanks",
    "weather": "out_of_scope",
    "pay": "check_payment_methods",
}


class FakeEncoder:
    def encode(self, texts: Sequence[str]) -> Any:
        """A bag of words hashed to 384 dimensions: the same words are near, others are not."""
        rows = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[sum(map(ord, word)) % 384] += 1
            row /= np.linalg.norm(row) or 1
        return rows


class FakeUnderstander:
    encoder = FakeEncoder()

    def understand(self, text: str, *, pending: str | None = None, known: Known) -> Understanding:
        found = entities.find(text, order_patterns=settings.ORDER_PATTERNS, pending=pending, known=known)
        intent = context.settled(text, found, pending) or next(
            (name for words, name in INTENTS.items() if words in text.lower()), "inform"
        )
        torn = "torn" in text
        said = [(text.lower().find(words), name) for words, name in INTENTS.items() if words in text.lower()]
        asked = (
            dict.fromkeys(name for _, name in sorted(said))
            if not context.settled(text, found, pending)
            else {}
        )
        if len(asked) > 1 and " and " in text:
            intent = next(iter(asked))
        ranking = (
            (("track_order", 0.3), ("cancel_order", 0.29)) if torn else ((intent, 0.99), ("review", 0.01))
        )
        return Understanding(
            text=text,
            intent="track_order" if torn else intent,
            confidence=ranking[0][1],
            margin=ranking[0][1] - ranking[1][1],
            ranking=ranking,
            entities=found,
            sentiment=Sentiment("neutral", 0.0),
            mood="angry" if "terrible" in text else "neutral",
            model="fake",
            requests=tuple(asked) if len(asked) > 1 and " and " in text else (intent,),
            urgency=0.9 if "elsewhere" in text else 0.0,
            flags=Flags(leaving=0.9, raised=("leaving",)) if "elsewhere" in text else Flags(),
        )

    def is_unsure(self, understanding: Understanding) -> bool:
        return understanding.confidence < 0.5


class NoModel:
    """A source that never has words, so that the plain templates answer."""

    version = "none"
    tries = 1
    is_quick = False

    def draft(self, facts: Facts, seed: int) -> Words:
        raise BackendError("no model in this test")


def assistant(**parts: Any) -> Assistant:
    return Assistant(
        **{"understander": FakeUnderstander(), "writer": Writer([NoModel()]), "delivery": None} | parts
    )


def say(
    conversation: Conversation, text: str, *, value: str = "", helper: Assistant | None = None
) -> Message:
    """One customer message and the assistant's reply to it."""
    dialogue.record(conversation_id=conversation.pk, said=Said(uuid4().hex, text, value))
    replies = dialogue.answer(conversation.pk, assistant=helper or assistant())
    assert len(replies) == 1, f"{len(replies)} replies to {text!r}"
    return replies[0]

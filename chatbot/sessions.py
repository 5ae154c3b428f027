"""Opening a conversation for a browser, and what it missed."""

from __future__ import annotations

import hmac
from typing import Any

from django.conf import settings
from django.utils import timezone

from chatbot import dialogue, identity
from chatbot.models import Conversation, Message
from chatbot.protocol import Hello

REPLAYED = 500  # the most messages a browser is sent at once; older ones stay at the desk


def open_conversation(hello: Hello, *, address: str) -> Conversation:
    """The browser's own conversation, or a new one.

    A wrong token is no error that could be probed, and another customer's signed identity never meets
    what was said before it: both just open a new conversation.
    """
    signed = identity.signed_customer(hello.identity, now=timezone.now()) if hello.identity else None
    known = _known(hello)
    if known is None or (signed and known.customer_id not in (None, signed.pk)):
        return dialogue.start(page=hello.page, address=identity.address_hash(address), customer=signed)
    if signed and known.customer_id is None:
        known.customer, known.proof = signed, Conversation.Proof.SIGNED
        known.save(update_fields=["customer", "proof", "updated_at"])
    return known


def catch_up(conversation: Conversation, hello: Hello) -> list[dict[str, Any]]:
    """A welcome, then the messages this browser has not seen."""
    conversation.refresh_from_db()
    last_seq = hello.last_seq if conversation.pk == hello.conversation else 0
    return [_welcome(conversation), *_missed(conversation, last_seq)]


def last_seq(conversation: Conversation | None) -> int:
    if conversation is None:
        return 0
    return Conversation.objects.filter(pk=conversation.pk).values_list("last_seq", flat=True).first() or 0


def _known(hello: Hello) -> Conversation | None:
    row = Conversation.objects.filter(pk=hello.conversation).first() if hello.conversation else None
    return row if row and hmac.compare_digest(row.token.encode(), hello.token.encode()) else None


def _welcome(conversation: Conversation) -> dict[str, Any]:
    return {
        "type": "welcome",
        "conversation": str(conversation.pk),
        "token": conversation.token,
        "seq": conversation.last_seq,
        "state": conversation.state,
        "shop": settings.SHOP_NAME,
        "verified": conversation.customer_id is not None,
    }


def _missed(conversation: Conversation, last_seq: int) -> list[dict[str, Any]]:
    rows = (
        Message.objects.filter(conversation=conversation, seq__gt=last_seq)
        .select_related("staff", "reply_to")
        .order_by("-seq")[:REPLAYED]
    )
    return [row.as_frame() for row in reversed(rows)]

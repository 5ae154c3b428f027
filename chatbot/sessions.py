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

    A wrong token is no error that could be probed: it just opens a new conversation.
    """
    conversation = _known(hello) or dialogue.start(page=hello.page, address=identity.address_hash(address))
    _apply_signed_identity(conversation, hello.identity)
    return conversation


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


def _apply_signed_identity(conversation: Conversation, token: str) -> None:
    if not token or conversation.customer_id:
        return
    if customer := identity.signed_customer(token, now=timezone.now()):
        conversation.customer, conversation.proof = customer, Conversation.Proof.SIGNED
        conversation.save(update_fields=["customer", "proof", "updated_at"])


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

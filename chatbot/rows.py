"""The rows of a conversation: every change of one happens in here, under a lock or a lease.

The functions that take a row expect it locked, those that lock open no transaction of their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone

from chatbot import publish
from chatbot.models import Conversation, Message

LEASE = timedelta(seconds=60)  # longer than any answer takes; a worker that died lets go after it


def locked(conversation_id: UUID) -> Conversation:
    return Conversation.objects.select_for_update().get(pk=conversation_id)


def still_owed(message: Message) -> Conversation | None:
    """The locked conversation while the assistant still owes this message an answer; else the message
    is settled."""
    row = locked(message.conversation_id)
    if Message.objects.get(pk=message.pk).open and row.is_with_bot:
        return row
    settle(message)
    return None


def append(conversation: Conversation, **fields: Any) -> Message:
    """The next message of a conversation whose row is locked."""
    conversation.last_seq += 1
    message = Message.objects.create(conversation=conversation, seq=conversation.last_seq, **fields)
    conversation.save()
    return message


def move(row: Conversation, state: str, *, assignee: AbstractBaseUser | None) -> None:
    row.state, row.assignee = state, assignee  # type: ignore[assignment]
    row.waiting_since = timezone.now() if state == Conversation.State.WAITING else None
    row.save()


def reopen(row: Conversation) -> None:
    """A closed conversation that is written to starts afresh: nothing asked before is still open."""
    row.pending = {}
    move(row, Conversation.State.BOT, assignee=None)


def announce(row: Conversation) -> None:
    publish.to_conversation(row.pk, {"type": "state", "state": row.state})
    publish.to_desk("changed", conversation=str(row.pk))


def settle(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(open=False)


def next_open(conversation_id: UUID) -> Message | None:
    return Message.objects.filter(conversation_id=conversation_id, open=True).order_by("seq").first()


@contextmanager
def lease(conversation_id: UUID) -> Iterator[bool]:
    """Hold a conversation for answering; False where another worker does."""
    me, now = secrets.token_hex(8), timezone.now()
    rows = Conversation.objects.filter(pk=conversation_id)
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    held = bool(rows.filter(free).update(leased_until=now + LEASE, leased_by=me))
    try:
        yield held
    finally:
        if held:
            rows.filter(leased_by=me).update(leased_until=None, leased_by="")

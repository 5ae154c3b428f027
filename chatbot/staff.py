"""What staff do with a conversation: take it over, speak, hand it back, close it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from chatbot import publish, rows
from chatbot.models import Conversation, Message


class DialogueError(Exception):
    """What was asked of a conversation is not possible now; `str(error)` says why in one sentence."""


def take_over(*, conversation: Conversation, staff: AbstractBaseUser) -> Conversation:
    """From here on the assistant is silent. Raises DialogueError where a colleague was faster."""
    with transaction.atomic():
        row = rows.locked(conversation.pk)
        if _is_held_by_other(row, staff):
            raise DialogueError(f"{_name(row.assignee)} is already talking to this customer.")
        if row.state == Conversation.State.CLOSED:
            raise DialogueError("This conversation is closed.")
        row.messages.filter(open=True).update(open=False)
        rows.move(row, Conversation.State.STAFF, assignee=staff)
    rows.announce(row)
    return row


def hand_back(*, conversation: Conversation, staff: AbstractBaseUser) -> Conversation:
    with transaction.atomic():
        row = _held_by(conversation.pk, staff)
        rows.move(row, Conversation.State.BOT, assignee=None)
    rows.announce(row)
    return row


def close(*, conversation: Conversation, staff: AbstractBaseUser) -> Conversation:
    with transaction.atomic():
        row = rows.locked(conversation.pk)
        if _is_held_by_other(row, staff):
            raise DialogueError(f"{_name(row.assignee)} holds this conversation.")
        row.messages.filter(open=True).update(open=False)
        row.pending, row.priority = {}, 0
        rows.move(row, Conversation.State.CLOSED, assignee=None)
    rows.announce(row)
    return row


def say_staff(*, conversation: Conversation, staff: AbstractBaseUser, text: str) -> Message:
    """A colleague's own words, only while they hold the conversation."""
    if not text.strip():
        raise DialogueError("There is no text to send.")
    with transaction.atomic():
        row = _held_by(conversation.pk, staff)
        message = rows.append(row, author=Message.Author.STAFF, text=text.strip(), staff=staff)
    publish.to_conversation(conversation.pk, message.as_frame())
    publish.to_desk("changed", conversation=str(conversation.pk))
    return message


def _held_by(conversation_id: UUID, staff: AbstractBaseUser) -> Conversation:
    row = rows.locked(conversation_id)
    if row.state != Conversation.State.STAFF or row.assignee_id != staff.pk:
        raise DialogueError("You don't hold this conversation. Take it over first.")
    return row


def _is_held_by_other(row: Conversation, staff: AbstractBaseUser) -> bool:
    """A colleague's; one whose account is gone holds nothing."""
    return row.state == Conversation.State.STAFF and row.assignee_id not in (None, staff.pk)


def _name(user: Any) -> str:
    return user.get_short_name() or user.get_username() if user else "A colleague"

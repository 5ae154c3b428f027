"""Nudges through the channel layer. All of them may be lost: rows are the truth, and a browser that
missed something asks for it by sequence number."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

log = logging.getLogger(__name__)
DESK = "desk"


def conversation_group(conversation_id: UUID) -> str:
    return f"conversation.{conversation_id}"


def to_conversation(conversation_id: UUID, *frames: dict[str, Any]) -> None:
    """Send frames to every browser that shows this conversation, in order."""
    _send(conversation_group(conversation_id), [{"type": "frame", "frame": frame} for frame in frames])


def to_desk(kind: str, **data: Any) -> None:
    """Tell the desk that something changed, so that it reads it again."""
    _send(DESK, [{"type": "nudge", "frame": {"type": kind, **data}}])


def _send(group: str, events: list[dict[str, Any]]) -> None:
    async def send() -> None:
        layer = get_channel_layer()
        for event in events:
            await layer.group_send(group, event)

    try:
        async_to_sync(send)()
    except Exception as error:  # a broker that is away must not undo what is stored
        log.warning("nudge to %s lost: %s", group, error)

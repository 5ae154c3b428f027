"""The customer's end of a websocket. It parses, calls one function, and passes frames on."""

from __future__ import annotations

import json
from time import monotonic
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from chatbot import dialogue, protocol, publish, sessions, tasks
from chatbot.models import Conversation
from chatbot.protocol import FrameError, Hello, Ping, Said, Typing
from chatbot.web import client_address, origin_is_allowed

TOO_FAST = FrameError("too_fast", "That was a little fast. Please wait a second and send it again.")
NO_HELLO = FrameError("no_hello", "This page is out of date. Please reload it.")
FAULT = FrameError("fault", "Something went wrong on our side. Please send it again.")


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    conversation: Conversation | None = None

    async def connect(self) -> None:
        if not origin_is_allowed(self.scope):
            await self.close(code=4403)
            return
        self.allowance, self.refilled = float(settings.FRAMES_PER_SECOND), monotonic()
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        own_id = ""
        try:
            frame = protocol.parse(text_data or bytes_data, max_chars=settings.MESSAGE_MAX_CHARS)
            own_id = frame.id if isinstance(frame, Said) else ""
            self._spend()
            await self._handle(frame)
        except FrameError as error:
            await self._send(
                {"type": "error", "code": error.code, "text": error.text, "id": error.id or own_id}
            )
        except Exception:
            dialogue.log.exception("frame failed")
            await self._send({"type": "error", "code": FAULT.code, "text": FAULT.text, "id": own_id})

    async def _handle(self, frame: protocol.Frame) -> None:
        match frame:
            case Hello():
                await self._open(frame)
            case Said():
                recorded = await sync_to_async(self._record)(frame)
                await self._send({"type": "ack", "id": frame.id, "seq": recorded.message.seq})
            case Typing() if self.conversation:
                await self.channel_layer.group_send(
                    publish.DESK,
                    {"type": "nudge", "frame": {"type": "typing", "conversation": str(self.conversation.pk)}},
                )
            case Ping():
                await self._send({"type": "pong", "seq": await sync_to_async(self._last_seq)()})

    async def _open(self, hello: Hello) -> None:
        await self._leave()
        address = client_address(self.scope)
        self.conversation = await sync_to_async(sessions.open_conversation)(hello, address=address)
        # join first, read after: what comes in between is then sent twice, never lost
        await self.channel_layer.group_add(
            publish.conversation_group(self.conversation.pk), self.channel_name
        )
        for frame in await sync_to_async(sessions.catch_up)(self.conversation, hello):
            await self._send(frame)

    def _record(self, said: Said) -> dialogue.Recorded:
        if self.conversation is None:
            raise NO_HELLO
        recorded = dialogue.record(conversation_id=self.conversation.pk, said=said)
        if recorded.needs_answer:
            tasks.enqueue_answer(self.conversation.pk)
        return recorded

    def _last_seq(self) -> int:
        return sessions.last_seq(self.conversation)

    def _spend(self) -> None:
        """A token bucket: a burst of two seconds' worth, then a steady rate."""
        now, rate = monotonic(), settings.FRAMES_PER_SECOND
        self.allowance = min(2.0 * rate, self.allowance + (now - self.refilled) * rate)
        self.refilled = now
        if self.allowance < 1:
            raise TOO_FAST
        self.allowance -= 1

    async def _leave(self) -> None:
        if self.conversation:
            await self.channel_layer.group_discard(
                publish.conversation_group(self.conversation.pk), self.channel_name
            )

    async def disconnect(self, code: int) -> None:
        await self._leave()

    async def frame(self, event: dict[str, Any]) -> None:
        await self._send(event["frame"])

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame))

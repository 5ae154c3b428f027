"""The desk's own socket: it carries nudges only, what changed is read over HTTP."""

from __future__ import annotations

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path

from chatbot.publish import DESK
from chatbot.web import header, is_own_host


class DeskConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def connect(self) -> None:
        user = self.scope["user"]
        is_ours = is_own_host(header(self.scope, b"origin"), self.scope)
        if not (is_ours and user.is_active and user.is_staff):
            await self.close(code=4403)
            return
        await self.channel_layer.group_add(DESK, self.channel_name)
        await self.accept()

    async def disconnect(self, _code: int) -> None:
        await self.channel_layer.group_discard(DESK, self.channel_name)

    async def nudge(self, event: dict[str, Any]) -> None:
        await self.send(json.dumps(event["frame"]))


urlpatterns = [path("ws/desk/", DeskConsumer.as_asgi())]

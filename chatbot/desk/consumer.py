"""The desk's own socket: it carries nudges only, what changed is read over HTTP."""

from __future__ import annotations

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from chatbot.publish import DESK


class DeskConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def connect(self) -> None:
        user = self.scope["user"]
        if not (user.is_active and user.is_staff):
            await self.close()
            return
        await self.channel_layer.group_add(DESK, self.channel_name)
        await self.accept()

    async def disconnect(self, _code: int) -> None:
        await self.channel_layer.group_discard(DESK, self.channel_name)

    async def nudge(self, event: dict[str, Any]) -> None:
        await self.send(json.dumps(event["frame"]))


urlpatterns = [path("ws/desk/", AllowedHostsOriginValidator(DeskConsumer.as_asgi()))]

from __future__ import annotations

from typing import Any

from django.urls import path

from chatbot.consumers import ChatConsumer
from chatbot.desk import consumer as desk

urlpatterns: list[Any] = [path("ws/chat/", ChatConsumer.as_asgi()), *desk.urlpatterns]

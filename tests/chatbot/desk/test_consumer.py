"""The desk's socket: staff of this host only, and nudges without content."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from chatbot import publish
from config.asgi import application
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def socket(client: Client | None, origin: str = "http://localhost") -> WebsocketCommunicator:
    headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
    if client:
        headers.append(
            (b"cookie", f"sessionid={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode())
        )
    return WebsocketCommunicator(application, "/ws/desk/", headers=headers)


@sync_to_async
def logged_in(**fields) -> Client:
    client = Client()
    client.force_login(factories.staff_user(**fields))
    return client


async def test_staff_hear_that_something_changed():
    desk = socket(await logged_in())
    connected, _ = await desk.connect()
    assert connected
    await sync_to_async(publish.to_desk)("changed", conversation="5b1e")
    await sync_to_async(publish.to_desk)("draft", id=7)
    assert await desk.receive_json_from() == {"type": "changed", "conversation": "5b1e"}
    assert await desk.receive_json_from() == {"type": "draft", "id": 7}
    await desk.disconnect()


async def test_a_quiet_socket_stays_open():
    """The client library gives up on a silent Redis sooner than the channel layer asks again."""
    desk = socket(await logged_in())
    await desk.connect()
    assert await desk.receive_nothing(timeout=6)
    await sync_to_async(publish.to_desk)("changed", conversation="5b1e")
    assert await desk.receive_json_from() == {"type": "changed", "conversation": "5b1e"}
    await desk.disconnect()


async def test_nobody_else_gets_in():
    strangers = [
        socket(None),
        socket(await logged_in(is_staff=False)),
        socket(await logged_in(), origin="https://elsewhere.example"),
    ]
    for stranger in strangers:
        connected, _ = await stranger.connect()
        assert not connected

"""A browser's websocket, frame in and frames and rows out, through the ASGI application."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from chatbot import dialogue, identity, tasks
from chatbot.models import Conversation, Message
from config.asgi import application
from tests import factories
from tests.talk import assistant

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = (b"origin", b"http://localhost:8000")


@pytest.fixture(autouse=True)
def queued(monkeypatch) -> list[str]:
    """What would have gone to a chat worker."""
    calls: list[str] = []
    monkeypatch.setattr(tasks.answer_message, "apply_async", lambda args, **_: calls.append(args[0]))
    return calls


class Browser(WebsocketCommunicator):
    async def put(self, **frame):
        await self.send_to(text_data=json.dumps(frame))

    async def get(self, kind: str) -> dict:
        """The next frame of this type; others before it are passed over."""
        while True:
            frame = await self.receive_json_from(timeout=5)
            if frame["type"] == kind:
                return frame

    async def hello(self, **frame) -> dict:
        await self.put(type="hello", **frame)
        return await self.get("welcome")


@asynccontextmanager
async def browser(*headers):
    communicator = Browser(application, "/ws/chat/", headers=headers or (ORIGIN,))
    connected, _ = await communicator.connect()
    assert connected
    try:
        yield communicator
    finally:
        await communicator.disconnect()


async def answer(conversation: str) -> None:
    await sync_to_async(dialogue.answer)(conversation, assistant=assistant())


async def test_stored_before_acknowledged_and_queued_for_an_answer(queued):
    async with browser() as page:
        welcome = await page.hello(page="https://shop.example/")
        await page.put(type="message", id="m1", text="hello")
        assert await page.get("ack") == {"type": "ack", "id": "m1", "seq": 1}
        stored = await Message.objects.aget(client_id="m1")
        assert str(stored.conversation_id) == welcome["conversation"]
        assert queued == [welcome["conversation"]]


async def test_a_resend_gets_the_same_acknowledgement_and_no_second_answer(queued):
    async with browser() as page:
        await page.hello()
        for _ in range(2):
            await page.put(type="message", id="m1", text="hello")
            assert (await page.get("ack"))["seq"] == 1
        assert len(queued) == 1
        assert await Message.objects.acount() == 1


async def test_a_reply_streams_in_pieces_that_make_the_whole():
    async with browser() as page:
        welcome = await page.hello()
        await page.put(type="message", id="m1", text="hello")
        await page.get("ack")
        await answer(welcome["conversation"])
        assert (await page.get("typing"))["author"] == "bot"
        pieces, frame = [], await page.receive_json_from()
        while frame["type"] == "delta":
            assert (frame["reply_to"], frame["index"]) == (1, len(pieces))
            pieces.append(frame["text"])
            frame = await page.receive_json_from()
        assert frame["type"] == "message"
        assert "".join(pieces) == frame["text"]
        assert len(pieces) > 1


async def test_after_a_reconnect_the_browser_gets_what_it_missed_and_no_more():
    async with browser() as page:
        welcome = await page.hello()
        await page.put(type="message", id="m1", text="hello")
        await page.get("ack")
    await answer(welcome["conversation"])
    async with browser() as page:
        again = await page.hello(conversation=welcome["conversation"], token=welcome["token"], last_seq=1)
        assert again["conversation"] == welcome["conversation"]
        missed = await page.get("message")
        assert (missed["seq"], missed["author"], missed["reply_to"]) == (2, "bot", 1)
        assert await page.receive_nothing()


async def test_another_browser_cannot_open_a_conversation_without_its_token():
    async with browser() as page:
        welcome = await page.hello()
        await page.put(type="message", id="m1", text="my secret")
        await page.get("ack")
    async with browser() as page:
        other = await page.hello(conversation=welcome["conversation"], token="guess", last_seq=0)
        assert other["conversation"] != welcome["conversation"]
        assert await page.receive_nothing()


async def test_two_tabs_see_the_same():
    async with browser() as one, browser() as two:
        welcome = await one.hello()
        await two.hello(conversation=welcome["conversation"], token=welcome["token"])
        await one.put(type="message", id="m1", text="hello")
        assert (await two.get("message"))["id"] == "m1"


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b""])
async def test_a_page_that_is_not_the_shops_is_refused(origin):
    page = Browser(application, "/ws/chat/", headers=((b"origin", origin),) if origin else ())
    connected, code = await page.connect()
    await page.disconnect()
    assert not connected
    assert code == 4403


async def test_the_signed_identity_opens_the_customers_orders():
    order = await sync_to_async(factories.order)()
    token = identity.sign(email=order.customer.email, expires=timezone.now() + timedelta(minutes=5))
    async with browser() as page:
        welcome = await page.hello(identity=token)
        assert welcome["verified"] is True
    conversation = await Conversation.objects.aget(pk=welcome["conversation"])
    assert conversation.customer_id == order.customer_id


async def test_another_customers_identity_does_not_meet_the_first_ones_conversation():
    first, second = await sync_to_async(factories.order)(), await sync_to_async(factories.order)()
    tokens = [
        identity.sign(email=order.customer.email, expires=timezone.now() + timedelta(minutes=5))
        for order in (first, second)
    ]
    async with browser() as page:
        welcome = await page.hello(identity=tokens[0])
    async with browser() as page:
        again = await page.hello(
            conversation=welcome["conversation"], token=welcome["token"], identity=tokens[0]
        )
        assert again["conversation"] == welcome["conversation"]
    async with browser() as page:
        other = await page.hello(
            conversation=welcome["conversation"], token=welcome["token"], identity=tokens[1]
        )
        assert other["conversation"] != welcome["conversation"]
        assert other["verified"] is True


@pytest.mark.parametrize("change", ["expired", "too_long", "forged", "noise"])
async def test_a_bad_identity_is_a_stranger(change):
    order = await sync_to_async(factories.order)()
    life = {"expired": timedelta(minutes=-1), "too_long": timedelta(days=30)}.get(
        change, timedelta(minutes=5)
    )
    token = identity.sign(email=order.customer.email, expires=timezone.now() + life)
    token = {"forged": token[:-2] + "00", "noise": "é.ü"}.get(change, token)
    async with browser() as page:
        assert (await page.hello(identity=token))["verified"] is False


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("no json", "not_json"),
        ('{"type": "teleport"}', "unknown_type"),
        ('{"type": "message", "id": "m1", "text": "hi"}', "no_hello"),
        (json.dumps({"type": "message", "id": "m1", "text": "x" * 10_000}), "too_long"),
        (json.dumps({"type": "message", "id": "m1", "text": "x" * 70_000}), "too_large"),
    ],
)
async def test_a_bad_frame_gets_a_sentence_and_the_socket_stays_open(raw, code):
    async with browser() as page:
        await page.send_to(text_data=raw)
        error = await page.get("error")
        assert error["code"] == code
        assert error["text"].endswith(".")
        assert (await page.hello())["state"] == "bot"


async def test_binary_gets_a_sentence_too():
    async with browser() as page:
        await page.send_to(bytes_data=b"\x00\xff")
        assert (await page.get("error"))["code"] == "not_text"


async def test_too_many_frames_are_refused_and_later_ones_taken_again(settings, monkeypatch):
    settings.FRAMES_PER_SECOND = 2
    clock = [100.0]
    monkeypatch.setattr("chatbot.consumers.monotonic", lambda: clock[0])
    async with browser() as page:
        await page.hello()
        for n in range(8):
            await page.put(type="message", id=f"m{n}", text="hello")
        refused = []
        while "m7" not in refused:
            error = await page.get("error")
            assert error["code"] == "too_fast"
            refused.append(error["id"])
        clock[0] += 5
        await page.put(type="message", id="later", text="hello")
        assert (await page.get("ack"))["id"] == "later"
    assert await Message.objects.filter(client_id="later").aexists()


async def test_html_is_stored_and_sent_as_text():
    async with browser() as page:
        await page.hello()
        text = "<img src=x onerror=alert(1)> مرحبا 🙂"
        await page.put(type="message", id="m1", text=text)
        assert (await page.get("message"))["text"] == text


async def test_ping_tells_the_last_sequence_number():
    async with browser() as page:
        await page.hello()
        await page.put(type="message", id="m1", text="hello")
        await page.get("ack")
        await page.put(type="ping")
        assert await page.get("pong") == {"type": "pong", "seq": 1}


async def test_a_broker_that_is_away_loses_no_message(monkeypatch):
    def fail(*_, **__):
        raise OSError("broker is away")

    monkeypatch.setattr(tasks.answer_message, "apply_async", fail)
    async with browser() as page:
        await page.hello()
        await page.put(type="message", id=str(uuid4()), text="hello")
        await page.get("ack")
    assert await sync_to_async(dialogue.unanswered)(older_than=timedelta(0))

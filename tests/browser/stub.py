"""A stand-in for the desk: one port that serves a page with the widget, the widget's files, and a websocket
that speaks `chatbot.protocol`. It answers nothing by itself; a test tells it what to say and when."""

from __future__ import annotations

import asyncio
import json
import logging
import mimetypes
import threading
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

STATIC = Path(__file__).resolve().parents[2] / "static"
PATIENCE = 30.0
LOG = logging.getLogger("tests.browser.stub")
LOG.setLevel(logging.WARNING)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>button, textarea, p {{ color: red !important; font-size: 40px !important }}</style>
</head><body><main><h1>A shop</h1><a href="#help" data-doorstep-open>Help</a></main>
<script src="/static/widget/widget.js" {attributes} defer></script></body></html>"""

Frame = dict[str, Any]


@dataclass
class Room:
    """One conversation as the server keeps it."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: str = "bot"
    messages: list[Frame] = field(default_factory=list)


class Stub:
    def __init__(self) -> None:
        self.attributes = 'data-title="Hearth &amp; Home"'
        self.page = ""  # the whole page, where it is not the plain one
        self.rooms: dict[str, Room] = {}
        self.received: list[Frame] = []
        self.refusals: dict[str, Frame] = {}  # text of a message → error frame sent once instead of an ack
        self.acknowledges = True
        self.hangs_up_on_message = False
        self._news = threading.Condition()
        self._sockets: dict[ServerConnection, Room | None] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: Server | None = None
        self.port = 0

    # --- for tests -----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def room(self) -> Room:
        """The conversation that was opened last."""
        return list(self.rooms.values())[-1]

    def start(self) -> None:
        self._thread.start()
        self.listen()

    def stop(self) -> None:
        self.go_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def listen(self) -> None:
        """Accept connections, on the same port as before."""
        self._run(self._listen())

    def go_down(self) -> None:
        """Close every socket and accept none, as a server that is restarted does."""
        self._run(self._go_down())

    def hang_up(self) -> None:
        """Close every socket, but accept new ones."""
        self._run(self._hang_up())

    def push(self, *frames: Frame) -> None:
        """Send frames as they are to every open socket."""
        self._run(self._push(frames))

    def say(self, text: str, *, author: str = "bot", live: bool = True, **fields: Any) -> Frame:
        """Store a message and send it (unless its nudge is lost: `live=False`)."""
        message = self.stored(text, author=author, **fields)
        if live:
            self.push(message)
        return message

    def stored(self, text: str, *, author: str = "bot", **fields: Any) -> Frame:
        return _append(self.room, author=author, text=text, **fields)

    def become(self, state: str) -> None:
        self.room.state = state
        self.push({"type": "state", "state": state})

    def wait_for(self, wanted: Callable[[Frame], bool], *, times: int = 1) -> Frame:
        """The `times`-th frame from a browser that fits."""
        with self._news:
            found = self._news.wait_for(lambda: len(self.frames(wanted)) >= times, PATIENCE)
            assert found, f"the browser never sent it; it sent {self.received}"
            return self.frames(wanted)[times - 1]

    def wait_for_message(self, text: str, *, times: int = 1) -> Frame:
        return self.wait_for(lambda f: f["type"] == "message" and f["text"] == text, times=times)

    def wait_for_hello(self, *, times: int = 1) -> Frame:
        return self.wait_for(lambda f: f["type"] == "hello", times=times)

    def frames(self, wanted: Callable[[Frame], bool]) -> list[Frame]:
        return [frame for frame in self.received if wanted(frame)]

    # --- the server ----------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _listen(self) -> None:
        self._server = await serve(self._talk, "127.0.0.1", self.port, process_request=self._page, logger=LOG)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _go_down(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        self._server = None

    async def _hang_up(self) -> None:
        for socket in list(self._sockets):
            await socket.close()

    async def _push(self, frames: tuple[Frame, ...]) -> None:
        for socket, room in list(self._sockets.items()):
            if room:
                await _send(socket, *frames)

    def _page(self, connection: ServerConnection, request: Request) -> Response | None:
        path = request.path.partition("?")[0]
        if path == "/ws/chat/":
            return None
        if path == "/":
            page = self.page or PAGE.format(attributes=self.attributes)
            return _response(HTTPStatus.OK, page.encode(), "text/html")
        file = STATIC / path.removeprefix("/static/")
        if path.startswith("/static/") and file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return _response(HTTPStatus.OK, file.read_bytes(), kind)
        return _response(HTTPStatus.NOT_FOUND, b"", "text/plain")

    async def _talk(self, socket: ServerConnection) -> None:
        self._sockets[socket] = None
        try:
            async for raw in socket:
                await self._answer(socket, json.loads(raw))
        except ConnectionClosed:
            pass
        finally:
            del self._sockets[socket]

    async def _answer(self, socket: ServerConnection, frame: Frame) -> None:
        match frame["type"]:
            case "hello":
                await self._welcome(socket, frame)
            case "message":
                await self._record(socket, frame)
            case "ping":
                room = self._sockets[socket]
                await _send(socket, {"type": "pong", "seq": len(room.messages) if room else 0})
        with self._news:
            self.received.append(frame)
            self._news.notify_all()

    async def _welcome(self, socket: ServerConnection, hello: Frame) -> None:
        room = self.rooms.get(hello["conversation"])
        if room is None or room.token != hello["token"]:
            room = Room()
            self.rooms[room.id] = room
        self._sockets[socket] = room
        since = hello["last_seq"] if room.id == hello["conversation"] else 0
        welcome = {"type": "welcome", "conversation": room.id, "token": room.token, "seq": len(room.messages)}
        welcome |= {"state": room.state, "shop": "A shop", "verified": False}
        await _send(socket, welcome, *room.messages[since:])

    async def _record(self, socket: ServerConnection, frame: Frame) -> None:
        if self.hangs_up_on_message:
            await socket.close()
            return
        if refusal := self.refusals.pop(frame["text"], None):
            await _send(socket, refusal | {"id": frame["id"]})
            return
        room = self._sockets[socket]
        assert room, "a message before hello"
        known = next((message for message in room.messages if message["id"] == frame["id"]), None)
        message = known or _append(room, author="customer", text=frame["text"], id=frame["id"])
        others = [
            other for other, its_room in self._sockets.items() if its_room is room and other is not socket
        ]
        for other in others:
            await _send(other, message)
        if self.acknowledges:
            await _send(socket, {"type": "ack", "id": frame["id"], "seq": message["seq"]})


def deltas(reply_to: int, *pieces: str, start: int = 0) -> list[Frame]:
    """The frames of a streamed reply."""
    return [
        {"type": "delta", "reply_to": reply_to, "index": index, "text": piece}
        for index, piece in enumerate(pieces, start)
    ]


def _append(room: Room, **fields: Any) -> Frame:
    empty: Frame = {"name": "", "quick_replies": [], "card": None, "reply_to": None, "id": ""}
    at = datetime.now(UTC).isoformat()
    message = {"type": "message", "seq": len(room.messages) + 1, "at": at} | empty | fields
    room.messages.append(message)
    return message


async def _send(socket: ServerConnection, *frames: Frame) -> None:
    try:
        for frame in frames:
            await socket.send(json.dumps(frame))
    except ConnectionClosed:
        pass


def _response(status: HTTPStatus, body: bytes, kind: str) -> Response:
    headers = Headers({"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))})
    headers["Cache-Control"] = "no-store"
    return Response(status.value, status.phrase, headers, body)

"""From "email me the timeline" in a chat to the message at the mail server, through every process.

The product is started with a mail server of this benchmark's own. Each of its example orders is asked
for twice, from two browsers at once: one email an order must arrive. Times are seconds from asking.
"""

from __future__ import annotations

import asyncio
import email
import json
import re
import statistics
import tempfile
import threading
import time
import uuid
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from websockets.asyncio.client import connect

from benchmarks.product import Product, free_port

PATIENCE = 60.0
ASKED = "email me the timeline"


class Inbox:
    """What arrived, and when."""

    def __init__(self) -> None:
        self.mails: list[tuple[float, EmailMessage]] = []
        self.news = threading.Condition()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=default)
        with self.news:
            self.mails.append((time.perf_counter(), message))
            self.news.notify_all()
        return "250 OK"

    def wait_for(self, count: int) -> None:
        with self.news:
            self.news.wait_for(lambda: len(self.mails) >= count, PATIENCE)


def run() -> dict[str, Any]:
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            product = Product(Path(folder), email_url=f"smtp://127.0.0.1:{server.port}")
            product.start()
            try:
                asked = asyncio.run(_ask_all(product))
                inbox.wait_for(len(asked))
                asyncio.run(_ask_all(product))  # once more, later: nothing new may be sent
            finally:
                product.stop()
    finally:
        server.stop()
    return _figures(asked, inbox)


async def _ask_all(product: Product) -> dict[str, float]:
    """order number → when its email was asked for"""
    pairs = product.examples.values()
    times = await asyncio.gather(*(_ask(product, *pair) for pair in pairs for _ in range(2)))
    asked: dict[str, float] = {}
    for number, moment in times:
        asked[number] = min(moment, asked.get(number, moment))
    return asked


async def _ask(product: Product, number: str, address: str) -> tuple[str, float]:
    async with connect(f"ws://127.0.0.1:{product.port}/ws/chat/", origin=product.url) as socket:  # type: ignore[arg-type]
        await socket.send(json.dumps({"type": "hello"}))
        moment = 0.0
        for text in (f"where is {number}? {address}", ASKED):
            moment = time.perf_counter()
            await socket.send(json.dumps({"type": "message", "id": uuid.uuid4().hex, "text": text}))
            frame: dict[str, Any] = {}
            while frame.get("author") != "bot" or frame["type"] != "message":
                frame = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
    return number, moment


def _figures(asked: dict[str, float], inbox: Inbox) -> dict[str, Any]:
    first: dict[str, float] = {}
    for moment, message in inbox.mails:
        text = message.get_body(("plain",))
        number = next((n for n in asked if re.search(n, text.get_content() if text else "")), "")
        first.setdefault(number, moment)
    seconds = [first[number] - asked[number] for number in asked if number in first]
    return {
        "orders_asked_for": len(asked),
        "requests": 4 * len(asked),
        "emails_sent": len(inbox.mails),
        "orders_with_email": len(seconds),
        "asked_to_delivered_s": {
            "p50": round(statistics.median(seconds), 2) if seconds else None,
            "max": round(max(seconds), 2) if seconds else None,
        },
        "subjects_over_60_chars": sum(len(str(m["Subject"])) > 60 for _, m in inbox.mails),
        "bytes_max": max((len(m.as_bytes()) for _, m in inbox.mails), default=0),
    }

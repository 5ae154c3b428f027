"""The chat as a customer meets it: the whole product started, questions over real websockets.

Times are milliseconds from sending a message; "first" is the first piece of the reply to arrive,
"whole" the finished reply. One customer at a time, then twenty at once.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.product import Product

TURNS = 12
AT_ONCE = 20
QUESTIONS = (
    "where is my order?",
    "when will it arrive?",
    "hello",
    "how long does delivery take?",
    "what payment methods do you take?",
    "has it been shipped yet",
)


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), customers=2000, orders=5000)
        first = _start(product)
        product.stop()
        second = _start(product)
        try:
            alone = asyncio.run(_customers(product, 1, TURNS * 3))
            crowd = asyncio.run(_customers(product, AT_ONCE, TURNS))
            memory = _memory(product)
        finally:
            product.stop()
    return {
        "ready_s": {"first": first, "second": second},
        "alone": _figures(alone),
        f"at_once_{AT_ONCE}": _figures(crowd),
        "memory_mb": memory,
    }


def _start(product: Product) -> float:
    started = time.perf_counter()
    product.start()
    return round(time.perf_counter() - started, 1)


async def _customers(product: Product, count: int, turns: int) -> list[tuple[float, float]]:
    talks = await asyncio.gather(*(_customer(product, turns) for _ in range(count)))
    return [timing for talk in talks for timing in talk]


async def _customer(product: Product, turns: int) -> list[tuple[float, float]]:
    """(first, whole) of every reply to one customer, who waits for each before writing on."""
    number, email = product.examples["on its way"]
    async with connect(f"ws://127.0.0.1:{product.port}/ws/chat/", origin=product.url) as socket:  # type: ignore[arg-type]
        await socket.send(json.dumps({"type": "hello"}))
        await _until(socket, "welcome")
        await _ask(socket, f"where is {number}? {email}")
        return [await _ask(socket, QUESTIONS[turn % len(QUESTIONS)]) for turn in range(turns)]


async def _ask(socket: ClientConnection, text: str) -> tuple[float, float]:
    own_id, started, first = uuid.uuid4().hex, time.perf_counter(), 0.0
    await socket.send(json.dumps({"type": "message", "id": own_id, "text": text}))
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
        elapsed = (time.perf_counter() - started) * 1000
        if frame["type"] == "delta" and not first:
            first = elapsed
        if frame["type"] == "message" and frame["author"] == "bot":
            return first or elapsed, elapsed
        if frame["type"] == "error":
            raise RuntimeError(frame["text"])


async def _until(socket: ClientConnection, kind: str) -> None:
    while json.loads(await asyncio.wait_for(socket.recv(), 60))["type"] != kind:
        pass


def _figures(timings: list[tuple[float, float]]) -> dict[str, float]:
    firsts, wholes = ([pair[i] for pair in timings] for i in (0, 1))
    return {
        "replies": len(timings),
        "first_p50_ms": round(statistics.median(firsts), 1),
        "first_p95_ms": round(_p95(firsts), 1),
        "whole_p50_ms": round(statistics.median(wholes), 1),
        "whole_p95_ms": round(_p95(wholes), 1),
    }


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _memory(product: Product) -> dict[str, int]:
    """Resident megabytes; of Postgres and its backends the private part is summed."""
    found: dict[str, int] = {}
    for process in product.processes():
        words = " ".join([process.name(), *process.cmdline()])
        name = next((n for mark, n in _NAMES.items() if mark in words), None)
        if name:
            size = process.memory_full_info().uss if name == "postgres" else process.memory_info().rss
            found[name] = found.get(name, 0) + size // 2**20
    return found


_NAMES = {
    "config.asgi": "web",
    "--queues chat": "chat",
    "--queues mail": "mail",
    "config beat": "beat",
    "manage.py sink": "sink",
    "manage.py up": "supervisor",
    "redis-server": "redis",
    "postgres": "postgres",
}

"""A writer behind a URL: any OpenAI-compatible server, bounded in time and left alone when it fails.

What comes back is held to the same checker as every other draft.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit, urlunsplit

import httpx

from ml.types import Facts
from ml.writer.breaker import Breaker, State
from ml.writer.embedded import LIMIT
from ml.writer.errors import BackendError
from ml.writer.prompts import messages
from ml.writer.sources import GENERAL_TEMPERATURE, Words, words_of

# A customer waits: by then a draft has come, tries included, or the embedded model writes it.
DEADLINE = 12.0
CONNECT = 1.5
TRIES = 3
BACKOFF = 0.25  # seconds before the second try at most, doubled for each further one
LONGEST_WAIT = 3.0  # seconds a server may ask us to wait; beyond that the embedded model is quicker
LARGEST = 256 * 1024  # bytes of an answer; a reply needs a few thousand
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _TryAgain(Exception):
    """Trouble that may pass. `wait` are the seconds the server asked for, if it did."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Health:
    """How a server has done so far. `refused` calls were not made because the breaker was open."""

    state: State
    answered: int
    failed: int
    retried: int
    refused: int
    opened: int


class Server:
    """`http://KEY@host/v1?model=NAME`: the user name is sent as the bearer token. Without a model's
    name the first that the server lists is used. Thread-safe; calls share one pool of connections."""

    tries = 2
    is_quick = False

    def __init__(
        self, url: str, *, deadline: float = DEADLINE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`deadline` is in seconds, for one draft with all its tries; `clock` drives the breaker."""
        parts = urlsplit(url)
        self._host = parts.netloc.rpartition("@")[2]
        self._model = parse_qs(parts.query).get("model", [""])[0]
        self._deadline = deadline
        self._breaker = Breaker(clock=clock)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        # a loop of our own: only there can a request, whatever it waits for, be cut off on time
        self._thread = threading.Thread(target=self._loop.run_forever, name="writer-server", daemon=True)
        self._thread.start()
        self._client = _client(parts, self._host)

    @property
    def version(self) -> str:
        return self._model or self._host

    @property
    def health(self) -> Health:
        with self._lock:
            counts = [self._counts[name] for name in ("answered", "failed", "retried", "refused", "opened")]
        return Health(self._breaker.state, *counts)

    def draft(self, facts: Facts, seed: int) -> Words:
        """Raises BackendError: at once while the breaker is open, else within the deadline."""
        if not self._breaker.lets_pass():
            self._count("refused")
            raise BackendError(f"{self._host}: left alone after it failed several times")
        try:
            words = self._within_deadline(self._write(facts, seed))
        except BaseException as error:
            self._count("failed", "opened" if self._breaker.failure() else None)
            if isinstance(error, _TryAgain | httpx.HTTPError | TimeoutError | ValueError | BackendError):
                raise BackendError(f"{self._host}: {error or type(error).__name__}") from error
            raise
        self._breaker.success()
        self._count("answered")
        return words

    def close(self) -> None:
        """Give up the connections and the thread."""
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _count(self, *names: str | None) -> None:
        with self._lock:
            self._counts.update(name for name in names if name)

    def _within_deadline(self, work: Coroutine[Any, Any, Words]) -> Words:
        async def bounded() -> Words:
            try:
                async with asyncio.timeout(self._deadline):
                    return await work
            except TimeoutError as error:
                raise TimeoutError(f"no answer within {self._deadline:g} s") from error

        return asyncio.run_coroutine_threadsafe(bounded(), self._loop).result()

    async def _write(self, facts: Facts, seed: int) -> Words:
        model = self._model or await self._first_model()
        body = {
            "model": model,
            "messages": messages(facts),
            "temperature": GENERAL_TEMPERATURE,
            "max_tokens": LIMIT[facts.channel],
            "seed": seed,
        }
        words = words_of(await self._ask("POST", "/chat/completions", body), facts)
        if not words.text.strip():
            raise ValueError("an empty answer")
        self._model = model
        return words

    async def _first_model(self) -> str:
        """Servers want the model named; one that lists several serves its first as default."""
        listed = await self._ask("GET", "/models")
        try:
            return str(listed["data"][0]["id"])
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError("the server lists no model") from error

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        """The JSON answer to a request, tried again after trouble that may pass."""
        for turn in range(TRIES):
            try:
                return await self._once(method, path, body)
            except _TryAgain as trouble:
                if turn == TRIES - 1 or (trouble.wait or 0.0) > LONGEST_WAIT:
                    raise
                self._count("retried")
                longest: float = BACKOFF * 2**turn
                await asyncio.sleep(trouble.wait or random.uniform(longest / 2, longest))
        raise AssertionError("unreachable")

    async def _once(self, method: str, path: str, body: object) -> Any:
        try:
            async with self._client.stream(method, path, json=body) as response:
                if response.status_code in _PASSING:
                    raise _TryAgain(f"status {response.status_code}", _asked_wait(response))
                response.raise_for_status()
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST:
                        raise ValueError("an answer too large")
        except (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError) as error:
            raise _TryAgain(str(error) or type(error).__name__) from error
        return json.loads(content)


def _client(parts: SplitResult, host: str) -> httpx.AsyncClient:
    base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    headers = {"Authorization": f"Bearer {unquote(parts.username)}"} if parts.username else {}
    # the deadline bounds everything but connecting, which has to be quick
    return httpx.AsyncClient(base_url=base, headers=headers, timeout=httpx.Timeout(None, connect=CONNECT))


def _asked_wait(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; a date in it is taken for none."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else None

"""A circuit breaker: what keeps failing is left alone for a while, then tried once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half-open"]

FAILURES = 3  # in a row before it opens
REST = 15.0  # seconds until the first trial; doubles with each trial that fails
LONGEST_REST = 300.0


class Breaker:
    """Closed: calls pass. Open: none does until the rest is over. Half-open: one call is on trial;
    its success closes the breaker, its failure opens it for twice as long. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._rest = REST
        self._opens_at: float | None = None  # None while closed
        self._on_trial = False

    @property
    def state(self) -> State:
        with self._lock:
            if self._opens_at is None:
                return "closed"
            return "half-open" if self._on_trial or self._clock() >= self._opens_at else "open"

    def lets_pass(self) -> bool:
        """Whether a call may be made now; who is let pass must report `success` or `failure`."""
        with self._lock:
            if self._opens_at is None:
                return True
            if self._on_trial or self._clock() < self._opens_at:
                return False
            self._on_trial = True
            return True

    def success(self) -> None:
        with self._lock:
            self._failures, self._rest, self._opens_at, self._on_trial = 0, REST, None, False

    def failure(self) -> bool:
        """Count one; whether that opened the breaker."""
        with self._lock:
            self._failures += 1
            if self._on_trial:
                self._rest = min(2 * self._rest, LONGEST_REST)
            elif self._opens_at is not None or self._failures < FAILURES:
                return False
            self._opens_at, self._on_trial = self._clock() + self._rest, False
            return True

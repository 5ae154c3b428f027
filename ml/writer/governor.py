"""How many threads a step of decoding gets.

llama.cpp's threads wait for each other in busy loops after every operation. With a core for each, two halve
the time of a step; with one core too few each wait can last a time slice, and a step of milliseconds takes
a second. So the engine takes a core only while nobody else has used it lately.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

WINDOW = 0.1  # seconds between two looks at the machine
_SPARE = 0.25  # of a core may be busy with odds and ends and still count as free


def machine_seconds() -> float:
    """Seconds for which the cores of this machine have been busy, summed over them."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))


class Governor:
    """Tells the threads for the next step. Not thread-safe: it is the engine's thread's own."""

    def __init__(
        self,
        most: int,
        *,
        cores: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        busy: Callable[[], float] = machine_seconds,
    ) -> None:
        self.most = most
        self.threads = 1
        self._cores = cores or psutil.cpu_count() or 1
        self._clock, self._busy = clock, busy
        self._seen, self._seen_busy, self._own = clock(), busy(), 0.0

    def spent(self, seconds: float) -> None:
        """A step took this long with the threads told last."""
        self._own += seconds * self.threads

    def next(self) -> int:
        if self.most > 1 and (passed := self._clock() - self._seen) >= WINDOW:
            busy = self._busy()
            others = max(0.0, busy - self._seen_busy - self._own) / passed
            self.threads = max(1, min(self.most, int(self._cores - others + _SPARE)))
            self._seen, self._seen_busy, self._own = self._seen + passed, busy, 0.0
        return self.threads

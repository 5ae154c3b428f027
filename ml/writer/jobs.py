"""What the engine is asked for and what it gives back."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ml.writer.errors import EngineError
from ml.writer.sampling import Constraint


class Review(Protocol):
    """Judges a text while it is written, a part at a time: a refused part is taken back."""

    def starts(self, before: int, token: int) -> bool:
        """Whether a new part begins with `token` after `before`."""

    def accepts(self, part: Sequence[int]) -> bool:
        """Whether a finished part may stay."""


@dataclass(frozen=True, slots=True)
class Job:
    """`prompt`: token ids, of which the first `shared` are common to many jobs. `deadline` is on the clock
    of time.monotonic. `rewrites` is how often one part may be refused by `review`."""

    prompt: tuple[int, ...]
    constraint: Constraint
    ends: frozenset[int]
    limit: int
    seed: tuple[int, ...] = (0,)
    owner: str = ""
    deadline: float | None = None
    shared: int = 0
    review: Review | None = None
    rewrites: int = 8


@dataclass(frozen=True, slots=True)
class Generation:
    """The tokens written, without the ending one. `first_ms` and `total_ms` count from the submission;
    `drawn` counts also what was taken back."""

    tokens: tuple[int, ...]
    ended: bool
    drawn: int
    first_ms: float
    total_ms: float


@dataclass(slots=True)
class Metrics:
    """Counts since the start, but for `waiting` and `running`, which are now. `refused` jobs found the
    queue full; `tokens` were drawn, `rewrites` parts of texts taken back."""

    submitted: int = 0
    finished: int = 0
    refused: int = 0
    cancelled: int = 0
    expired: int = 0
    failed: int = 0
    steps: int = 0
    tokens: int = 0
    prompt_tokens: int = 0
    shared_tokens: int = 0
    rewrites: int = 0
    waiting: int = 0
    running: int = 0


class Ticket:
    """A submitted job. Any thread may wait for it or cancel it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.submitted = time.monotonic()
        self._done = threading.Event()
        self._outcome: Generation | EngineError | None = None
        self.cancelled = False

    def cancel(self) -> None:
        """Take the job back; its place is free from the next step on."""
        self.cancelled = True

    def result(self) -> Generation:
        """Wait for the outcome. Raises Expired, Cancelled or Closed."""
        self._done.wait()
        if isinstance(self._outcome, EngineError):
            raise self._outcome
        assert self._outcome is not None
        return self._outcome

    def settle(self, outcome: Generation | EngineError) -> None:
        self._outcome = outcome
        self._done.set()

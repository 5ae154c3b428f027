"""Many generations at once on one model: llama.cpp's batched decoding behind a bounded queue.

One thread owns the context. In every step it lets waiting jobs in where a sequence is free, feeds the
prompts of the new and the last token of the others in one call, and draws a token for each. A job has its
own constraint, dice, limit and deadline; it leaves the batch the moment it ends, is cancelled or runs out
of time, and the next one takes its place in the same step.

Waiting is fair between owners (a conversation, say): each gets its turn, however many jobs another has
queued. What prompts have in common at the start (`Job.shared` tokens) is decoded once and copied.

Context cannot overflow: a job whose prompt and limit do not fit its share of the memory is refused at the
door with PromptTooLong; callers cut history by rule before they ask.
"""

from __future__ import annotations

import atexit
import heapq
import logging
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

import numpy as np

from ml.writer.errors import Busy, Cancelled, Closed, EngineError, Expired, PromptTooLong
from ml.writer.governor import Governor
from ml.writer.jobs import Generation, Job, Metrics, Review, Ticket
from ml.writer.llama import Context, Feed, LlamaError, Model, Scores
from ml.writer.sampling import NOTHING, Grammatical, Mask, draw

log = logging.getLogger(__name__)

SEQUENCES = 8
QUEUE = 64
STUBBORN = 2  # refusals of a part after which it may not begin as those did
REPORT = 60.0  # seconds of work between two lines of metrics in the log
_STEP = 256  # tokens fed in one call: a long prompt must not make the others wait


@dataclass(slots=True)
class _Running:
    """A job in the batch. `kept` tokens are in the context; `todo` are still to be fed."""

    ticket: Ticket
    sequence: int
    dice: np.random.Generator
    todo: list[int]
    kept: int
    grammar: Grammatical | None
    written: list[int] = field(default_factory=list)
    drawn: int = 0
    first: float = 0.0
    part: int = 0  # where in `written` the part under review began
    part_scores: Scores | None = None
    refusals: int = 0
    refused: set[int] = field(default_factory=set)  # what refused versions of the part began with

    @property
    def job(self) -> Job:
        return self.ticket.job


class Engine:
    """Runs jobs on a model. Thread-safe; `close` ends it and whatever still waits."""

    def __init__(
        self,
        model: Model,
        *,
        room: int,
        sequences: int = SEQUENCES,
        queue: int = QUEUE,
        threads: int = 1,
        prefixes: int = 0,
    ) -> None:
        """`room` is the most tokens that one job's prompt and text may take; of the prompts' shared starts
        the last `prefixes` are kept decoded. At most `threads` decode, fewer while others use the
        machine's cores (`ml.writer.governor`). Raises LlamaError."""
        self.model = model
        self.room, self.sequences, self.queue, self.prefixes = room, sequences, queue, prefixes
        self._context = Context(
            model,
            sequences=sequences + prefixes,
            room=room,
            batch=_STEP,
            threads=threads,
            sharing=prefixes > 0,
        )
        # made once: fresh memory in each step costs more than what is written to it
        self._held = np.empty((sequences, model.size), np.float32)
        self._governor = Governor(threads)
        self._free = list(range(sequences))  # a heap: the lowest goes first
        self._running: list[_Running] = []
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._prefixes: OrderedDict[tuple[int, ...], int] = OrderedDict()
        # each count has one writer: `submitted` and `refused` whoever holds the gate, the others our thread
        self._counts = Metrics()
        self._reported = time.monotonic()
        self._gate = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="writer-engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    # --- any thread -----------------------------------------------------------------------------

    def submit(self, job: Job) -> Ticket:
        """Queue a job. Raises Busy, PromptTooLong or Closed."""
        if not job.prompt or len(job.prompt) + job.limit > self.room:
            raise PromptTooLong(
                f"a prompt of {len(job.prompt)} tokens and a text of {job.limit} do not fit in {self.room}"
            )
        ticket = Ticket(job)
        with self._gate:
            if self._closing:
                raise Closed("the engine is closed")
            if sum(map(len, self._waiting.values())) >= self.queue:
                self._counts.refused += 1
                raise Busy(f"{self.queue} texts are waiting already")
            self._waiting.setdefault(job.owner, deque()).append(ticket)
            self._counts.submitted += 1
            self._gate.notify()
        return ticket

    def metrics(self) -> Metrics:
        with self._gate:
            waiting = sum(map(len, self._waiting.values()))
            return replace(self._counts, waiting=waiting, running=len(self._running))

    def close(self) -> None:
        """End the thread and free the context; jobs in hand fail with Closed. Safe to call twice."""
        with self._gate:
            self._closing = True
            self._gate.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()
        atexit.unregister(self.close)

    # --- the engine's own thread -----------------------------------------------------------------

    def _work(self) -> None:
        try:
            while self._wait_for_work():
                self._step()
        except Exception:
            log.exception("the writer's engine stopped")
        finally:
            self._shut()

    def _wait_for_work(self) -> bool:
        with self._gate:
            while not (self._closing or self._running or self._waiting):
                self._gate.wait()
            return not self._closing

    def _step(self) -> None:
        self._drop_ended()
        self._admit()
        feeds, scored = self._feeds()
        if not feeds:
            return
        self._context.use_threads(self._governor.next())
        started = time.monotonic()
        try:
            scores = self._context.decode(feeds)
        except LlamaError as error:
            self._fail_all(error)
            return
        self._governor.spent(time.monotonic() - started)
        self._counts.steps += 1
        if scored:
            self._draw(scored, scores)

    def _drop_ended(self) -> None:
        now = time.monotonic()
        for running in list(self._running):
            if ended := self._ended(running.ticket, now):
                self._leave(running, ended)

    def _ended(self, ticket: Ticket, now: float) -> EngineError | None:
        if ticket.cancelled:
            self._counts.cancelled += 1
            return Cancelled("taken back by the caller")
        if ticket.job.deadline is not None and now > ticket.job.deadline:
            self._counts.expired += 1
            return Expired("no text before the deadline")
        return None

    def _admit(self) -> None:
        now = time.monotonic()
        while self._free and (ticket := self._next_waiting()):
            if ended := self._ended(ticket, now):
                ticket.settle(ended)
                continue
            try:
                self._running.append(self._seat(ticket))
            except LlamaError as error:
                self._counts.failed += 1
                ticket.settle(Closed(str(error)))

    def _next_waiting(self) -> Ticket | None:
        """The oldest job of the owner whose turn it is; the owner then goes to the end of the line."""
        with self._gate:
            if not self._waiting:
                return None
            owner, jobs = self._waiting.popitem(last=False)
            ticket = jobs.popleft()
            if jobs:
                self._waiting[owner] = jobs
            return ticket

    def _seat(self, ticket: Ticket) -> _Running:
        job = ticket.job
        grammar = None
        if not isinstance(job.constraint, Mask):
            grammar = Grammatical(self.model, job.constraint, job.seed[0])
        sequence = self._free[0]
        kept = self._copy_shared(job, sequence)
        heapq.heappop(self._free)
        self._counts.prompt_tokens += len(job.prompt) - kept
        self._counts.shared_tokens += kept
        dice = np.random.default_rng(list(job.seed))
        return _Running(ticket, sequence, dice, list(job.prompt[kept:]), kept, grammar)

    def _copy_shared(self, job: Job, sequence: int) -> int:
        """Begin a sequence with its shared tokens, decoding them first if they are new; how many."""
        length = min(job.shared, len(job.prompt) - 1)
        if length < 1 or not self.prefixes:
            return 0
        prefix = job.prompt[:length]
        if prefix in self._prefixes:
            self._prefixes.move_to_end(prefix)
        else:
            self._decode_prefix(prefix)
        self._context.share(self._prefixes[prefix], sequence, length)
        return length

    def _decode_prefix(self, prefix: tuple[int, ...]) -> None:
        if len(self._prefixes) < self.prefixes:
            home = self.sequences + len(self._prefixes)
        else:
            _, home = self._prefixes.popitem(last=False)
        self._context.forget(home)
        for at in range(0, len(prefix), _STEP):
            self._context.decode([Feed(home, prefix[at : at + _STEP], at, scored=False)])
        self._prefixes[prefix] = home

    def _feeds(self) -> tuple[list[Feed], list[_Running]]:
        """What to feed in this step: written tokens first, then as much of the prompts as there is room."""
        room = _STEP
        chosen: list[tuple[_Running, list[int]]] = []
        for running in sorted(self._running, key=lambda each: len(each.todo)):
            if tokens := running.todo[:room]:
                room -= len(tokens)
                chosen.append((running, tokens))
        # llama.cpp decodes neighbouring sequences together only where they come in order
        chosen.sort(key=lambda pair: pair[0].sequence)
        feeds, scored = [], []
        for running, tokens in chosen:
            del running.todo[: len(tokens)]
            feeds.append(Feed(running.sequence, tokens, running.kept, scored=not running.todo))
            running.kept += len(tokens)
            if not running.todo:
                scored.append(running)
        return feeds, scored

    def _draw(self, drawing: list[_Running], scores: Scores) -> None:
        masked = [row for row, running in enumerate(drawing) if running.grammar is None]
        if len(masked) == len(drawing):
            tokens = self._draw_masked(drawing, scores)
        else:
            tokens = [0] * len(drawing)
            chosen = self._draw_masked([drawing[row] for row in masked], scores[masked]) if masked else []
            for row, token in zip(masked, chosen, strict=True):
                tokens[row] = token
            for row, running in enumerate(drawing):
                if running.grammar:
                    tokens[row] = running.grammar.draw(scores[row])
        self._counts.tokens += len(tokens)
        for running, token, row in zip(drawing, tokens, scores, strict=True):
            try:
                self._take(running, token, row)
            except Exception as error:  # a review's fault is its own job's
                log.exception("the review of a text failed")
                self._counts.failed += 1
                self._leave(running, Closed(f"its review failed: {error}"))

    def _draw_masked(self, drawing: list[_Running], scores: Scores) -> list[int]:
        held = self._held[: len(drawing)]
        heats = np.empty(len(drawing), np.float32)
        for row, running in enumerate(drawing):
            mask = running.job.constraint
            assert isinstance(mask, Mask)
            mask.hold(scores[row], running.written, out=held[row])
            heats[row] = mask.temperature
        return draw(held, heats, [running.dice.random() for running in drawing])

    def _take(self, running: _Running, token: int, scores: Scores) -> None:
        """Add a drawn token to its text, or end the text, or take a refused part back."""
        running.drawn += 1
        if not running.first:
            running.first = time.monotonic()
        review = running.job.review
        if review is not None:
            if running.part_scores is None:
                running.part_scores = scores.copy()
            token = self._reviewed(running, review, token, scores)
        ends = token in running.job.ends
        if ends or token == NOTHING or len(running.written) == running.job.limit:
            self._finish(running, ended=ends)
            return
        running.written.append(token)
        running.todo = [token]

    def _reviewed(self, running: _Running, review: Review, token: int, scores: Scores) -> int:
        """The token to go on with: the drawn one, or after a refusal the first of a new part."""
        written = running.written
        if token == NOTHING or len(written) == running.part or not review.starts(written[-1], token):
            return token
        may_stay = _is_complete(running, token) and review.accepts(written[running.part :])
        if may_stay or running.refusals == running.job.rewrites:
            running.part, running.refusals = len(written), 0
            running.refused.clear()
            running.part_scores = scores.copy()
            return token
        running.refusals += 1
        running.refused.add(written[running.part])
        running.drawn += 1
        self._counts.rewrites += 1
        running.kept -= len(written) - running.part
        del written[running.part :]
        self._context.forget(running.sequence, running.kept)
        assert running.part_scores is not None
        begin = running.part_scores
        if running.refusals > STUBBORN:
            begin[list(running.refused)] = -np.inf
        return self._draw_masked([running], begin[None, :])[0]

    def _finish(self, running: _Running, *, ended: bool) -> None:
        now, started = time.monotonic(), running.ticket.submitted
        self._counts.finished += 1
        if now - self._reported > REPORT:
            self._reported = now
            log.info("writer engine: %s", self.metrics())
        self._leave(
            running,
            Generation(
                tokens=tuple(running.written),
                ended=ended,
                drawn=running.drawn,
                first_ms=(running.first - started) * 1000,
                total_ms=(now - started) * 1000,
            ),
        )

    def _leave(self, running: _Running, outcome: Generation | EngineError) -> None:
        self._running.remove(running)
        self._context.forget(running.sequence)
        heapq.heappush(self._free, running.sequence)
        if running.grammar:
            running.grammar.close()
        running.ticket.settle(outcome)

    def _fail_all(self, error: LlamaError) -> None:
        """A batch that llama.cpp refused leaves its sequences in doubt: they are dropped."""
        log.error("writer engine: %s", error)
        self._counts.failed += len(self._running)
        for running in list(self._running):
            self._leave(running, Closed(str(error)))

    def _shut(self) -> None:
        with self._gate:
            self._closing = True
            left = [ticket for jobs in self._waiting.values() for ticket in jobs]
            self._waiting.clear()
        for running in list(self._running):
            self._leave(running, Closed("the engine is closed"))
        for ticket in left:
            ticket.settle(Closed("the engine is closed"))
        self._context.close()


def _is_complete(running: _Running, token: int) -> bool:
    """Whether a text that goes on with `token` does not end before all was written that is due."""
    mask = running.job.constraint
    return token not in running.job.ends or not isinstance(mask, Mask) or not mask.missing(running.written)

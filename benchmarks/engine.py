"""How fast the writer's engine is beside its peers, and what it does under a storm. The benchmark of the
writer calls this.

Peers in the same run, on the same model file and prompts: llama-cpp-python's `Llama` object serving the same
eight replies one after another, as it comes (it takes half of the cores) and with as many threads as the
engine may use, and a bare loop of `llama_decode` with as many that draws nothing. Every round times all of
them in turn, and medians over the rounds are reported, since the machine is shared.
"""

from __future__ import annotations

import gc
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import llama_cpp
import numpy as np
import psutil

from ml.types import Facts
from ml.writer.embedded import EmbeddedModel
from ml.writer.engine import Engine
from ml.writer.errors import Busy, Cancelled, Expired
from ml.writer.examples import sample_facts
from ml.writer.jobs import Job
from ml.writer.llama import Context, Feed
from ml.writer.sampling import Mask
from ml.writer.sources import request_of

TOGETHER = 8
LENGTH = 64  # tokens of a timed text: every peer writes as many
ROUNDS = 9
REST = 0.3  # seconds before each, so that none finds the cores busy with the one before
ARRIVALS = 40  # times that eight arrive at once
STORM = 10_000
_CROWD = 25  # threads of the storm, some more than running and waiting jobs have room
_WARM = 1000  # generations before memory is first read


@dataclass(frozen=True, slots=True)
class Asked:
    prompt: tuple[int, ...]
    mask: Mask


def speed(model: EmbeddedModel) -> dict[str, Any]:
    """Tokens a second, times to the first token in milliseconds, and what the mask costs."""
    asked = [_asked(model, facts) for facts in sample_facts("chat", TOGETHER, seed=3)]
    open_mask = model.unmasked
    peer, threaded = _llama_object(model, None), _llama_object(model, model.threads)
    loop = Context(model.model, sequences=TOGETHER, room=512, batch=256, threads=model.threads)
    ways: dict[str, Callable[[], float]] = {
        "single": lambda: _engine(model.engine, asked[:1]),
        "batch8": lambda: _engine(model.engine, asked),
        "unmasked8": lambda: _engine(model.engine, [Asked(each.prompt, open_mask) for each in asked]),
        "decode_loop1": lambda: _loop(loop, asked[:1]),
        "decode_loop8": lambda: _loop(loop, asked),
        "llama_serial8": lambda: _serial(peer, asked),
        "llama_serial8_all_threads": lambda: _serial(threaded, asked),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            time.sleep(REST)
            taken[name].append(way())
    loop.close()
    peer.close()
    threaded.close()
    rates = {name: round(statistics.median(found), 1) for name, found in taken.items()}
    return {
        "tokens_per_s": rates,
        "ratios": {
            "batch8_to_llama_serial8": _ratio(taken, "batch8", "llama_serial8"),
            "batch8_to_llama_serial8_all_threads": _ratio(taken, "batch8", "llama_serial8_all_threads"),
            "batch8_to_decode_loop8": _ratio(taken, "batch8", "decode_loop8"),
            "single_to_decode_loop1": _ratio(taken, "single", "decode_loop1"),
        },
        "mask_cost": _ratio(taken, "batch8", "unmasked8"),
        **_first_tokens(model, asked),
    }


def _asked(model: EmbeddedModel, facts: Facts) -> Asked:
    request = request_of(facts)
    return Asked(tuple(model.prompt_tokens(request, facts.customer_text)), model.mask(request))


def _ratio(taken: dict[str, list[float]], ours: str, theirs: str) -> float:
    """The median of the rounds' own ratios: both were timed within the same second."""
    return round(statistics.median(a / b for a, b in zip(taken[ours], taken[theirs], strict=True)), 3)


def _job(asked: Asked, seed: int = 0, limit: int = LENGTH) -> Job:
    return Job(asked.prompt, asked.mask, ends=frozenset(), limit=limit, seed=(seed,))


def _engine(engine: Engine, asked: Sequence[Asked]) -> float:
    started = time.perf_counter()
    tickets = [engine.submit(_job(each)) for each in asked]
    written = sum(len(ticket.result().tokens) for ticket in tickets)
    return written / (time.perf_counter() - started)


def _loop(context: Context, asked: Sequence[Asked]) -> float:
    """Prompts and then a token for each sequence, step after step; nothing is drawn."""
    started = time.perf_counter()
    for sequence, each in enumerate(asked):
        context.forget(sequence)
        context.decode([Feed(sequence, each.prompt, 0, scored=True)])
    for step in range(LENGTH - 1):
        context.decode(
            [
                Feed(sequence, each.prompt[-1:], len(each.prompt) + step, True)
                for sequence, each in enumerate(asked)
            ]
        )
    return LENGTH * len(asked) / (time.perf_counter() - started)


def _llama_object(model: EmbeddedModel, threads: int | None) -> llama_cpp.Llama:
    return llama_cpp.Llama(
        str(model.path), n_ctx=512, n_threads=threads, n_threads_batch=threads, verbose=False
    )


def _serial(peer: llama_cpp.Llama, asked: Sequence[Asked]) -> float:
    started, written = time.perf_counter(), 0
    for seed, each in enumerate(asked):
        answer: Any = peer.create_completion(list(each.prompt), max_tokens=LENGTH, temperature=0.8, seed=seed)
        written += answer["usage"]["completion_tokens"]
    return written / (time.perf_counter() - started)


def _first_tokens(model: EmbeddedModel, asked: Sequence[Asked]) -> dict[str, float]:
    alone, together = [], []
    for turn in range(ARRIVALS):
        alone.append(model.engine.submit(_job(asked[turn % len(asked)], turn)).result().first_ms)
        tickets = [model.engine.submit(_job(each, turn)) for each in asked]
        together += [ticket.result().first_ms for ticket in tickets]
    return {
        "ttft_p50_ms_1": round(statistics.median(alone), 1),
        "ttft_p50_ms_8": round(statistics.median(together), 1),
        "ttft_p95_ms_8": round(statistics.quantiles(together, n=20)[-1], 1),
    }


def soak(model: EmbeddedModel, count: int = STORM) -> dict[str, Any]:
    """`count` generations from a crowd of threads, at random cancelled, short of time or before a full queue.

    Every job may write but two tokens, its own, so a text that is another's shows at once. Memory is read
    after the first thousand and at the end."""
    engine = Engine(model.model, room=512, sequences=TOGETHER, queue=16)
    outcomes: Counter[str] = Counter()
    crossed: list[int] = []
    memory: list[int] = []
    turns, lock = iter(range(count)), threading.Lock()
    prompts = [_asked(model, facts).prompt for facts in sample_facts("chat", 200, seed=9)]

    def customer(number: int) -> None:
        dice = random.Random(number)
        while True:
            with lock:
                turn = next(turns, None)
                if turn in (_WARM, None):
                    memory.append(_resident())
            if turn is None:
                return
            outcome = _stormy(engine, model.model.size, prompts[turn % len(prompts)], turn, dice, crossed)
            with lock:
                outcomes[outcome] += 1

    crowd = [threading.Thread(target=customer, args=(number,)) for number in range(_CROWD)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    alive = engine.metrics()
    engine.close()
    growth = (memory[-1] - memory[0]) / memory[0] if len(memory) > 1 else 0.0
    return {
        "generations": sum(outcomes.values()),
        "crashes": outcomes.pop("failed", 0) + alive.failed,
        "crossed": len(crossed),
        "rss_growth": round(growth, 4),
        "outcomes": dict(outcomes),
        "left_running": alive.running + alive.waiting,
    }


def _stormy(
    engine: Engine,
    vocabulary: int,
    prompt: tuple[int, ...],
    turn: int,
    dice: random.Random,
    crossed: list[int],
) -> str:
    own = [200 + (2 * turn) % 3000, 201 + (2 * turn) % 3000]
    bias = np.full(vocabulary, -np.inf, np.float32)
    bias[own] = 0.0
    patience = dice.choice((0.01, 0.05, 30.0, 30.0, 30.0))
    job = Job(
        prompt,
        Mask.everywhere(bias),
        ends=frozenset(),
        limit=dice.randint(1, 40),
        seed=(turn,),
        owner=str(turn % 40),
        deadline=time.monotonic() + patience,
    )
    try:
        ticket = engine.submit(job)
        if dice.random() < 0.15:
            time.sleep(dice.random() * 0.02)
            ticket.cancel()
        made = ticket.result()
    except Busy:
        time.sleep(dice.random() * 0.1)  # as a caller would who comes back later
        return "busy"
    except (Expired, Cancelled) as error:
        return type(error).__name__.lower()
    except Exception:
        return "failed"
    if not set(made.tokens) <= set(own) or len(made.tokens) != job.limit:
        crossed.append(turn)
    return "finished"


def _resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss

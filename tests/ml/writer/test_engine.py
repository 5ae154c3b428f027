"""Many jobs at once on one tiny model: whose text is whose, who waits for whom, and what ends a job."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from ml.writer.embedded import EmbeddedModel
from ml.writer.engine import Engine
from ml.writer.errors import Busy, Cancelled, Closed, Expired, PromptTooLong
from ml.writer.jobs import Job
from ml.writer.llama import Context, Feed
from ml.writer.sampling import Grammar, Mask

GREEDY = 1e-4
PROMPT = tuple(range(20, 52))


@pytest.fixture
def engine(tiny: EmbeddedModel) -> Iterator[Engine]:
    engine = Engine(tiny.model, room=256, sequences=8, queue=100, prefixes=2)
    yield engine
    engine.close()


@pytest.fixture
def narrow(tiny: EmbeddedModel) -> Iterator[Engine]:
    """One sequence and room for two to wait."""
    engine = Engine(tiny.model, room=256, sequences=1, queue=2)
    yield engine
    engine.close()


def only(tiny: EmbeddedModel, *tokens: int, heat: float = 0.8) -> Mask:
    bias = np.full(tiny.model.size, -np.inf, np.float32)
    bias[list(tokens)] = 0.0
    return Mask.everywhere(bias, heat)


def anything(tiny: EmbeddedModel, heat: float = 0.8) -> Mask:
    return only(tiny, *range(tiny.model.size), heat=heat)


def job(mask: Mask | Grammar, *, limit: int = 24, prompt: Sequence[int] = PROMPT, **fields: object) -> Job:
    return Job(prompt=tuple(prompt), constraint=mask, ends=frozenset(), limit=limit, **fields)


class Gate:
    """A review that holds the engine's thread at the first token until it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def starts(self, before: int, token: int) -> bool:
        self.reached.set()
        assert self.open.wait(20)
        return False

    def accepts(self, part: Sequence[int]) -> bool:
        return True


def test_a_text_in_company_is_what_its_own_prompt_leads_to(wild):
    """Rounding differs with a batch's size, so not the texts are compared but how likely each token is after
    its own prompt, decoded alone."""
    engine = Engine(wild.model, room=256, sequences=8)
    prompts = [PROMPT[: 5 + 3 * at] for at in range(8)]
    tickets = [engine.submit(job(anything(wild, GREEDY), prompt=each)) for each in prompts]
    alone = Context(wild.model, sequences=1, room=256, batch=64, threads=1)
    texts = [ticket.result().tokens for ticket in tickets]
    engine.close()
    for prompt, text in zip(prompts, texts, strict=True):
        alone.forget(0)
        scores = alone.decode([Feed(0, prompt, 0, scored=True)])[0]
        for at, token in enumerate(text):
            assert scores.max() - scores[token] < 0.3
            scores = alone.decode([Feed(0, [token], len(prompt) + at, scored=True)])[0]
    alone.close()
    assert len(set(texts)) == 8


def test_nobody_gets_anothers_text(tiny, engine):
    tickets = [
        (token, engine.submit(job(only(tiny, token), limit=5 + token % 7))) for token in range(100, 160)
    ]
    for token, ticket in tickets:
        assert set(ticket.result().tokens) == {token}
        assert len(ticket.result().tokens) == 5 + token % 7
    assert engine.metrics().finished == 60
    assert engine.metrics().running == engine.metrics().waiting == 0


def test_a_cancelled_job_makes_room_at_once(tiny, narrow):
    gate = Gate()
    first = narrow.submit(job(anything(tiny), limit=200, review=gate))
    assert gate.reached.wait(20)
    second = narrow.submit(job(only(tiny, 99), limit=3))
    first.cancel()
    gate.open.set()
    assert second.result().tokens == (99, 99, 99)
    with pytest.raises(Cancelled):
        first.result()
    assert narrow.metrics().tokens < 20


def test_a_deadline_ends_what_runs_and_what_waits(tiny, narrow):
    gate = Gate()
    soon = time.monotonic() + 1
    running = narrow.submit(job(anything(tiny), limit=200, review=gate, deadline=soon))
    waiting = narrow.submit(job(anything(tiny), deadline=soon))
    assert gate.reached.wait(20)
    threading.Timer(1.1, gate.open.set).start()
    for ticket in (running, waiting):
        with pytest.raises(Expired):
            ticket.result()
    assert narrow.metrics().expired == 2


def test_a_full_queue_says_so_and_forgets_nothing(tiny, narrow):
    gate = Gate()
    first = narrow.submit(job(anything(tiny), review=gate))
    assert gate.reached.wait(20)
    waiting = [narrow.submit(job(only(tiny, 90 + at), limit=2)) for at in range(2)]
    with pytest.raises(Busy, match="2 texts are waiting already"):
        narrow.submit(job(anything(tiny)))
    gate.open.set()
    assert len(first.result().tokens) == 24
    assert [ticket.result().tokens for ticket in waiting] == [(90, 90), (91, 91)]
    assert narrow.metrics().refused == 1


def test_one_who_asks_often_does_not_keep_others_waiting(tiny):
    engine = Engine(tiny.model, room=256, sequences=1, queue=50)
    gate = Gate()
    order: list[str] = []

    class Noted:
        def __init__(self, name: str) -> None:
            self.name = name

        def starts(self, before: int, token: int) -> bool:
            order.append(self.name)
            return False

        def accepts(self, part: Sequence[int]) -> bool:
            return True

    tickets = [engine.submit(job(anything(tiny), owner="gate", limit=2, review=gate))]
    assert gate.reached.wait(20)
    for owner in ("busy", "busy", "busy", "quiet", "other"):
        tickets.append(engine.submit(job(anything(tiny), owner=owner, limit=2, review=Noted(owner))))
    gate.open.set()
    for ticket in tickets:
        ticket.result()
    engine.close()
    assert list(dict.fromkeys(order)) == ["busy", "quiet", "other"]
    assert order[-1] == "busy"


def test_what_does_not_fit_is_refused_at_the_door(tiny, engine):
    with pytest.raises(PromptTooLong, match="do not fit in 256"):
        engine.submit(job(anything(tiny), prompt=range(240)))
    with pytest.raises(PromptTooLong):
        engine.submit(job(anything(tiny), prompt=()))


def test_a_shared_start_is_decoded_once_and_changes_nothing(tiny, engine):
    rest = [(60, 61), (70,), (80, 81, 82)]
    plain = [
        engine.submit(job(anything(tiny, GREEDY), prompt=(*PROMPT, *each))).result().tokens for each in rest
    ]
    before = engine.metrics()
    shared = [
        engine.submit(job(anything(tiny, GREEDY), prompt=(*PROMPT, *each), shared=len(PROMPT)))
        for each in rest
    ]
    assert [ticket.result().tokens for ticket in shared] == plain
    after = engine.metrics()
    assert after.shared_tokens - before.shared_tokens == 3 * len(PROMPT)
    assert after.prompt_tokens - before.prompt_tokens == 6


def test_more_shared_starts_than_places_push_the_oldest_out(tiny, engine):
    starts = [tuple(range(at, at + 12)) for at in (20, 40, 60, 80)]
    jobs = [job(anything(tiny, GREEDY), prompt=(*start, 99), shared=12) for start in starts]
    first = [engine.submit(each).result().tokens for each in jobs]
    assert [engine.submit(each).result().tokens for each in jobs] == first
    plain = [job(anything(tiny, GREEDY), prompt=(*start, 99)) for start in starts]
    assert [engine.submit(each).result().tokens for each in plain] == first


def test_a_refused_part_is_taken_back_and_written_again(tiny, engine):
    seen: list[tuple[int, ...]] = []

    class Refusing:
        """A part is four tokens; the first three that come are refused."""

        def __init__(self) -> None:
            self.drawn = 0

        def starts(self, before: int, token: int) -> bool:
            self.drawn = (self.drawn + 1) % 4
            return self.drawn == 0

        def accepts(self, part: Sequence[int]) -> bool:
            seen.append(tuple(part))
            return len(seen) > 3

    made = engine.submit(job(anything(tiny), limit=6, review=Refusing())).result()
    assert len(seen) >= 4
    assert made.tokens[: len(seen[3])] == seen[3]
    assert len(set(seen[:4])) > 1
    assert made.drawn > len(made.tokens)
    assert engine.metrics().rewrites == 3


def test_a_grammar_holds_beside_masks(tiny, engine):
    rules = 'root ::= ("yes" | "no") "."'
    tickets = []
    for seed in range(6):
        held = Job(prompt=PROMPT, constraint=Grammar(rules), ends=tiny.model.ends, limit=12, seed=(seed,))
        tickets.append((engine.submit(held), engine.submit(job(only(tiny, 100 + seed), limit=4))))
    for seed, (held, masked) in enumerate(tickets):
        assert tiny.model.text(held.result().tokens) in ("yes.", "no.")
        assert held.result().ended
        assert set(masked.result().tokens) == {100 + seed}


def test_a_grammar_that_cannot_be_read_fails_its_own_job_only(tiny, engine):
    broken = engine.submit(job(Grammar("root ::= (")))
    with pytest.raises(Closed, match="grammar"):
        broken.result()
    assert engine.submit(job(only(tiny, 77), limit=2)).result().tokens == (77, 77)


def test_a_review_that_fails_takes_only_its_own_text_along(tiny, engine):
    class Failing:
        def starts(self, before: int, token: int) -> bool:
            raise ValueError("no such word")

        def accepts(self, part: Sequence[int]) -> bool:
            return True

    bad = engine.submit(job(anything(tiny), review=Failing()))
    good = engine.submit(job(only(tiny, 88), limit=3))
    with pytest.raises(Closed, match="no such word"):
        bad.result()
    assert good.result().tokens == (88, 88, 88)
    assert engine.metrics().running == 0


def test_closing_answers_everybody(tiny):
    engine = Engine(tiny.model, room=256, sequences=1, queue=10)
    gate = Gate()
    tickets = [engine.submit(job(anything(tiny), limit=200, review=gate))]
    assert gate.reached.wait(20)
    tickets += [engine.submit(job(anything(tiny))) for _ in range(3)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    gate.open.set()
    closing.join(20)
    for ticket in tickets:
        with pytest.raises(Closed):
            ticket.result()
    with pytest.raises(Closed):
        engine.submit(job(anything(tiny)))


def test_a_storm_of_cancels_deadlines_and_full_queues_leaves_everybody_with_their_own(tiny):
    engine = Engine(tiny.model, room=128, sequences=4, queue=12)
    rng = np.random.default_rng(5)
    wrong: list[str] = []
    outcomes: dict[str, int] = {}
    lock = threading.Lock()

    def customer(own: int, plans: list[tuple[int, float, bool]]) -> None:
        for limit, patience, cancels in plans:
            try:
                deadline = time.monotonic() + patience
                ticket = engine.submit(job(only(tiny, own), limit=limit, owner=str(own), deadline=deadline))
                if cancels:
                    ticket.cancel()
                made = ticket.result()
                if set(made.tokens) != {own} or len(made.tokens) != limit:
                    wrong.append(f"{own}: {made.tokens}")
                name = "finished"
            except (Busy, Expired, Cancelled) as error:
                name = type(error).__name__
            with lock:
                outcomes[name] = outcomes.get(name, 0) + 1

    plans = [
        [
            (int(rng.integers(1, 30)), float(rng.choice([0.002, 5.0, 5.0])), bool(rng.random() < 0.2))
            for _ in range(20)
        ]
        for _ in range(20)
    ]
    threads = [threading.Thread(target=customer, args=(100 + at, plan)) for at, plan in enumerate(plans)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    metrics = engine.metrics()
    engine.close()
    assert wrong == []
    assert sum(outcomes.values()) == 400
    assert outcomes["finished"] > 50
    assert metrics.running == metrics.waiting == 0


class EveryToken:
    """Each token is a part of its own, and all may stay."""

    def starts(self, before: int, token: int) -> bool:
        return True

    def accepts(self, part: Sequence[int]) -> bool:
        return True


def test_a_text_does_not_end_before_all_is_told_nor_tells_it_too_often(tiny, engine):
    wanted, other, end = 101, 102, 0
    bias = only(tiny, wanted, other, end).bias
    mask = Mask(bias, bias, bias, due=frozenset({wanted}), most={wanted: 1, other: 2})
    told = 0
    for seed in range(20):
        asked = Job(
            PROMPT, mask, ends=frozenset({end}), limit=20, seed=(seed,), review=EveryToken(), rewrites=30
        )
        made = engine.submit(asked).result()
        assert made.tokens.count(wanted) <= 1
        assert made.tokens.count(other) <= 2
        told += wanted in made.tokens
    assert told >= 18


def test_a_part_refused_again_and_again_begins_otherwise_and_a_dead_end_is_no_end(tiny, engine):
    seen: list[int] = []

    class Picky:
        """Parts of two tokens; only one that begins with 103 may stay."""

        def __init__(self) -> None:
            self.fed = 0

        def starts(self, before: int, token: int) -> bool:
            self.fed += 1
            return self.fed % 2 == 0

        def accepts(self, part: Sequence[int]) -> bool:
            seen.append(part[0])
            return part[0] == 103

    made = engine.submit(job(only(tiny, 101, 102, 103), limit=6, review=Picky(), rewrites=30)).result()
    assert seen.count(101) <= 4
    assert seen.count(102) <= 4
    assert 103 in seen
    assert made.tokens[0] == 103
    seen.clear()
    stuck = engine.submit(job(only(tiny, 101, 102), limit=6, review=Picky(), rewrites=30)).result()
    assert not stuck.ended
    assert len(stuck.tokens) < 6

"""The writer: facts in, a checked text out, whatever the models do.

A text is drafted with its slots open, checked as a whole, tried again with another seed if it fails, and
replaced by a plain template if that fails too. What was written lately word for word is tried again as well.
Nothing is shown before it is checked: the embedded model needs some hundredths of a second for a whole
reply, so `pieces` of a finished text are what a reader sees arriving.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from ml.types import Draft, Fact, Facts, Timing
from ml.writer.errors import BackendError, ModelMissing, WriterError
from ml.writer.grounding import FactsError, available, check, fill, pieces, situation_of
from ml.writer.local import LocalModel
from ml.writer.server import Server
from ml.writer.sources import Embedded, Source, Words
from ml.writer.templates import chat_template, mail_template

__all__ = ["FactsError", "ModelMissing", "Writer", "WriterError", "load_writer", "pieces"]

log = logging.getLogger(__name__)
LATELY = 5000  # texts that are not written again word for word if it can be helped
FRESHENED = 6  # further tries of a quick source where all that is wrong with a text is that it is not new
# Where fewer texts than this share come out new, the situation has few ways to be told: no tries for that.
WORN = 0.1
_INERTIA = 0.95  # of the running share of new texts


class Writer:
    """Thread-safe. `counts` tells how texts came to be: "model", "template", and "rejected: …" by
    the kind of fault; `version` names what writes first."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """`sources` are tried in order before the template."""
        self._sources = sources
        self.version = sources[0].version
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self._lately: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._fresh: defaultdict[str, float] = defaultdict(lambda: 1.0)

    @classmethod
    def load(cls, chat: Path, mail: Path) -> Writer:
        """The embedded models alone, warmed up. Raises WriterError."""
        embedded = Embedded.load(chat, mail)
        _warm_up(embedded)
        return cls([embedded])

    def write(self, facts: Facts, *, seed: int | None = None) -> Draft:
        """Phrase the facts. The same facts and seed give the same text. Without a seed it is a new one, and
        where the situation allows none that was written lately.

        Raises FactsError where the facts cannot carry their situation (a fault of the caller);
        trouble with a model never surfaces, it is counted, logged and answered by the template."""
        situation_of(facts)
        started = perf_counter()
        first_seed = random.randrange(2**31) if seed is None else seed
        rejected: list[str] = []
        for source in self._sources:
            words = self._passing(source, facts, first_seed, rejected, fresh=seed is None)
            if words:
                self._count("model", facts, rejected)
                return _draft(words, facts, source.version, rejected, started)
        self._count("template", facts, rejected)
        return _template(facts, rejected, started)

    def _passing(
        self, source: Source, facts: Facts, seed: int, rejected: list[str], *, fresh: bool
    ) -> Words | None:
        """The first of a source's drafts that has no fault; a stale one only if no other comes."""
        stale: Words | None = None
        turn, tries = 0, source.tries
        while turn < tries:
            try:
                words = source.draft(facts, seed + 7919 * turn)
            except BackendError as error:
                rejected.append(f"{source.version}: {error}")
                break
            if faults := [*_faults(words, facts), *words.faults]:
                rejected += faults
            elif fresh and not self._is_new(facts.situation, words.text):
                if self._fresh[facts.situation] < WORN:
                    return words
                if stale is None and source.is_quick:
                    tries += FRESHENED
                stale = words
            else:
                return words
            turn += 1
        return stale

    def _is_new(self, situation: str, text: str) -> bool:
        """Whether it was not written lately; from now on it was."""
        with self._lock:
            is_new = (situation, text) not in self._lately
            self._fresh[situation] = _INERTIA * self._fresh[situation] + (1 - _INERTIA) * is_new
            if not is_new:
                return False
            self._lately[situation, text] = None
            if len(self._lately) > LATELY:
                self._lately.popitem(last=False)
            return True

    def _count(self, outcome: str, facts: Facts, rejected: Sequence[str]) -> None:
        with self._lock:
            self.counts[outcome] += 1
            self.counts.update(f"rejected: {reason.partition(':')[0]}" for reason in rejected)
        if rejected:
            log.info("%s: %s after rejections: %s", facts.situation, outcome, "; ".join(rejected))


def load_writer(*, model: Path | None, url: str | None, chat: Path, mail: Path, threads: int) -> Writer:
    """The writer that the settings ask for: a server, another GGUF file, or the embedded models.

    The embedded models stand behind the other two; `threads` is for the other GGUF file. Raises
    WriterError where a file is missing."""
    embedded = Embedded.load(chat, mail)
    sources: list[Source] = [Server(url)] if url else []
    if model is not None:
        sources.append(LocalModel(model, threads=threads))
    _warm_up(embedded)
    return Writer([*sources, embedded])


def _warm_up(source: Source) -> None:
    """Touch every weight once, so that the first customer does not wait for the disk."""
    order = {"order": Fact("#", "warm-up"), "status": Fact("open", "warm-up")}
    for facts in (Facts("greeting"), Facts("mail_timeline_other", slots=order, channel="mail")):
        try:
            source.draft(facts, seed=0)
        except BackendError as error:
            log.warning("writer warm-up: %s", error)


def _faults(words: Words, facts: Facts) -> list[str]:
    return check(words.text, facts, subject=words.subject, preheader=words.preheader)


def _draft(words: Words, facts: Facts, model: str, rejected: list[str], started: float) -> Draft:
    elapsed = (perf_counter() - started) * 1000
    return Draft(
        text=fill(words.text, facts),
        delexicalised=words.text,
        source="model",
        model=model,
        timing=Timing(first=elapsed, total=elapsed),
        tokens=words.tokens,
        rejected=tuple(rejected),
        subject=fill(words.subject, facts),
        preheader=fill(words.preheader, facts),
    )


def _template(facts: Facts, rejected: list[str], started: float) -> Draft:
    slots = available(facts)
    if facts.channel == "chat":
        body, subject, preheader = chat_template(facts.situation, slots, facts.told > 0), "", ""
    else:
        body, subject, preheader = mail_template(facts.situation, slots)
    elapsed = (perf_counter() - started) * 1000
    return Draft(
        text=fill(body, facts),
        delexicalised=body,
        source="template",
        model="template",
        timing=Timing(first=elapsed, total=elapsed),
        rejected=tuple(rejected),
        subject=fill(subject, facts),
        preheader=fill(preheader, facts),
    )

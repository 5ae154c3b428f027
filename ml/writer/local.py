"""Any instruction-tuned GGUF on the engine, through the chat template that its file carries."""

from __future__ import annotations

import time
from itertools import takewhile
from pathlib import Path
from typing import Any

from ml.types import Channel, Facts
from ml.writer.embedded import LIMIT
from ml.writer.engine import Engine
from ml.writer.errors import BackendError, ModelMissing
from ml.writer.grammar import grammar
from ml.writer.jobs import Job
from ml.writer.llama import LlamaError, Model
from ml.writer.prompts import messages, read_answer
from ml.writer.sampling import Grammar
from ml.writer.sources import GENERAL_TEMPERATURE, Words

SEQUENCES = 4
ROOM = 1536  # the longest prompt is about 1,000 tokens
DEADLINE: dict[Channel, float] = {"chat": 25.0, "mail": 120.0}  # seconds


class LocalModel:
    """A general model, held by a grammar. What all its prompts begin with is decoded once."""

    tries = 2
    is_quick = False

    def __init__(self, path: Path, *, threads: int) -> None:
        """Raises ModelMissing."""
        if not path.is_file():
            raise ModelMissing(f"LLM_MODEL names {path}, which is not there")
        try:
            self.model = Model(path)
            self.engine = Engine(self.model, room=ROOM, sequences=SEQUENCES, threads=threads, prefixes=2)
        except LlamaError as error:
            raise ModelMissing(str(error)) from error
        if self.model.chat_format is None:
            raise ModelMissing(f"{path} carries no chat template, so it cannot be asked for a reply")
        self.version: str = self.model.metadata.get("general.name") or path.stem
        self._last: dict[Channel, tuple[int, ...]] = {}

    def close(self) -> None:
        self.engine.close()
        self.model.close()

    def draft(self, facts: Facts, seed: int) -> Words:
        prompt = self._prompt(facts)
        made = self.engine.submit(
            Job(
                prompt=prompt,
                constraint=Grammar(grammar(facts), GENERAL_TEMPERATURE),
                ends=self.model.ends,
                limit=LIMIT[facts.channel],
                seed=(seed, facts.told),
                owner=facts.owner,
                deadline=time.monotonic() + DEADLINE[facts.channel],
                shared=self._shared(facts.channel, prompt),
            )
        ).result()
        if not made.ended:
            raise BackendError(f"{self.version}: no end after {len(made.tokens)} tokens")
        body, subject, preheader = read_answer(self.model.text(made.tokens), facts)
        return Words(body, subject, preheader, made.drawn)

    def _prompt(self, facts: Facts) -> tuple[int, ...]:
        formatter = self.model.chat_format
        assert formatter is not None
        conversation: Any = messages(facts)
        formatted = formatter(messages=conversation)
        return tuple(self.model.tokenize(formatted.prompt, special=True))

    def _shared(self, channel: Channel, prompt: tuple[int, ...]) -> int:
        """How many tokens this prompt has in common with the last of its channel."""
        last = self._last.get(channel, ())
        self._last[channel] = prompt
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(last, prompt, strict=False)))

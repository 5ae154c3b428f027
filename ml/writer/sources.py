"""Where a draft may come from: the embedded models, another GGUF file, or (`ml.writer.server`) a server."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import llama_cpp

from ml.types import Channel, Facts
from ml.writer.corpus import load
from ml.writer.corpus.compose import Request
from ml.writer.engine import LIMIT, BackendError, Engine, ModelMissing
from ml.writer.grounding import available
from ml.writer.personal import Personal
from ml.writer.phrasing import Phrasebook
from ml.writer.prompts import messages, read_answer
from ml.writer.tokens import split_target

_CONTEXT = 4096
GENERAL_TEMPERATURE = 0.6


@dataclass(frozen=True, slots=True)
class Words:
    """A draft as it was written, slots open. `faults` are those that only its source can see."""

    text: str
    subject: str = ""
    preheader: str = ""
    tokens: int = 0
    faults: tuple[str, ...] = ()


class Source(Protocol):
    """Something that drafts texts. `draft` raises BackendError where it cannot; a refused draft is
    asked for again until there were `tries`."""

    tries: int

    @property
    def version(self) -> str: ...

    def draft(self, facts: Facts, seed: int) -> Words: ...


class Embedded:
    """The two models of this project. A try costs some hundredths of a second."""

    tries = 3

    def __init__(self, chat: Path, mail: Path) -> None:
        self._engines: dict[Channel, Engine] = {"chat": Engine(chat), "mail": Engine(mail)}
        for channel, engine in self._engines.items():
            if engine.channel != channel:
                raise ModelMissing(f"{engine.version} is not a {channel} model")
        self._phrasebooks = {channel: Phrasebook(load(channel)) for channel in self._engines}

    @property
    def version(self) -> str:
        return "+".join(engine.version for engine in self._engines.values())

    def draft(self, facts: Facts, seed: int) -> Words:
        book = self._phrasebooks[facts.channel]
        request = Request(facts.situation, available(facts), facts.mood, facts.told > 0)
        is_personal = Personal(request.available if facts.channel == "mail" else ())
        made = self._engines[facts.channel].generate(
            request,
            seed=(seed, facts.told),
            judge=lambda sentence: book.at_home(sentence, request) and is_personal(sentence),
        )
        text, subject, preheader = split_target(made.text)
        faults = book.faults("\n".join((subject, preheader, text)), request)
        if not made.ended:
            faults.append("no end")
        return Words(text, subject, preheader, made.tokens, tuple(faults))


class LocalModel:
    """Any instruction-tuned GGUF, through the chat template that its file carries."""

    tries = 2

    def __init__(self, path: Path, *, threads: int) -> None:
        if not path.is_file():
            raise ModelMissing(f"LLM_MODEL names {path}, which is not there")
        try:
            self._llama = llama_cpp.Llama(
                str(path), n_ctx=_CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise ModelMissing(f"{path} is not a GGUF model that can be loaded: {error}") from error
        self._lock = threading.Lock()
        self.version: str = self._llama.metadata.get("general.name") or path.stem

    def draft(self, facts: Facts, seed: int) -> Words:
        with self._lock:
            try:
                conversation: Any = messages(facts)
                answer: Any = self._llama.create_chat_completion(
                    messages=conversation,
                    temperature=GENERAL_TEMPERATURE,
                    max_tokens=LIMIT[facts.channel],
                    seed=seed,
                )
            except (ValueError, RuntimeError) as error:
                raise BackendError(f"{self.version}: {error}") from error
        return words_of(answer, facts)


def words_of(answer: Any, facts: Facts) -> Words:
    """The draft in a chat completion as OpenAI's interface shapes it. Raises BackendError."""
    try:
        content = str(answer["choices"][0]["message"]["content"] or "")
        tokens = int((answer.get("usage") or {}).get("completion_tokens") or 0)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BackendError("an answer without a message") from error
    return Words(*read_answer(content, facts), tokens=tokens)

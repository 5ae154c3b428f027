"""Where a draft may come from: the embedded models, another GGUF file (`ml.writer.local`), or a server
(`ml.writer.server`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ml.types import Channel, Facts
from ml.writer.corpus import load
from ml.writer.corpus.compose import Request
from ml.writer.embedded import EmbeddedModel
from ml.writer.errors import BackendError, ModelMissing
from ml.writer.grounding import available
from ml.writer.manner import echoed, points_back, recites
from ml.writer.personal import Personal
from ml.writer.phrasing import Phrasebook
from ml.writer.prompts import read_answer
from ml.writer.rules import sentences
from ml.writer.themes import heard
from ml.writer.tokens import split_target

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
    asked for again until there were `tries`. A source `is_quick` if a try more costs nobody a wait."""

    tries: int
    is_quick: bool

    @property
    def version(self) -> str: ...

    def draft(self, facts: Facts, seed: int) -> Words: ...


class Embedded:
    """The two models of this project. A try costs some hundredths of a second.

    A message in which nothing is heard that a reply could take up is not read: there is nothing in it for the
    writer, and it cannot be misread."""

    tries = 5
    is_quick = True

    def __init__(self, *models: EmbeddedModel) -> None:
        self.models: dict[Channel, EmbeddedModel] = {model.channel: model for model in models}
        self._phrasebooks = {channel: Phrasebook(load(channel)) for channel in self.models}

    @classmethod
    def load(cls, chat: Path, mail: Path) -> Embedded:
        """Raises ModelMissing."""
        models = {"chat": EmbeddedModel(chat), "mail": EmbeddedModel(mail)}
        for channel, model in models.items():
            if model.channel != channel:
                raise ModelMissing(f"{model.version} is not a {channel} model")
        return cls(*models.values())

    @property
    def version(self) -> str:
        return "+".join(model.version for model in self.models.values())

    def draft(self, facts: Facts, seed: int) -> Words:
        book, request = self._phrasebooks[facts.channel], request_of(facts)
        written = self.models[facts.channel].write(
            request,
            said=facts.customer_text if heard(facts.customer_text) else "",
            seed=(seed, facts.told),
            owner=facts.owner,
            judge=self._judge(facts, request),
        )
        text, subject, preheader = split_target(written.text)
        faults = book.faults("\n".join((subject, preheader, text)), request, facts.customer_text)
        if not written.ended:
            faults.append("no end")
        return Words(text, subject, preheader, written.generation.drawn, tuple(faults))

    def _judge(self, facts: Facts, request: Request) -> Callable[[str], bool]:
        """Whether a sentence may stay: it is at home in its situation, was not said before, echoes none of
        the sentences that stay, and is not for the first place only or sorry twice."""
        book = self._phrasebooks[facts.channel]
        is_personal = Personal(request.available if facts.channel == "mail" else ())
        said_before = {sentence for text in facts.before for sentence in sentences(text)}
        runs: set[tuple[str, ...]] = set()

        def may_stay(sentence: str) -> bool:
            own = echoed(sentence)
            stays = (
                sentence not in said_before
                and not sentence[:1].islower()
                and runs.isdisjoint(own)
                and not (runs and points_back(sentence))
                and not recites(sentence)
                and book.at_home(sentence, request, facts.customer_text)
                and is_personal(sentence)
            )
            if stays:
                runs.update(own)
            return stays

        return may_stay


def request_of(facts: Facts) -> Request:
    return Request(facts.situation, available(facts), facts.mood, facts.told > 0, verified=facts.verified)


def words_of(answer: Any, facts: Facts) -> Words:
    """The draft in a chat completion as OpenAI's interface shapes it. Raises BackendError."""
    try:
        content = str(answer["choices"][0]["message"]["content"] or "")
        tokens = int((answer.get("usage") or {}).get("completion_tokens") or 0)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BackendError("an answer without a message") from error
    return Words(*read_answer(content, facts), tokens=tokens)

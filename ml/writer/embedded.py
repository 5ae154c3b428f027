"""A model of this project: its prompt, what it may write, and its engine.

A mask keeps every token out that states a fact by itself: digits, marks of links and addresses, a slot
without a value, number words and days, and inside a sentence every capital but "I", since there a capital
starts a name. A last sentence that leaves a required slot untold is
taken back. The checker (`ml.writer.grounding`) stands behind it.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ml.types import Channel
from ml.writer.corpus.compose import Request
from ml.writer.engine import Engine
from ml.writer.errors import BackendError, ModelMissing
from ml.writer.grounding import most
from ml.writer.jobs import Generation, Job
from ml.writer.llama import LlamaError, Model, Scores
from ml.writer.rules import content_faults
from ml.writer.sampling import Mask
from ml.writer.tokens import (
    CONTROLS,
    CUSTOMER,
    END,
    PARAGRAPH,
    PREHEADER,
    REPLY,
    SLOT_TOKENS,
    SUBJECT,
    prompt,
    readable,
)

# tokens of the longest text, of the prompt's words of the customer, and of both with the prompt's head
LIMIT: dict[Channel, int] = {"chat": 140, "mail": 420}
HEARD = 128
ROOM: dict[Channel, int] = {"chat": 512, "mail": 1024}
SEQUENCES: dict[Channel, int] = {"chat": 8, "mail": 4}
DEADLINE: dict[Channel, float] = {"chat": 8.0, "mail": 30.0}  # seconds
# At most; so small a model gains little from more. The engine's governor tells how many just now.
THREADS = min(2, os.cpu_count() or 1)

_LAYOUT = (END, SUBJECT, PREHEADER, PARAGRAPH)
_MARKS = re.compile("|".join(_LAYOUT))
_CAPITAL = re.compile(r"(?<![A-Z])[A-Z]")
_SENTENCES = ("{quote}", "{tracking_link}")  # slots whose value ends a sentence
_OWN_CAPITALS = frozenset({"I"})


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote after its prompt, slots open and controls inline."""

    text: str
    ended: bool
    generation: Generation


class EmbeddedModel:
    """One loaded model. Any number of threads may write with it at once."""

    def __init__(self, path: Path, *, sequences: int | None = None, queue: int = 64) -> None:
        """Raises ModelMissing."""
        if not path.is_file():
            raise ModelMissing(f"writer model {path} is missing; `python -m ml.writer.train all` makes it")
        self.path, self.threads = path, THREADS
        try:
            self.model = Model(path)
            self.facts = _own_facts(self.model.metadata, path)
            self.version = str(self.facts["version"])
            self.channel: Channel = self.facts["stage"]
            self.engine = Engine(
                self.model,
                room=ROOM[self.channel],
                sequences=sequences or SEQUENCES[self.channel],
                queue=queue,
                threads=self.threads,
            )
        except LlamaError as error:
            raise ModelMissing(str(error)) from error
        self._ids = {
            piece.decode("utf-8", "backslashreplace"): i for i, piece in enumerate(self.model.pieces)
        }

    def close(self) -> None:
        self.engine.close()
        self.model.close()

    def write(
        self,
        request: Request,
        *,
        said: str = "",
        seed: Sequence[int] = (0,),
        owner: str = "",
        judge: Callable[[str], bool] | None = None,
        masked: bool = True,
    ) -> Written:
        """Write one text. A sentence that `judge` refuses is taken back and written again, several times if
        need be. The same arguments give the same text but for the rounding of a fuller batch.

        Raises BackendError for a situation the model does not know, EngineError (`ml.writer.engine`)
        where the text could not be made in time. `masked=False` lifts the mask, to measure it."""
        job = Job(
            prompt=tuple(self.prompt_tokens(request, said)),
            constraint=self.mask(request) if masked else self.unmasked,
            ends=frozenset({self._ids[END]}),
            limit=LIMIT[self.channel],
            seed=tuple(seed),
            owner=owner,
            deadline=time.monotonic() + DEADLINE[self.channel],
            review=_Sentences(self, judge) if judge else None,
        )
        made = self.engine.submit(job).result()
        return Written(self.model.text(made.tokens), made.ended, made)

    def prompt_tokens(self, request: Request, said: str) -> list[int]:
        """The prompt's ids. Raises BackendError. Of too long a message the middle is left out."""
        head = prompt(
            self.channel,
            request.situation,
            request.mood,
            request.told,
            request.available,
            verified=request.verified,
        )
        try:
            known = [self._ids[each] for each in head]
            reply = self._ids[REPLY]
        except KeyError as error:
            raise BackendError(f"{self.version} was not trained on {error}") from error
        heard = self.model.tokenize(readable(said)) if said else []
        if len(heard) > HEARD:
            heard = heard[: HEARD // 2] + heard[-HEARD // 2 :]
        return [*known, *heard, reply]

    def mask(self, request: Request) -> Mask:
        """What a text for this request may be written with."""
        opened = [self._ids[f"{{{slot}}}"] for slot in request.available]
        closed = self._closed
        biases = [each.copy() for each in (closed.bias, closed.inside, closed.alone)]
        for bias in biases:
            bias[opened] = 0.0
            if request.mood != "cheerful":
                bias[self._exclaiming] = -np.inf
        start, inside, alone = biases
        return Mask(
            start,
            inside,
            alone,
            opening=closed.opening,
            lone=closed.lone,
            due=frozenset(self._ids[f"{{{slot}}}"] for slot in request.needed),
            most={self._ids[f"{{{slot}}}"]: most(slot, self.channel) for slot in request.available},
            body=self._ids[PARAGRAPH] if self.channel == "mail" else None,
        )

    @cached_property
    def _exclaiming(self) -> list[int]:
        return [token for piece, token in self._ids.items() if "!" in piece]

    @cached_property
    def _closed(self) -> Mask:
        """The mask with every slot shut."""
        layout = {END} if self.channel == "chat" else set(_LAYOUT)
        bias = np.zeros(self.model.size, np.float32)
        inside = np.zeros(self.model.size, np.float32)
        for piece, token in self._ids.items():
            if piece not in layout and _is_banned(piece):
                bias[token] = inside[token] = -np.inf
            elif piece not in layout and _CAPITAL.search(piece) and piece.strip() not in _OWN_CAPITALS:
                inside[token] = -np.inf
        alone = inside.copy()
        alone[[token for piece, token in self._ids.items() if piece[:1].isalpha()]] = -np.inf
        lone = frozenset(token for piece, token in self._ids.items() if piece.strip() in _OWN_CAPITALS)
        return Mask(bias, inside, alone, frozenset(self._opening()), lone)

    def _opening(self) -> list[int]:
        """Tokens after which a sentence may start with a capital."""
        return [
            token
            for piece, token in self._ids.items()
            if piece in (*_LAYOUT, *_SENTENCES) or piece.rstrip()[-1:] in tuple(".?!")
        ]

    @cached_property
    def unmasked(self) -> Mask:
        """No constraint, but that prompts are not written on; to measure what the mask does."""
        bias: Scores = np.zeros(self.model.size, np.float32)
        bias[[self._ids[each] for each in CONTROLS if each not in _LAYOUT and each in self._ids]] = -np.inf
        return Mask.everywhere(bias)


class _Sentences:
    """Has each sentence judged as soon as the next one starts."""

    def __init__(self, model: EmbeddedModel, judge: Callable[[str], bool]) -> None:
        self._model, self._judge = model.model, judge
        self._layout = {model._ids[mark] for mark in _LAYOUT if mark in model._ids}

    def starts(self, before: int, token: int) -> bool:
        if token in self._layout or before in self._layout:
            return True
        pieces = self._model.pieces
        return pieces[before][-1:] in (b".", b"?", b"!") and pieces[token][:1].isspace()

    def accepts(self, part: Sequence[int]) -> bool:
        sentence = _MARKS.sub("", self._model.text(part)).strip()
        return not sentence or self._judge(sentence)


def _own_facts(metadata: dict[str, str], path: Path) -> dict[str, Any]:
    facts = {
        key.removeprefix("doorstep."): json.loads(text)
        for key, text in metadata.items()
        if key.startswith("doorstep.")
    }
    if not facts.keys() >= {"version", "stage"}:
        raise ModelMissing(f"{path} was not exported by ml.writer.export")
    return facts


def _is_banned(piece: str) -> bool:
    if piece in SLOT_TOKENS or piece in CONTROLS or piece == CUSTOMER:
        return True
    if re.search(r"[\d@{}<>\\_/#*\n\r\t]|[^\x00-\x7f’–—]", piece):
        return True
    # Inside a word "ten" is the end of "written"; only at a word's start is it a number.
    return (piece[:1].isspace() or piece[:1].isupper()) and bool(content_faults(piece))

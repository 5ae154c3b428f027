"""An embedded writer model: one GGUF file, one llama.cpp context, sampling under a token mask.

Decoding runs on llama.cpp's own functions rather than on the sampler chain: one call a token, and
the mask, the seed and the stop are ours. A context serves one text at a time, so a lock guards it.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from ml.types import Channel
from ml.writer.corpus.compose import Request
from ml.writer.rules import content_faults
from ml.writer.tokens import CONTROLS, END, PARAGRAPH, PREHEADER, SLOT_TOKENS, SUBJECT, prompt

TEMPERATURE = 0.8
TOP_P = 0.95
# Below this share of the likeliest token a token is noise, not variety.
MIN_P = 0.02
CONTEXT = 512
REWRITES = 6
_LAYOUT = re.compile("|".join((SUBJECT, PREHEADER, PARAGRAPH)))
# A token of so small a model takes a millisecond on one core. A second thread gains little on an idle
# machine, and on a busy one both spin at every layer's barrier: a reply then takes seconds.
THREADS = 1
LIMIT: dict[Channel, int] = {"chat": 140, "mail": 420}


class WriterError(RuntimeError):
    """A writer model cannot be used.
    ├── ModelMissing     its file is not there or is not one of ours
    └── BackendError     one draft could not be made; the next source is tried
    """


class ModelMissing(WriterError):
    pass


class BackendError(WriterError):
    pass


@dataclass(frozen=True, slots=True)
class Generation:
    """What the model wrote after its prompt, slots open and controls inline."""

    text: str
    tokens: int
    ended: bool


class Engine:
    """One loaded model. Safe to call from several threads; calls run one after the other."""

    def __init__(self, path: Path) -> None:
        """Raises ModelMissing."""
        if not path.is_file():
            raise ModelMissing(f"writer model {path} is missing; `python -m ml.writer.train all` makes it")
        try:
            self._llama = llama_cpp.Llama(
                str(path), n_ctx=CONTEXT, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise ModelMissing(f"{path} is not a GGUF model that can be loaded: {error}") from error
        # at exit the interpreter takes the library's functions away before it collects the model
        atexit.register(self._llama.close)
        self.facts = _own_facts(self._llama.metadata, path)
        self.version = str(self.facts["version"])
        self.channel: Channel = self.facts["stage"]
        self._lock = threading.Lock()
        self._bytes = _token_bytes(self._llama)
        pieces = [each.decode("utf-8", "backslashreplace") for each in self._bytes]
        self._ids = {piece: token for token, piece in enumerate(pieces)}
        self._mask = _mask(pieces, self.channel)
        self._exclaiming = [token for token, piece in enumerate(pieces) if "!" in piece]
        self._layout = frozenset(self._ids[mark] for mark in (END, SUBJECT, PREHEADER, PARAGRAPH))

    def generate(
        self, request: Request, *, seed: Sequence[int], judge: Callable[[str], bool] = lambda _: True
    ) -> Generation:
        """Write one text. A sentence that `judge` refuses is taken back and written again, up to
        REWRITES times. The same arguments give the same text. Raises BackendError."""
        asked = prompt(self.channel, request.situation, request.mood, request.told, request.available)
        asked = [each for each in asked if each[0] != "{" or each in self._ids]  # a slot newer than the model
        try:
            head = [self._ids[each] for each in asked]
        except KeyError as error:
            raise BackendError(f"{self.version} was not trained on {error}") from error
        bias = self._mask.copy()
        bias[[self._ids[each] for each in asked if each[0] == "{"]] = 0.0
        if request.mood != "cheerful":
            bias[self._exclaiming] = -np.inf
        with self._lock:
            return self._decode(head, bias, np.random.default_rng(list(seed)), judge)

    def _decode(
        self,
        head: list[int],
        bias: NDArray[np.float32],
        rng: np.random.Generator,
        judge: Callable[[str], bool],
    ) -> Generation:
        end, limit = self._ids[END], LIMIT[self.channel]
        memory = llama_cpp.llama_get_memory(self._llama.ctx)
        llama_cpp.llama_memory_clear(memory, False)
        written: list[int] = []
        scores = self._logits(head) + bias
        start, start_scores, rewrites = 0, scores, 0  # where the sentence being written began
        while len(written) < limit:
            token = sample(scores, rng)
            if len(written) > start and self._starts_sentence(token, written[-1]):
                if rewrites < REWRITES and not judge(_LAYOUT.sub("", self._text(written[start:])).strip()):
                    rewrites += 1
                    del written[start:]
                    llama_cpp.llama_memory_seq_rm(memory, 0, len(head) + start, -1)
                    scores = start_scores
                    continue
                start, start_scores, rewrites = len(written), scores, 0
            if token == end:
                return Generation(self._text(written), len(written), ended=True)
            written.append(token)
            scores = self._logits([token]) + bias
        return Generation(self._text(written), len(written), ended=False)

    def _starts_sentence(self, token: int, before: int) -> bool:
        if token in self._layout:
            return True
        return self._bytes[before][-1:] in (b".", b"?", b"!") and self._bytes[token][:1].isspace()

    def _logits(self, tokens: list[int]) -> NDArray[np.float32]:
        """Feed tokens; the scores of the next one, a view that the next call overwrites."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        if llama_cpp.llama_decode(self._llama.ctx, llama_cpp.llama_batch_get_one(array, len(tokens))) != 0:
            raise BackendError("llama.cpp could not decode")
        scores = llama_cpp.llama_get_logits_ith(self._llama.ctx, -1)
        return np.ctypeslib.as_array(
            ctypes.cast(scores, ctypes.POINTER(ctypes.c_float)), shape=(len(self._bytes),)
        )

    def _text(self, tokens: list[int]) -> str:
        return b"".join(self._bytes[token] for token in tokens).decode("utf-8", errors="replace")


def sample(logits: NDArray[np.float32], rng: np.random.Generator) -> int:
    """Draw a token: temperature, then min-p, then the nucleus of probability TOP_P."""
    scaled = np.exp((logits - logits.max()) / TEMPERATURE)
    kept = np.flatnonzero(scaled >= MIN_P)
    order = kept[np.argsort(-scaled[kept])]
    share = scaled[order] / scaled[order].sum()
    inside = int(np.searchsorted(share.cumsum(), TOP_P)) + 1
    nucleus = share[:inside] / share[:inside].sum()
    return int(order[min(int(np.searchsorted(nucleus.cumsum(), rng.random())), inside - 1)])


def _own_facts(metadata: dict[str, str], path: Path) -> dict[str, Any]:
    facts = {
        key.removeprefix("doorstep."): json.loads(text)
        for key, text in metadata.items()
        if key.startswith("doorstep.")
    }
    if not facts.keys() >= {"version", "stage"}:
        raise ModelMissing(f"{path} was not exported by ml.writer.export")
    return facts


def _token_bytes(llama: llama_cpp.Llama) -> list[bytes]:
    """What each token writes; a control writes its own name. A token may be part of a character."""
    vocab = llama_cpp.llama_model_get_vocab(llama.model)
    names = [llama_cpp.llama_vocab_get_text(vocab, token) for token in range(llama.n_vocab())]
    known = {text.encode() for text in (*CONTROLS, *SLOT_TOKENS)}
    return [
        name if name in known else llama.detokenize([token], special=True) for token, name in enumerate(names)
    ]


def _mask(pieces: Sequence[str], channel: Channel) -> NDArray[np.float32]:
    """0 for a token that may be written, minus infinity for every other: controls, slots (opened
    again for those at hand), and any token that states a fact by itself."""
    layout = {END} if channel == "chat" else {END, SUBJECT, PREHEADER, PARAGRAPH}
    banned = [piece not in layout and _is_banned(piece) for piece in pieces]
    return np.where(banned, -np.inf, 0.0).astype(np.float32)


def _is_banned(piece: str) -> bool:
    if piece in SLOT_TOKENS or piece in CONTROLS:
        return True
    if re.search(r"[\d@{}<>\\_/#*\n\r\t]|[^\x00-\x7f’–—]", piece):
        return True
    # Inside a word "ten" is the end of "written"; only at a word's start is it a number.
    return (piece[:1].isspace() or piece[:1].isupper()) and bool(content_faults(piece))

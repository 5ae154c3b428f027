"""llama.cpp's own functions behind two classes: a model with its vocabulary, and a context that decodes
several sequences in one call. Nothing here knows about texts, masks or queues.

`Model` may be used from any thread; a `Context` belongs to the one thread that decodes with it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp.llama_chat_format import Jinja2ChatFormatter
from numpy.typing import NDArray

Scores = NDArray[np.float32]
_PIECE = 256  # bytes of the longest piece of a token that we ask for at first
_quiet = llama_cpp.llama_log_callback(lambda _level, _text, _data: None)


class LlamaError(RuntimeError):
    """llama.cpp refused: a file it cannot load, a context it cannot make, a batch it cannot decode."""


class Model:
    """One GGUF file in memory."""

    def __init__(self, path: Path) -> None:
        """Raises LlamaError where the file is not one that llama.cpp can load."""
        llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0
        self.handle = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self.handle:
            raise LlamaError(f"{path} is not a GGUF model that can be loaded")
        self.vocab = llama_cpp.llama_model_get_vocab(self.handle)
        self.size = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.trained_context = llama_cpp.llama_model_n_ctx_train(self.handle)

    def close(self) -> None:
        if self.handle:
            llama_cpp.llama_model_free(self.handle)
            self.handle = None

    @cached_property
    def metadata(self) -> dict[str, str]:
        """The file's key and value pairs, values as text."""
        count = llama_cpp.llama_model_meta_count(self.handle)
        found = {}
        for index in range(count):
            key = self._meta(llama_cpp.llama_model_meta_key_by_index, index)
            found[key] = self._meta(llama_cpp.llama_model_meta_val_str_by_index, index)
        return found

    def _meta(self, read: object, index: int) -> str:
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = read(self.handle, index, buffer, size)  # type: ignore[operator]
            if length < size:
                return buffer.value.decode("utf-8", "replace")
            size = length + 1

    def tokenize(self, text: str, *, special: bool = False, start: bool = False) -> list[int]:
        """Token ids. Only with `special` can the text's words become control tokens; `start` adds what
        the model wants at the start of a text."""
        raw = text.encode()
        room = len(raw) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self.vocab, raw, len(raw), tokens, room, start, special)
        if count < 0:
            raise LlamaError("a text could not be split into tokens")
        return list(tokens[:count])

    @cached_property
    def pieces(self) -> list[bytes]:
        """What each token writes; one may be part of a character. Controls write their own name."""
        return [self._piece(token) for token in range(self.size)]

    def _piece(self, token: int) -> bytes:
        size = _PIECE
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self.vocab, token, buffer, size, 0, True)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def text(self, tokens: Sequence[int]) -> str:
        return b"".join(self.pieces[token] for token in tokens).decode("utf-8", errors="replace")

    @cached_property
    def ends(self) -> frozenset[int]:
        """The tokens that end a generation."""
        return frozenset(
            token for token in range(self.size) if llama_cpp.llama_vocab_is_eog(self.vocab, token)
        )

    @cached_property
    def chat_format(self) -> Jinja2ChatFormatter | None:
        """The chat template in the file, if it has one."""
        template = self.metadata.get("tokenizer.chat_template")
        if not template:
            return None
        start, end = llama_cpp.llama_vocab_bos(self.vocab), llama_cpp.llama_vocab_eos(self.vocab)
        return Jinja2ChatFormatter(
            template,
            eos_token=self._piece(end).decode() if end >= 0 else "",
            bos_token=self._piece(start).decode() if start >= 0 else "",
        )


@dataclass(frozen=True, slots=True)
class Feed:
    """Tokens to append to a sequence from position `at`; `scored`: keep the scores after the last one."""

    sequence: int
    tokens: Sequence[int]
    at: int
    scored: bool


class Context:
    """Memory for `sequences` sequences of `room` tokens each, and the batch they are fed through.

    With `sharing`, one sequence may begin with another's tokens (`share`). All of them then lie in one block
    and each step looks at every cell of it, so without is the faster way."""

    def __init__(
        self, model: Model, *, sequences: int, room: int, batch: int, threads: int, sharing: bool = False
    ) -> None:
        """Raises LlamaError."""
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = room * sequences
        params.n_batch = params.n_ubatch = batch
        params.n_seq_max = sequences
        params.n_outputs_max = sequences
        params.kv_unified = sharing
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._model, self._sequences = model, sequences
        self._scores_at = 0
        self._context = llama_cpp.llama_init_from_model(model.handle, params)
        if not self._context:
            raise LlamaError("llama.cpp could not make a context; is there enough memory?")
        self.threads = threads
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._arrays = _Batch(batch)

    def close(self) -> None:
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = None

    def decode(self, feeds: Sequence[Feed]) -> Scores:
        """Feed all of them in one call. Returns float32 (scored feeds, vocabulary) in their order, a view
        that the next call overwrites. Together they hold at most `batch` tokens. Raises LlamaError."""
        scored = self._arrays.fill(feeds)
        code = llama_cpp.llama_decode(self._context, self._arrays.batch)
        if code != 0:
            raise LlamaError(f"llama.cpp could not decode a batch of {len(feeds)} sequences (code {code})")
        if not scored:
            return np.empty((0, self._model.size), np.float32)
        scores = llama_cpp.llama_get_logits(self._context)
        address = ctypes.addressof(scores.contents)
        if address != self._scores_at:  # rarely: llama.cpp has moved them
            held = (ctypes.c_float * (self._sequences * self._model.size)).from_address(address)
            self._scores = np.frombuffer(held, np.float32).reshape(self._sequences, self._model.size)
            self._scores_at = address
        return self._scores[:scored]

    def use_threads(self, threads: int) -> None:
        if threads != self.threads:
            llama_cpp.llama_set_n_threads(self._context, threads, threads)
            self.threads = threads

    def forget(self, sequence: int, at: int = 0) -> None:
        """Drop a sequence's tokens from position `at` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, at, -1)

    def share(self, source: int, target: int, length: int) -> None:
        """Let `target` begin with the first `length` tokens of `source`; they are not decoded again."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)


class _Batch:
    """llama.cpp's batch over arrays of our own, so that numpy fills it."""

    def __init__(self, size: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._scored = np.zeros(size, np.int8)
        step = self._sequences.itemsize
        first = self._sequences.ctypes.data
        kind = ctypes.POINTER(llama_cpp.llama_seq_id)
        self._pointers = (kind * size)(*(ctypes.cast(first + step * index, kind) for index in range(size)))
        self.batch = llama_cpp.llama_batch(
            n_tokens=0,
            token=self._tokens.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token)),
            embd=None,
            pos=self._positions.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_pos)),
            n_seq_id=self._counts.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=ctypes.cast(self._pointers, ctypes.POINTER(kind)),
            logits=self._scored.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, feeds: Sequence[Feed]) -> int:
        """How many feeds are scored."""
        end, scored = 0, 0
        for feed in feeds:
            start, end = end, end + len(feed.tokens)
            if end == start + 1:  # the step of a running text: plain stores are the cheaper ones
                self._tokens[start], self._positions[start] = feed.tokens[0], feed.at
            else:
                self._tokens[start:end] = feed.tokens
                self._positions[start:end] = np.arange(feed.at, feed.at + len(feed.tokens))
            self._sequences[start:end] = feed.sequence
            self._scored[start:end] = 0
            self._scored[end - 1] = feed.scored
            scored += feed.scored
        self.batch.n_tokens = end
        return scored

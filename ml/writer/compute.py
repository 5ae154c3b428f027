"""What a training run computes with."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
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

"""Trains a copy of the encoder's upper layers on labels, so that what is alike for us lies together.

Each task is a linear layer over the branch's vector, started at the centre of each label's original
vectors: a few passes are enough, on one core in minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ml.understanding.minilm import Branch, new_branch, pretrained, vectors_of

EPOCHS = 3
STEPS = 120  # at least, so that a few hundred sentences are seen often enough
BATCH = 32
RATE, HEAD_RATE = 2e-4, 5e-3  # the head starts near its place and moves on its own scale
SMOOTHING = 0.1
DROPPED = 0.1  # share of word pieces hidden in each pass
SCALE = 16.0  # of the centres, so that a softmax over cosines is decided
_WARM_UP = 0.1
_CENTRE = 40  # sentences that make a centre
_BUCKET = 16  # batches that are sorted by length together


@dataclass(frozen=True, slots=True)
class Task:
    """Labels of some of the texts: `rows` (m,) into them, `labels` and `weights` (m,) in parallel."""

    rows: NDArray[np.int64]
    labels: NDArray[np.str_]
    weights: NDArray[np.float64]


def adapt(states: Sequence[Tensor], tasks: Sequence[Task], *, seed: int, epochs: int = EPOCHS) -> Branch:
    """A branch trained on all tasks at once, over `states` from the trunk, for `epochs` passes and at least
    STEPS batches. Deterministic."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    branch = new_branch()
    goals = [np.unique(task.labels, return_inverse=True)[1] for task in tasks]
    heads = nn.ModuleList(_head(states, task, goal) for task, goal in zip(tasks, goals, strict=True))
    optimizer = torch.optim.AdamW(
        [{"params": branch.parameters(), "lr": RATE}, {"params": heads.parameters(), "lr": HEAD_RATE}],
        weight_decay=0.0, betas=(0.9, 0.98), fused=True,
    )  # fmt: skip
    batches = sum(-(-len(task.rows) // BATCH) for task in tasks)
    epochs = max(epochs, -(-STEPS // batches))
    steps = epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: _share(done, steps))
    branch.train()
    for _ in range(epochs):
        for which, places in _shuffled(states, tasks, rng):
            task, goal = tasks[which], torch.from_numpy(goals[which][places])
            vectors = branch(*_padded([states[row] for row in task.rows[places]]))
            losses = functional.cross_entropy(
                heads[which](vectors), goal, label_smoothing=SMOOTHING, reduction="none"
            )
            weights = torch.from_numpy(task.weights[places]).float()
            optimizer.zero_grad(set_to_none=True)
            (losses * weights).mean().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(branch.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return branch.eval().requires_grad_(False)


def _head(states: Sequence[Tensor], task: Task, goal: NDArray[np.int64]) -> nn.Linear:
    centres = []
    for label in range(goal.max() + 1):
        some = task.rows[goal == label][:_CENTRE]
        vectors = vectors_of([states[row] for row in some], pretrained()[1])
        centres.append(torch.from_numpy(vectors).mean(0))
    head = nn.Linear(len(centres[0]), len(centres))
    with torch.no_grad():
        head.weight.copy_(SCALE * functional.normalize(torch.stack(centres), dim=1))
        head.bias.zero_()
    return head


def _share(done: int, steps: int) -> float:
    """Of the full rate: up in the first tenth, then down to nothing."""
    return min((done + 1) / (_WARM_UP * steps + 1), 1 - done / (steps + 1))


def _shuffled(
    states: Sequence[Tensor], tasks: Sequence[Task], rng: np.random.Generator
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(task, places in it) in random order, batches of about one length."""
    batches: list[tuple[int, NDArray[np.int64]]] = []
    for which, task in enumerate(tasks):
        lengths = np.array([len(states[row]) for row in task.rows])
        order = rng.permutation(len(lengths))
        for start in range(0, len(order), BATCH * _BUCKET):
            near = order[start : start + BATCH * _BUCKET]
            near = near[np.argsort(lengths[near], kind="stable")]
            batches += [(which, near[place : place + BATCH]) for place in range(0, len(near), BATCH)]
    for place in rng.permutation(len(batches)):
        yield batches[place]


def _padded(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(n, t, 384) and the mask (n, t), a few word pieces hidden at random; the first always stays."""
    stacked = nn.utils.rnn.pad_sequence(list(states), batch_first=True)
    lengths = torch.tensor([len(found) for found in states])
    mask = torch.arange(stacked.shape[1]) < lengths[:, None]
    kept = torch.rand(mask.shape) > DROPPED
    kept[:, 0] = True
    return stacked, mask & kept

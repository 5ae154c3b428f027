"""Low-rank tuning of one model: examples, batches, the loop, what it leaves behind.

The base stays as it is; small matrices beside its own are learned (Hu et al. 2021) and later added to
them. Only the assistant's turn is learned. A run that was stopped goes on where it was: batches and
dropout depend on the seed and the step alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoModelForCausalLM

from ml.writer.compute import Compute, compute_on, rate, save
from ml.writer.curve import draw
from ml.writer.hf_export import HubFolder
from ml.writer.pairs import Pair

MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_IGNORED = -100


class TuningError(RuntimeError):
    """Nothing can be tuned this way; `str(error)` says what to do instead."""


@dataclass(frozen=True, slots=True)
class Settings:
    rank: int = 16
    alpha: int = 32  # the update is scaled by alpha / rank
    dropout: float = 0.05
    targets: tuple[str, ...] = MODULES
    epochs: int = 3
    rate: float = 2e-4  # peak; rises over the first twentieth, then follows a cosine to a tenth
    batch: int = 16  # pairs a step
    tokens: int = 4096  # at most so many at once, padding included; a step takes as many passes as it needs
    longest: int = 2048  # tokens of a pair; longer ones are left out
    validation: float = 0.1  # share of the pairs that is not trained on
    save: int = 50  # steps between checkpoints
    seed: int = 1234


@dataclass(frozen=True, slots=True)
class Example:
    """`ids` of prompt and answer; the answer starts at `start`."""

    ids: tuple[int, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a run came to. Losses are nats a token of the answers that were not trained on."""

    best: Path
    trained: int
    held_out: int
    too_long: int
    steps: int
    best_step: int
    loss_before: float
    loss_after: float


def encode(folder: HubFolder, pair: Pair) -> Example:
    """Prompt and answer through the folder's own chat template."""
    prompt = folder.conversation(pair.messages[:-1], ask=True)
    whole = folder.conversation(pair.messages, ask=False)
    if not whole.startswith(prompt):
        raise TuningError("the chat template writes an answered question otherwise than an open one")
    asked, ids = folder.ids(prompt), folder.ids(whole)
    # where the answer's first letters join the prompt's last token, they are learned together
    start = next((at for at, (a, b) in enumerate(zip(asked, ids, strict=False)) if a != b), len(asked))
    return Example(tuple(ids), start)


def split(pairs: Sequence[Pair], share: float) -> tuple[list[Pair], list[Pair]]:
    """(to train on, to validate on); a pair keeps its side when others come or go. Raises TuningError."""
    if len(pairs) < 2:
        raise TuningError("at least two pairs are needed: one to learn from, one to judge by")
    order = sorted(pairs, key=lambda pair: hashlib.sha256(pair.id.encode()).digest())
    apart = min(max(1, round(share * len(pairs))), len(pairs) - 1)
    return order[apart:], order[:apart]


def tune(
    folder: HubFolder,
    pairs: Sequence[Pair],
    out: Path,
    settings: Settings,
    *,
    device: str,
    say: Callable[[str], object] = print,
) -> Tuned:
    """Learn from `pairs` up to the last epoch; checkpoints, log and curve are under `out`. Raises
    TuningError."""
    kept, apart = split(pairs, settings.validation)
    train, too_long = _short_enough(folder, kept, settings)
    held_out, _ = _short_enough(folder, apart, settings)
    if not train or not held_out:
        raise TuningError(f"no pair is within {settings.longest} tokens")
    compute = compute_on(device)
    model = _with_lora(folder, settings, compute)
    run = _Run(model, out, settings, compute, _origin(folder, pairs, settings))
    total = settings.epochs * math.ceil(len(train) / settings.batch)
    say(f"{run.size():,} of {sum(p.numel() for p in model.parameters()):,} weights are tuned on {device}")
    say(
        f"{len(train)} pairs, {len(held_out)} for validation, {too_long} too long; step {run.step} of {total}"
    )
    if run.loss_before is None:
        run.loss_before = run.evaluate(held_out)
    while run.step < total:
        run.learn(_chosen(train, run.step, settings), total)
        if run.step == total or run.step % settings.save == 0:
            run.keep(run.evaluate(held_out), say)
    draw(out / "log.jsonl", out / "loss.svg", folder.path.name)
    return Tuned(
        out / "best.pt",
        len(train),
        len(held_out),
        too_long,
        run.step,
        run.best_step,
        run.loss_before,
        run.best,
    )


def merged(folder: HubFolder, best: Path, settings: Settings) -> dict[str, Tensor]:
    """The weights of the base with what was learned added to them, in 32 bits (four bytes a weight)."""
    model = get_peft_model(_base(folder, torch.float32), _config(settings))
    set_peft_model_state_dict(model, torch.load(best, weights_only=True)["adapter"])
    weights: dict[str, Tensor] = model.merge_and_unload().state_dict()
    return weights


class _Run:
    """A model being tuned, and what of it outlives the process."""

    def __init__(self, model: Any, out: Path, settings: Settings, compute: Compute, origin: str) -> None:
        """Goes on from `out`, if it holds a run of the same origin. Raises TuningError otherwise."""
        self.model, self.settings, self.compute = model, settings, compute
        self.out, self.origin = out, origin
        self.step, self.best, self.best_step = 0, math.inf, 0
        self.loss_before: float | None = None
        self._losses: list[float] = []
        self._seen, self._since = 0, time.monotonic()
        learned = [each for each in model.parameters() if each.requires_grad]
        self._optimiser = torch.optim.AdamW(learned, lr=settings.rate, weight_decay=0.0)
        out.mkdir(parents=True, exist_ok=True)
        if (out / "last.pt").exists():
            self._resume(torch.load(out / "last.pt", weights_only=True, map_location=compute.device))

    def _resume(self, state: dict[str, Any]) -> None:
        if state["origin"] != self.origin:
            raise TuningError(
                f"{self.out} holds a run with another model, other pairs or other settings; "
                "name another folder with --out, or delete it"
            )
        set_peft_model_state_dict(self.model, state["adapter"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self.best, self.best_step = state["step"], state["best"], state["best_step"]
        self.loss_before = state["loss_before"]

    def size(self) -> int:
        return sum(each.numel() for each in self.model.parameters() if each.requires_grad)

    def learn(self, examples: Sequence[Example], total: int) -> None:
        """One step over one batch."""
        torch.manual_seed(self.settings.seed + self.step)
        self.model.train()
        for group in self._optimiser.param_groups:
            group["lr"] = rate(self.step, peak=self.settings.rate, warmup=max(1, total // 20), steps=total)
        targets = sum(len(each.ids) - each.start for each in examples)
        loss = 0.0
        for few in _passes(examples, self.settings.tokens):
            part = self._loss(few) / targets
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.item()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimiser.step()
        self._optimiser.zero_grad()
        self.step += 1
        self._losses.append(loss)
        self._seen += sum(len(each.ids) for each in examples)

    @torch.no_grad()
    def evaluate(self, examples: Sequence[Example]) -> float:
        self.model.eval()
        loss = sum(self._loss(few).item() for few in _passes(examples, self.settings.tokens))
        return loss / sum(len(each.ids) - each.start for each in examples)

    def keep(self, validation: float, say: Callable[[str], object]) -> None:
        """A checkpoint to go on from, the best one apart, a line of the log."""
        adapter = get_peft_model_state_dict(self.model)
        if validation < self.best:
            self.best, self.best_step = validation, self.step
            save(self.out / "best.pt", {"adapter": adapter, "step": self.step, "validation": validation})
        state = {
            "origin": self.origin,
            "adapter": adapter,
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "best": self.best,
            "best_step": self.best_step,
            "loss_before": self.loss_before,
        }
        save(self.out / "last.pt", state)
        line = {
            "step": self.step,
            "loss": round(sum(self._losses) / len(self._losses), 4),
            "validation": round(validation, 4),
            "tokens_per_s": round(self._seen / (time.monotonic() - self._since)),
        }
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        say(str(line))
        self._losses, self._seen, self._since = [], 0, time.monotonic()

    def _loss(self, examples: Sequence[Example]) -> Tensor:
        """Summed loss over the answers, in nats. Only their positions go through the vocabulary."""
        longest = max(len(each.ids) for each in examples)
        ids = torch.zeros(len(examples), longest, dtype=torch.long)
        labels = torch.full((len(examples), longest), _IGNORED)
        attention = torch.zeros_like(ids)
        for row, each in enumerate(examples):
            whole = torch.tensor(each.ids)
            ids[row, : len(whole)], attention[row, : len(whole)] = whole, 1
            labels[row, each.start : len(whole)] = whole[each.start :]
        ids, labels, attention = (each.to(self.compute.device) for each in (ids, labels, attention))
        llama = self.model.get_base_model()
        with self.compute.precision():
            hidden = llama.model(input_ids=ids, attention_mask=attention, use_cache=False).last_hidden_state
            wanted = labels[:, 1:] != _IGNORED
            logits = llama.lm_head(hidden[:, :-1][wanted])
        return F.cross_entropy(logits.float(), labels[:, 1:][wanted], reduction="sum")


def _with_lora(folder: HubFolder, settings: Settings, compute: Compute) -> Any:
    torch.manual_seed(settings.seed)
    try:
        kept = torch.bfloat16 if compute.bfloat16 else torch.float32
        return get_peft_model(_base(folder, kept), _config(settings)).to(compute.device)
    except ValueError as error:  # peft's, where no module has the name
        raise TuningError(str(error)) from error


def _base(folder: HubFolder, dtype: torch.dtype) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder.path, local_files_only=True, dtype=dtype)


def _config(settings: Settings) -> LoraConfig:
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.targets),
        task_type="CAUSAL_LM",
    )


def _origin(folder: HubFolder, pairs: Sequence[Pair], settings: Settings) -> str:
    """What makes two runs the same: model, pairs, settings."""
    digest = hashlib.sha256(json.dumps(asdict(settings)).encode())
    digest.update((folder.path / "config.json").read_bytes())
    for path in sorted(folder.path.glob("*.safetensors")):
        digest.update(f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns}".encode())
    for pair in pairs:
        digest.update(json.dumps(pair.messages).encode())
    return digest.hexdigest()[:16]


def _short_enough(folder: HubFolder, pairs: Sequence[Pair], settings: Settings) -> tuple[list[Example], int]:
    encoded = [encode(folder, pair) for pair in pairs]
    kept = [each for each in encoded if len(each.ids) <= settings.longest]
    return kept, len(encoded) - len(kept)


def _chosen(examples: Sequence[Example], step: int, settings: Settings) -> list[Example]:
    """The batch of a step: every epoch sees each example once, in an order of its own."""
    epoch, at = divmod(step, math.ceil(len(examples) / settings.batch))
    order = random.Random(f"{settings.seed}:{epoch}").sample(range(len(examples)), len(examples))
    return [examples[index] for index in order[at * settings.batch : (at + 1) * settings.batch]]


def _passes(examples: Sequence[Example], tokens: int) -> Iterator[list[Example]]:
    """Examples of like length together, as many as fit."""
    order = sorted(examples, key=lambda each: len(each.ids))
    while order:
        count = max(1, tokens // len(order[-1].ids))
        yield order[-count:]
        del order[-count:]

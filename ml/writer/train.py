"""Train the writer: tokenizer, base, then a chat and a mail model from the same base.

    python -m ml.writer.train all --data ../shared/data

Stages are `tokenizer`, `base`, `chat`, `mail`; `all` runs them and exports both GGUF files. Each
stage keeps a checkpoint under `--out` (configuration, step, optimiser, scores) and continues from
it when it is started again. On two idle cores all of it takes about three quarters of an hour. Every
figure of the recipe stands below.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from ml.types import Channel
from ml.writer import curve, data
from ml.writer.compute import Compute, compute_on, rate, save
from ml.writer.corpus import HERE, load
from ml.writer.corpus.compose import Composed
from ml.writer.data import Exchange
from ml.writer.model import Config, Llama
from ml.writer.release import release
from ml.writer.templates import all_templates
from ml.writer.tokenizer import load_tokenizer, train_tokenizer
from ml.writer.tokens import CUSTOMER, END, REPLY, prompt, readable, target


@dataclass(frozen=True, slots=True)
class Recipe:
    steps: int
    rate: float  # peak learning rate; cosine down to a tenth of it
    tokens: int  # in one batch, padding included
    examples: int = 0  # composed texts to learn
    held_out: int = 0  # composed texts of scenarios and customers apart, for validation
    drop: float = 0.0
    warmup: int = 40
    report: int = 20  # steps between lines of the log
    save: int = 100  # steps between checkpoints


RECIPES: dict[str, Recipe] = {
    "base": Recipe(steps=1000, rate=2e-3, tokens=2048),
    "chat": Recipe(steps=1600, rate=1.2e-3, tokens=2048, examples=26_000, held_out=400, drop=0.05),
    "mail": Recipe(steps=1080, rate=1.2e-3, tokens=2048, examples=6_000, held_out=120, drop=0.05),
}
WINDOW = 128  # tokens of a base training sequence
ROUND = 8  # lengths of fine-tuning batches are multiples of it
SEED = 1234

Example = tuple[list[int], list[int]]  # token ids, and 1 for each that is a target
Batch = tuple[torch.Tensor, torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ml.writer.train", description=__doc__)
    parser.add_argument("stage", choices=["tokenizer", "base", "chat", "mail", "export", "all"])
    parser.add_argument(
        "--data", type=Path, help="folder with dialogues/ and intents/; all but export need it"
    )
    parser.add_argument("--out", type=Path, default=Path("var/writer"), help="checkpoints and logs")
    parser.add_argument(
        "--artifacts", type=Path, default=Path("ml/artifacts"), help="where the GGUF files go"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    stages = ["tokenizer", "base", "chat", "mail", "export"] if options.stage == "all" else [options.stage]
    for stage in stages:
        run_stage(stage, options)


def run_stage(stage: str, options: argparse.Namespace) -> None:
    if stage != "export" and options.data is None:
        raise SystemExit(f"{stage} needs --data DIR, the folder that holds dialogues/ and intents/")
    if stage == "tokenizer":
        make_tokenizer(options.data, options.out)
    elif stage == "export":
        release(options.out, options.artifacts, options.data)
    else:
        recipe = RECIPES[stage]
        recipe = replace(recipe, steps=options.steps or recipe.steps)
        train(stage, recipe, options.out, options.data, compute=compute_on(options.device))


def make_tokenizer(folder: Path, out: Path) -> Tokenizer:
    """Learn the merges from the public dialogues, our templates and, weighing most, the corpus."""
    texts = [part for pair in data.read_dialogues(folder).train for part in pair] + all_templates() * 10
    texts += [readable(text) for spoken in data.utterances(folder).values() for text in spoken]
    for channel in ("chat", "mail"):
        texts += [target(each.text) for each in data.compose_many(load(channel), 6000, SEED)]
    tokenizer = train_tokenizer(texts)
    tokenizer.save(str(out / "tokenizer.json"))
    print(f"tokenizer: {tokenizer.get_vocab_size()} tokens from {len(texts)} texts", flush=True)
    return tokenizer


def train(
    stage: str,
    recipe: Recipe,
    out: Path,
    folder: Path,
    config: Config | None = None,
    compute: Compute | None = None,
) -> Path:
    """Train one stage up to `recipe.steps`; returns its checkpoint."""
    compute = compute or compute_on("cpu")
    tokenizer = load_tokenizer(out / "tokenizer.json")
    path = out / f"{stage}.pt"
    state = _start(path, out / "base.pt", stage, config or Config(vocab=tokenizer.get_vocab_size()))
    model = Llama(Config(**state["config"])).to(compute.device)
    model.load_state_dict(state["model"])
    optimiser = _optimiser(model, recipe)
    if state["optimiser"]:
        optimiser.load_state_dict(state["optimiser"])
    batches, held_out, source = _material(stage, recipe, tokenizer, folder, state["step"])
    if state["step"] and state["source"] != source:
        state["changed_at"] = state["step"]  # the text grew between two runs of this stage
    if state["step"] < recipe.steps:  # each run has a decay of its own
        state["runs"] = [*state.get("runs", [state["step"]] if state["step"] else []), recipe.steps]
    state |= {"stage": stage, "source": source, "tokenizer": tokenizer.to_str(), "seed": SEED}
    kind = "bfloat16" if compute.bfloat16 else "float32"
    steps = f"steps {state['step']} to {recipe.steps}"
    print(f"{stage}: {model.size():,} parameters, {steps}, {kind} on {compute.device}", flush=True)

    started, seen, losses = time.monotonic(), 0, []
    model.train()
    model.drop = recipe.drop
    while state["step"] < recipe.steps:
        for group in optimiser.param_groups:
            group["lr"] = rate(state["step"], peak=recipe.rate, warmup=recipe.warmup, steps=recipe.steps)
        tokens, weights = next(batches)
        with compute.precision():
            loss = model.loss(tokens.to(compute.device), weights.to(compute.device))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        state["step"] += 1
        seen += tokens.numel()
        losses.append(loss.item())
        done = state["step"] == recipe.steps
        if done or state["step"] % recipe.save == 0:
            state["held_out_loss"] = evaluate(model, held_out, compute)
            weights_now = {name: weight.cpu() for name, weight in model.state_dict().items()}
            save(path, state | {"model": weights_now, "optimiser": optimiser.state_dict()})
        if done or state["step"] % recipe.report == 0:
            _log(out / f"{stage}.log.jsonl", state, losses, seen / (time.monotonic() - started))
            losses = []
            curve.draw(out / f"{stage}.log.jsonl", out / f"{stage}.svg", f"writer, {stage}")
    return path


def _start(path: Path, base: Path, stage: str, config: Config) -> dict[str, Any]:
    """This stage's own checkpoint, or the base's weights, or fresh ones."""
    if path.exists():
        own: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        return own
    torch.manual_seed(SEED)
    fresh = {"step": 0, "optimiser": None, "held_out_loss": math.inf}
    if stage == "base":
        return fresh | {"config": config.to_dict(), "model": Llama(config).state_dict(), "base": None}
    start = torch.load(base, weights_only=True, map_location="cpu")
    origin = {"source": start["source"], "steps": start["step"], "held_out_loss": start["held_out_loss"]}
    return fresh | {"config": start["config"], "model": start["model"], "base": origin}


def _optimiser(model: Llama, recipe: Recipe) -> torch.optim.AdamW:
    matrices = [each for each in model.parameters() if each.dim() > 1]
    gains = [each for each in model.parameters() if each.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _material(
    stage: str, recipe: Recipe, tokenizer: Tokenizer, folder: Path, step: int
) -> tuple[Iterator[Batch], list[Batch], dict[str, str | int]]:
    """Endless training batches, held-out batches, and what they were made from."""
    rng = random.Random(SEED + step)
    if stage == "base":
        texts = data.read_dialogues(folder)
        source: dict[str, str | int] = {"texts": len(texts.train), "hash": data.text_hash(texts.train)}
        held_out = _windows(_stream(texts.held_out[:1500], tokenizer), recipe, random.Random(0))
        return (
            _windows(_stream(texts.train, tokenizer), recipe, rng),
            [next(held_out) for _ in range(4)],
            source,
        )
    channel: Channel = "chat" if stage == "chat" else "mail"
    corpus, spoken = load(channel), data.utterances(folder)
    kept, apart = (
        [encode(each, channel, tokenizer) for each in data.compose_many(corpus, *part, spoken, held_out=new)]
        for part, new in (((recipe.examples, SEED), False), ((recipe.held_out, SEED + 1), True))
    )
    source = {"texts": len(kept), "hash": data.corpus_hash(channel, HERE)}
    return batches(kept, recipe, rng), list(_one_pass(apart, recipe, random.Random(0))), source


def _stream(pairs: list[Exchange], tokenizer: Tokenizer) -> list[int]:
    texts = [f"{CUSTOMER}{said}{REPLY}{answer}{END}" for said, answer in pairs]
    return [token for encoding in tokenizer.encode_batch(texts) for token in encoding.ids]


def _windows(stream: list[int], recipe: Recipe, rng: random.Random) -> Iterator[Batch]:
    """Random windows of the stream; every token is a target."""
    whole = torch.tensor(stream)
    count = max(1, recipe.tokens // WINDOW)
    while True:
        starts = [rng.randrange(len(stream) - WINDOW) for _ in range(count)]
        tokens = torch.stack([whole[start : start + WINDOW] for start in starts])
        yield tokens, torch.ones_like(tokens)


def encode(composed: Composed, channel: Channel, tokenizer: Tokenizer) -> Example:
    """Prompt and reply as ids; only the reply is a target."""
    request = composed.request
    head = prompt(
        channel,
        request.situation,
        request.mood,
        request.told,
        request.available,
        verified=request.verified,
    )
    ids: list[int] = tokenizer.encode("".join(head) + readable(composed.customer) + REPLY).ids
    reply = tokenizer.encode(target(composed.text, composed.subject, composed.preheader)).ids
    return ids + reply, [0] * len(ids) + [1] * len(reply)


def batches(examples: list[Example], recipe: Recipe, rng: random.Random) -> Iterator[Batch]:
    while True:
        yield from _one_pass(examples, recipe, rng)


def _one_pass(examples: list[Example], recipe: Recipe, rng: random.Random) -> Iterator[Batch]:
    """Every example once, texts of like length together so that little is padding. Lengths are
    rounded up, so that few shapes occur and none of them is prepared more than once."""
    order = sorted(examples, key=lambda example: len(example[0]) + rng.random() * ROUND)
    groups: list[list[Example]] = []
    while order:
        count = max(1, recipe.tokens // _rounded(order[-1]))
        groups.append(order[-count:])
        del order[-count:]
    rng.shuffle(groups)
    for group in groups:
        longest = max(_rounded(example) for example in group)
        tokens = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in group])
        weights = torch.tensor([each + [0] * (longest - len(each)) for _, each in group])
        yield tokens, weights


def _rounded(example: Example) -> int:
    return -(-len(example[0]) // ROUND) * ROUND


@torch.no_grad()
def evaluate(model: Llama, held_out: list[Batch], compute: Compute) -> float:
    """Mean loss over held-out batches, in nats for each target token."""
    model.eval()
    with compute.precision():
        losses = [model.loss(*(part.to(compute.device) for part in batch)).item() for batch in held_out]
    model.train()
    return sum(losses) / len(losses)


def _log(path: Path, state: dict[str, Any], losses: list[float], speed: float) -> None:
    line = {
        "step": state["step"],
        "loss": round(sum(losses) / len(losses), 4),
        "validation": round(state["held_out_loss"], 4) if state["held_out_loss"] < math.inf else None,
        "tokens_per_s": round(speed),
    }
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    print(state["stage"], line, flush=True)


if __name__ == "__main__":
    main()

"""Tune a Llama on a shop's own approved replies, and write it as a GGUF file for LLM_MODEL.

    python -m ml.writer.finetune MODEL_FOLDER PAIRS.jsonl

MODEL_FOLDER is a Hugging Face folder on this machine with an instruction-tuned Llama; `manage.py
export_replies` writes PAIRS.jsonl. Started again, a run that was stopped goes on. docs/fine-tuning.md
has the whole of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ml.writer.errors import BackendError
from ml.writer.gguf_file import FILE_TYPES, ExportError
from ml.writer.grounding import check
from ml.writer.hf_export import HubFolder, export_folder
from ml.writer.local import LocalModel
from ml.writer.lora import MODULES, Settings, Tuned, TuningError, merged, split, tune
from ml.writer.pairs import Pair, PairsError, read_pairs

_TRIED = 40  # prompts the finished file answers for its card


@dataclass(frozen=True, slots=True)
class Trial:
    """Answers of the finished file to prompts that it was not tuned on, held to the checker."""

    asked: int
    passed: int
    faults: dict[str, int]


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    out = options.out or Path("var/finetune") / options.model.resolve().name
    try:
        pairs = read_pairs(options.pairs)
        path = finetune(
            options.model,
            pairs,
            out,
            _settings(options),
            device=_device(options.device),
            file_type=options.file_type,
            threads=options.threads,
        )
    except (OSError, ExportError, PairsError, TuningError) as error:
        raise SystemExit(f"Tuning stopped: {error}") from error
    print(f"Set LLM_MODEL={path.resolve()} and start the workers again.", flush=True)


def finetune(
    model: Path,
    pairs: Sequence[Pair],
    out: Path,
    settings: Settings,
    *,
    device: str,
    file_type: str,
    threads: int,
) -> Path:
    """Tune, export, try, and write the card; the GGUF file. Raises ExportError and TuningError."""
    torch.set_num_threads(threads)
    folder = HubFolder(model)
    tuned = tune(folder, pairs, out, settings, device=device)
    version = f"{model.resolve().name}-tuned-{hashlib.sha256(tuned.best.read_bytes()).hexdigest()[:8]}"
    path = out / f"{version}-{file_type}.gguf"
    facts = {
        "base": model.resolve().name,
        "settings": asdict(settings),
        "pairs": {
            "count": len(pairs),
            "hash": _hash(pairs),
            "sources": dict(Counter(p.source for p in pairs)),
        },
        "training": {**asdict(tuned), "best": tuned.best.name},
    }
    print(f"writing {path}", flush=True)
    export_folder(
        folder,
        merged(folder, tuned.best, settings),
        path,
        file_type=file_type,
        version=version,
        facts={f"tuning.{name}": value for name, value in facts.items()},
        texts=[folder.conversation(pair.messages, ask=False) for pair in pairs[:500]],
    )
    _, held_out = split(pairs, settings.validation)
    trial = try_out(path, held_out[:_TRIED], threads)
    path.with_suffix(".md").write_text(card(version, file_type, pairs, settings, tuned, trial), "utf-8")
    print(f"{trial.passed} of {trial.asked} answers passed the checker at the first try", flush=True)
    return path


def try_out(path: Path, pairs: Sequence[Pair], threads: int) -> Trial:
    """Let the file answer as it will in the product."""
    source = LocalModel(path, threads=threads)
    passed, faults = 0, Counter[str]()
    for seed, pair in enumerate(pairs):
        try:
            words = source.draft(pair.facts, seed)
        except BackendError as error:
            faults[str(error)] += 1
            continue
        found = check(words.text, pair.facts, subject=words.subject, preheader=words.preheader)
        passed += not found
        faults.update({fault.partition(":")[0] for fault in found})
    return Trial(len(pairs), passed, dict(faults.most_common(8)))


def card(
    version: str, file_type: str, pairs: Sequence[Pair], settings: Settings, tuned: Tuned, trial: Trial
) -> str:
    changed = sum(bool(pair.changed) for pair in pairs)
    sources = ", ".join(f"{n} from {name}" for name, n in Counter(pair.source for pair in pairs).items())
    faults = "\n".join(f"| {name} | {count} |" for name, count in trial.faults.items())
    return _CARD.format(
        version=version,
        file_type=file_type,
        base=version.rpartition("-tuned-")[0],
        sources=sources,
        changed=changed,
        hash=_hash(pairs),
        settings="\n".join(f"| {name} | {value} |" for name, value in asdict(settings).items()),
        tuned=tuned,
        trial=trial,
        faults=f"\n| refused for | answers |\n|---|---|\n{faults}\n" if faults else "",
    )


_CARD = """# {version}

`{base}`, tuned with low-rank updates on this shop's own replies, merged and written as {file_type}. It is
the base's licence that says what may be done with it.

## Data
{tuned.trained} pairs to learn from and {tuned.held_out} to validate on ({sources}); {tuned.too_long} were
too long. A person changed the words of {changed}; the others were approved as they were. Hash of the
pairs: `{hash}`. They were masked and stripped of their facts when they were exported.

## Scores
| | |
|---|---|
| validation loss before, nats a token | {tuned.loss_before:.3f} |
| validation loss after (step {tuned.best_step} of {tuned.steps}) | {tuned.loss_after:.3f} |
| answers to prompts of the validation part | {trial.asked} |
| of them past the checker at the first try | {trial.passed} |
{faults}
## Settings
| | |
|---|---|
{settings}

## Limits
It is held to the same checker as every model: what it states without a fact is refused and written again,
or replaced by a template. Validation pairs come from the same desk as those it learned from.
"""


def _hash(pairs: Sequence[Pair]) -> str:
    return hashlib.sha256(json.dumps([pair.messages for pair in pairs]).encode()).hexdigest()[:12]


def _device(wanted: str) -> str:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "--device cuda: PyTorch sees no CUDA device here (the pinned build is for CPUs only)"
        )
    return wanted


def _settings(options: argparse.Namespace) -> Settings:
    names = ("rank", "alpha", "dropout", "epochs", "rate", "batch", "tokens", "longest", "validation", "save")
    given = {name: getattr(options, name) for name in names}
    return Settings(targets=tuple(options.targets.split(",")), seed=options.seed, **given)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m ml.writer.finetune", description=__doc__)
    parser.add_argument("model", type=Path, help="folder with config.json, *.safetensors, tokenizer.json")
    parser.add_argument("pairs", type=Path, help="JSON lines from `manage.py export_replies`")
    parser.add_argument("--out", type=Path, help="checkpoints, log, curve, model; default var/finetune/MODEL")
    parser.add_argument(
        "--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--file-type", choices=list(FILE_TYPES), default="Q8_0", help="of the GGUF file")
    parser.add_argument("--rank", type=int, default=usual.rank, help="of the updates")
    parser.add_argument("--alpha", type=int, default=usual.alpha, help="updates count alpha / rank times")
    parser.add_argument("--dropout", type=float, default=usual.dropout)
    parser.add_argument("--targets", default=",".join(MODULES), help="matrices that are tuned")
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--rate", type=float, default=usual.rate, help="peak learning rate")
    parser.add_argument("--batch", type=int, default=usual.batch, help="pairs a step")
    parser.add_argument("--tokens", type=int, default=usual.tokens, help="at most so many at once")
    parser.add_argument("--longest", type=int, default=usual.longest, help="tokens of a pair")
    parser.add_argument("--validation", type=float, default=usual.validation, help="share of the pairs")
    parser.add_argument("--save", type=int, default=usual.save, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=usual.seed)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

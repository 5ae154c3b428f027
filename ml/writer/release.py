"""Export both models, score them as they will run, and write their cards.

The scores need the quantised files, so each file is written twice: bare to be scored, then with its
scores inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ml.types import Channel, Draft
from ml.writer.data import HELD_OUT_FILES, TRAIN_FILES
from ml.writer.evaluate import evaluate
from ml.writer.export import LICENCE, export
from ml.writer.model import Config, Llama
from ml.writer.writer import Writer

_COUNTS: dict[Channel, int] = {"chat": 530, "mail": 165}
_SHOWN = 6


def release(checkpoints: Path, artifacts: Path) -> None:
    """From `chat.pt` and `mail.pt` to `writer-*.gguf` and `writer-*.md`."""
    paths = {channel: artifacts / f"writer-{channel}.gguf" for channel in _COUNTS}
    for channel, path in paths.items():
        export(checkpoints / f"{channel}.pt", path)
    writer = Writer.load(paths["chat"], paths["mail"])
    for channel, path in paths.items():
        scores, drafts = evaluate(writer, channel, _COUNTS[channel], seed=2024)
        version = export(checkpoints / f"{channel}.pt", path, asdict(scores))
        state = torch.load(checkpoints / f"{channel}.pt", weights_only=True)
        path.with_suffix(".md").write_text(card(version, channel, state, asdict(scores), drafts), "utf-8")
        print(f"{version}: {asdict(scores)}", flush=True)


def card(
    version: str, channel: Channel, state: dict[str, Any], scores: dict[str, float], drafts: Sequence[Draft]
) -> str:
    """The model's card as markdown; every figure comes from the checkpoint or the scores."""
    base, source, config = state["base"], state["source"], state["config"]
    samples = "\n\n".join("> " + each.text.replace("\n", "\n> ") for each in drafts[:: len(drafts) // _SHOWN])
    return _CARD.format(
        version=version,
        channel=channel,
        what=_WHAT[channel],
        size=Llama(Config(**config)).size(),
        config=config,
        base=base,
        source=source,
        steps=state["step"],
        loss=state["held_out_loss"],
        changed=_CHANGED.format(state["changed_at"]) if state.get("changed_at") else "",
        train_files=", ".join(f"`{name.removesuffix('.jsonl.gz')}`" for name in TRAIN_FILES),
        held_out_file=HELD_OUT_FILES[0].removesuffix(".jsonl.gz"),
        licence=LICENCE,
        rows="\n".join(f"| {_MEANINGS[name]} | {value} |" for name, value in scores.items()),
        samples=samples,
    )


_CARD = """# {version}

A Llama of {size:,} parameters ({config[layers]} layers of width {config[width]}, a vocabulary of
{config[vocab]}, a context of {config[context]} tokens), trained from scratch on a CPU and quantised to
Q8_0. It phrases {what} out of typed facts. It writes with open slots
(`{{likely_day}}`), each a single token; the product fills them from committed rows.

Made by `python -m ml.writer.train all --data DIR`. The configuration, the hashes of the training text
and the scores below are inside the GGUF file under `doorstep.*`.

## What it reads
Control tokens only: channel, situation, the customer's mood, whether this was told before in the
conversation, and the slots that the facts hold. It does not read the customer's words, so a message
cannot steer it; nor can it answer in the customer's own words.

## Data and licences
| stage | text | licence |
|---|---|---|
| base, {base[steps]} steps | {base[source][texts]:,} system turns: Schema-Guided Dialogue | CC BY-SA 4.0 |
| | and Taskmaster 3 and 4 | CC BY 4.0 |
| {channel}, {steps} steps | {source[texts]:,} texts composed from our own sentences | own work |

Turns that state a number, a day, a price, a link or a proper name are left out of the base. Files:
{train_files}.
Hash of the base text `{base[source][hash]}`, of the hand-written files `{source[hash]}`. The weights are
under {licence}, as Schema-Guided Dialogue asks of what is built from it.{changed}

## Split
The base is held out on `{held_out_file}` (loss {base[held_out_loss]:.3f} nats a token). The {channel} stage
is held out on composed texts that were not trained on (loss {loss:.3f}): other combinations of the same
sentences, so this says how well the composition was learned, not how well the model would do on
sentences it has never met.

## Scores
Of the quantised file as it runs in the product, on made-up facts over all situations, moods and subsets
of slots. The first row of facts is recounted from the finished text, by other means than the checker's.
Times are from a shared two-core machine.

| | |
|---|---|
{rows}

## Limits
English only. It knows the situations of `ml.writer.situations` and nothing else; a new one needs
sentences and training. It recombines the hand-written sentences more than it invents: a sentence with a
word pair that its situation's own sentences do not hold is taken back and written again. What it writes
is not shown before `ml.writer.grounding.check` has passed it; a refused text is tried again with other
seeds and then replaced by a template.

## As it writes
{samples}
"""
_CHANGED = " The first {} steps of this\nstage saw earlier states of our sentences."
_WHAT: dict[Channel, str] = {"chat": "chat replies of one to three sentences", "mail": "follow-up emails"}
_MEANINGS = {
    "scenarios": "texts",
    "unsupported_facts": "texts that state something no fact supplied",
    "required_facts_recall": "required facts told",
    "first_try": "passed the checker at the first try, sentences taken back included",
    "template_rate": "replaced by a template",
    "distinct3": "different word triples among all",
    "tokens_per_s": "tokens a second, one text at a time",
    "total_p50": "milliseconds for a whole text, median",
    "total_p95": "milliseconds for a whole text, 95th percentile",
}

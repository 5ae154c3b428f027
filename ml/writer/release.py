"""Export both models, score them as they will run, and write their cards.

The scores need the quantised files, so each file is written twice: bare to be scored, then with its
scores inside.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ml.types import Channel, Draft
from ml.writer.corpus import load
from ml.writer.corpus.customer import Utterances
from ml.writer.data import HELD_OUT_FILES, NOBODY, TRAIN_FILES, compose_many, utterances
from ml.writer.embedded import EmbeddedModel
from ml.writer.evaluate import evaluate, perplexity
from ml.writer.export import LICENCE, export
from ml.writer.model import Config, Llama
from ml.writer.sources import Embedded
from ml.writer.writer import Writer

_COUNTS: dict[Channel, int] = {"chat": 530, "mail": 165}
_KINDS: dict[Channel, int] = {"chat": 162, "mail": 44}
_SHOWN = 6


def release(checkpoints: Path, artifacts: Path, data: Path | None = None) -> None:
    """From `chat.pt` and `mail.pt` to `writer-*.gguf` and `writer-*.md`. With `data` the customers of the
    scores speak as the public ones do."""
    spoken = utterances(data) if data else NOBODY
    paths = {channel: artifacts / f"writer-{channel}.gguf" for channel in _COUNTS}
    for channel, path in paths.items():
        export(checkpoints / f"{channel}.pt", path)
    embedded = Embedded.load(paths["chat"], paths["mail"])
    for channel, path in paths.items():
        checkpoint = checkpoints / f"{channel}.pt"
        scores, drafts = evaluate(Writer([embedded]), channel, _COUNTS[channel], 2024, spoken)
        kinds = {kind: _kind(checkpoint, channel, kind, spoken) for kind in ("Q8_0", "Q4_K_M")}
        version = export(checkpoint, path, asdict(scores))
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        text = card(version, channel, state, asdict(scores), kinds, drafts)
        path.with_suffix(".md").write_text(text, "utf-8")
        print(f"{version}: {asdict(scores)}", flush=True)


def _kind(checkpoint: Path, channel: Channel, kind: str, spoken: Utterances) -> tuple[float, ...]:
    """(megabytes, perplexity, share of first drafts that pass, tokens a second) when quantised so."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        export(checkpoint, path, file_type=kind)
        model = EmbeddedModel(path)
        texts = compose_many(load(channel), _KINDS[channel], 2024, spoken, held_out=True)
        lost = perplexity(model, texts)
        scores, _ = evaluate(Writer([Embedded(model)]), channel, _KINDS[channel], 2025, spoken)
        model.close()
        return path.stat().st_size / 1e6, lost, scores.first_try, scores.tokens_per_s


def card(
    version: str,
    channel: Channel,
    state: dict[str, Any],
    scores: dict[str, float],
    kinds: Mapping[str, Sequence[float]],
    drafts: Sequence[Draft],
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
        kinds="\n".join(
            f"| {kind} | {size:.1f} | {lost:.3f} | {passed:.1%} | {speed:.0f} |"
            for kind, (size, lost, passed, speed) in kinds.items()
        ),
        runs=_RUNS.format(", ".join(map(str, state["runs"]))) if len(state.get("runs", [])) > 1 else "",
        rows="\n".join(f"| {_MEANINGS[name]} | {value} |" for name, value in scores.items()),
        samples=samples,
    )


_CARD = """# {version}

A Llama of {size:,} parameters ({config[layers]} layers of width {config[width]}, a vocabulary of
{config[vocab]}, a context of {config[context]} tokens), trained from scratch on a CPU and quantised to
Q8_0. It phrases {what} out of typed facts. It writes with open slots
(`{{likely_day}}`), each a single token; the product fills them from committed rows.

| quantised as | MB | perplexity | passed at the first try | tokens a second, one at a time |
|---|---|---|---|---|
{kinds}

Made by `python -m ml.writer.train all --data DIR`. The configuration, the hashes of the training text
and the scores below are inside the GGUF file under `doorstep.*`.

## What it reads
Control tokens (channel, situation, the customer's mood, told before or not, known or a guest), the slots
that the facts hold, and the customer's own words without digits, addresses and marks. They let a reply
take up what somebody mentioned, a present or a third time of asking; they cannot become a fact, a control
or a slot.

## Data and licences
| stage | text | licence |
|---|---|---|
| base, {base[steps]} steps | {base[source][texts]:,} system turns: Schema-Guided Dialogue | CC BY-SA 4.0 |
| | and Taskmaster 3 and 4 | CC BY 4.0 |
| {channel}, {steps} steps | {source[texts]:,} texts composed from our own sentences | own work |
| | as the customer's side: our own openers | own work |
| | and Bitext's customer-service utterances, editions 2020 and 2022 | CDLA-Sharing-1.0 |

Turns that state a number, a day, a price, a link or a proper name are left out of the base. Files:
{train_files}.
Hash of the base text `{base[source][hash]}`, of the hand-written files `{source[hash]}`. The weights are
under {licence}, as Schema-Guided Dialogue asks of what is built from it.{changed}{runs}

## Split
The base is held out on `{held_out_file}` (loss {base[held_out_loss]:.3f} nats a token). For the {channel}
stage a tenth of the scenarios (situation, mood, slots, told before, known or not, what is mentioned) and a
tenth of the customers' phrasings are put aside by hash and never composed for training (loss {loss:.3f} on
them). The sentences of the texts are the same hand-written ones, so this says how well choosing and joining
was learned, not how well the model would do on sentences it has never met.

## Scores
Of the quantised file as it runs in the product, on made-up facts over held-out scenarios. Facts are
recounted from the finished text, by other means than the checker's. Times are from a shared machine.

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
_RUNS = " The stage was trained in\nruns up to step {}, each with a decay of its own."
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

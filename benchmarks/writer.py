"""How well the shipped writer keeps to facts, how varied it writes, how fast it is, and what a storm or a
hostile customer does to it.

Scenarios and customers' messages are held out: training saw none of them. Facts are recounted from the
finished texts by other means than the checker's. With `--data` the customers' side draws on public utterances
and the hostile one on public jailbreaks; without it on our own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from benchmarks.engine import soak, speed
from benchmarks.hostile import hostile
from ml.types import Channel, Draft, Facts, Timing
from ml.writer import data as public
from ml.writer.corpus import load
from ml.writer.corpus.compose import Request, compose
from ml.writer.corpus.customer import Utterances
from ml.writer.data import NOBODY, compose_many
from ml.writer.embedded import EmbeddedModel
from ml.writer.evaluate import Scores, perplexity, score
from ml.writer.examples import facts_for, sample_facts
from ml.writer.grounding import check, fill, required
from ml.writer.recount import unsupported
from ml.writer.situations import SITUATIONS
from ml.writer.sources import Embedded, request_of
from ml.writer.tokens import split_target
from ml.writer.variety import distinct, repeats, self_bleu
from ml.writer.writer import Writer

ARTIFACTS = Path(__file__).resolve().parent.parent / "ml" / "artifacts"
_COUNTS: dict[Channel, int] = {"chat": 1600, "mail": 500}
_ABLATED: dict[Channel, int] = {"chat": 400, "mail": 100}
_HELD_OUT: dict[Channel, int] = {"chat": 300, "mail": 60}
_HOSTILE = 2000
_SAME, _SAME_SITUATION = 500, "order_in_transit"
_SEED, _THREADS = 77, 8


def run(data: Path | None) -> dict[str, object]:
    """Shares are from 0 to 1, times in milliseconds. `perplexity` is that of the chat model."""
    spoken = public.utterances(data) if data else NOBODY
    started = perf_counter()
    embedded = Embedded.load(ARTIFACTS / "writer-chat.gguf", ARTIFACTS / "writer-mail.gguf")
    writer = Writer([embedded])
    result: dict[str, Any] = {"model": writer.version, "load_s": round(perf_counter() - started, 2)}
    channels = {channel: _channel(writer, channel, spoken) for channel in _COUNTS}
    result |= _summed({channel: found[0] for channel, found in channels.items()})
    result |= {channel: found[1] for channel, found in channels.items()}
    result["unmasked"] = {c: _ablation(embedded.models[c], _ABLATED[c], spoken) for c in _ABLATED}
    result |= _variety(writer)
    losses = {channel: _perplexity(embedded.models[channel], spoken) for channel in _HELD_OUT}
    result |= {"perplexity": losses["chat"], "perplexity_mail": losses["mail"]}
    result["hostile"] = hostile(writer, _HOSTILE, data)
    result |= speed(embedded.models["chat"])
    result["soak"] = soak(embedded.models["chat"])
    result["counts"] = dict(writer.counts)
    return result


def _channel(writer: Writer, channel: Channel, spoken: Utterances) -> tuple[Scores, dict[str, Any]]:
    """Many at once, as workers do; then a few alone for the time a whole text takes."""
    facts = list(sample_facts(channel, _COUNTS[channel], _SEED, spoken))
    drafts = write_all(writer, facts)
    alone = [writer.write(each, seed=at).timing.total for at, each in enumerate(facts[:150])]
    scores = score(facts, drafts)
    named = [(f, d) for f, d in zip(facts, drafts, strict=True) if channel == "mail" and "item" in f.slots]
    figures = {
        "scenarios": scores.scenarios,
        "unsupported_facts": scores.unsupported_facts,
        "required_facts_recall": scores.required_facts_recall,
        "first_try": scores.first_try,
        "template_rate": scores.template_rate,
        "distinct3": scores.distinct3,
        "whole_p50_ms": round(quantiles(alone, n=20)[9], 1),
        "whole_p95_ms": round(quantiles(alone, n=20)[18], 1),
    }
    if named:
        figures["item_named"] = round(
            sum("{item}" in draft.delexicalised for _, draft in named) / len(named), 3
        )
    return scores, figures


def write_all(writer: Writer, facts: Sequence[Facts]) -> list[Draft]:
    """In order, several at once, as without a seed in the product."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(writer.write, facts))


def _summed(scores: dict[Channel, Scores]) -> dict[str, Any]:
    total = sum(each.scenarios for each in scores.values())

    def mean(name: str) -> float:
        return round(float(sum(getattr(each, name) * each.scenarios for each in scores.values())) / total, 5)

    return {
        "scenarios": total,
        "unsupported_facts": sum(each.unsupported_facts for each in scores.values()),
        "required_facts_recall": mean("required_facts_recall"),
        "template_rate": mean("template_rate"),
    }


def _ablation(model: EmbeddedModel, count: int, spoken: Utterances) -> dict[str, float]:
    """First drafts without mask and without taking sentences back: what the model would say by itself."""
    facts = list(sample_facts(model.channel, count, _SEED + 1, spoken))

    def free(pair: tuple[int, Facts]) -> tuple[Facts, str, str, str]:
        seed, each = pair
        written = model.write(request_of(each), said=each.customer_text, seed=[seed], masked=False)
        return each, *split_target(written.text)

    with ThreadPoolExecutor(_THREADS) as pool:
        made = list(pool.map(free, enumerate(facts)))
    refused = [bool(check(text, each, subject=s, preheader=p)) for each, text, s, p in made]
    stated = [bool(unsupported_text("\n".join((s, p, text)), each)) for each, text, s, p in made]
    needed = [(slot, text) for each, text, *_ in made for slot in required(each)]
    return {
        "texts": count,
        "refused_by_checker": round(sum(refused) / count, 4),
        "unsupported_facts": sum(stated),
        "required_facts_recall": round(sum(f"{{{slot}}}" in text for slot, text in needed) / len(needed), 4),
    }


def unsupported_text(text: str, facts: Facts) -> list[str]:
    """What a text with open slots states beyond the facts; a slot without a value counts."""
    loose = Draft(fill(text, facts), text, "model", "", Timing(0, 0))
    return unsupported(loose, facts)


def _variety(writer: Writer) -> dict[str, Any]:
    """Replies to one and the same situation beside as many hand-written compositions of it."""
    dice = random.Random(_SEED)
    request = Request(_SAME_SITUATION, frozenset(SITUATIONS[_SAME_SITUATION].slots))
    facts = facts_for(request, "", dice)
    ours = [draft.delexicalised for draft in write_all(writer, [facts] * _SAME)]
    corpus = load("chat")
    written = [compose(corpus, request, dice) for _ in range(_SAME)]
    theirs = [each.text for each in written if each]
    return {
        "distinct3": round(distinct(ours), 4),
        "self_bleu": round(self_bleu(ours), 4),
        "verbatim_repeats": repeats(ours),
        "hand_written": {
            "distinct3": round(distinct(theirs), 4),
            "self_bleu": round(self_bleu(theirs), 4),
            "verbatim_repeats": repeats(theirs),
        },
    }


def _perplexity(model: EmbeddedModel, spoken: Utterances) -> float:
    texts = compose_many(load(model.channel), _HELD_OUT[model.channel], _SEED, spoken, held_out=True)
    return round(perplexity(model, texts), 3)

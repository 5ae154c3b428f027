"""How well a writer keeps to facts, how varied and how fast it is: the figures in its card.

Facts are recounted (`recount`) from the finished text alone, by other means than the checker's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.types import Channel, Draft, Facts
from ml.writer.examples import sample_facts
from ml.writer.grounding import required
from ml.writer.recount import unsupported
from ml.writer.rules import SLOT
from ml.writer.writer import Writer


@dataclass(frozen=True, slots=True)
class Scores:
    """`unsupported_facts` counts texts that state something no fact supplied; `first_try` and
    `template_rate` are shares of texts; `distinct3` is the share of different word triples among
    all; times are milliseconds for whole texts, one after the other."""

    scenarios: int
    unsupported_facts: int
    required_facts_recall: float
    first_try: float
    template_rate: float
    distinct3: float
    tokens_per_s: float
    total_p50: float
    total_p95: float


def evaluate(writer: Writer, channel: Channel, count: int, seed: int = 0) -> tuple[Scores, list[Draft]]:
    """Write `count` texts from example facts and score them."""
    facts = list(sample_facts(channel, count, seed))
    drafts = [writer.write(each, seed=seed + turn) for turn, each in enumerate(facts)]
    return score(facts, drafts), drafts


def score(facts: Sequence[Facts], drafts: Sequence[Draft]) -> Scores:
    pairs = list(zip(facts, drafts, strict=True))
    times = sorted(draft.timing.total for draft in drafts)
    modelled = [draft for draft in drafts if draft.source == "model" and not draft.rejected]
    seconds = sum(draft.timing.total for draft in modelled) / 1000
    needed = [(slot, draft) for each, draft in pairs for slot in required(each)]
    told = sum(slot in SLOT.findall(draft.delexicalised) for slot, draft in needed)
    return Scores(
        scenarios=len(drafts),
        unsupported_facts=sum(bool(unsupported(draft, each)) for each, draft in pairs),
        required_facts_recall=round(told / max(1, len(needed)), 4),
        first_try=round(len(modelled) / len(drafts), 4),
        template_rate=round(sum(draft.source == "template" for draft in drafts) / len(drafts), 4),
        distinct3=round(distinct(draft.delexicalised for draft in drafts), 4),
        tokens_per_s=round(sum(draft.tokens for draft in modelled) / seconds, 1) if seconds else 0.0,
        total_p50=round(times[len(times) // 2], 1),
        total_p95=round(times[int(len(times) * 0.95)], 1),
    )


def distinct(texts: Iterable[str], size: int = 3) -> float:
    """Different runs of `size` words over all such runs (Li et al. 2016)."""
    runs = [
        tuple(tokens[at : at + size])
        for tokens in (re.findall(r"[\w{}'’]+", text.lower()) for text in texts)
        for at in range(len(tokens) - size + 1)
    ]
    return len(set(runs)) / max(1, len(runs))

"""How well a writer keeps to facts, how varied and how fast it is: the figures in its card.

Facts are recounted (`recount`) from the finished text alone, by other means than the checker's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.types import Channel, Draft, Facts
from ml.writer.corpus.compose import Composed
from ml.writer.corpus.customer import Utterances
from ml.writer.data import NOBODY
from ml.writer.embedded import EmbeddedModel
from ml.writer.examples import sample_facts
from ml.writer.grounding import required
from ml.writer.llama import Context, Feed
from ml.writer.llama import Scores as Logits
from ml.writer.recount import unsupported
from ml.writer.rules import SLOT
from ml.writer.tokens import target
from ml.writer.variety import distinct
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


def evaluate(
    writer: Writer, channel: Channel, count: int, seed: int = 0, spoken: Utterances = NOBODY
) -> tuple[Scores, list[Draft]]:
    """Write `count` texts of held-out scenarios, one after the other, and score them."""
    facts = list(sample_facts(channel, count, seed, spoken))
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


def perplexity(model: EmbeddedModel, exchanges: Sequence[Composed]) -> float:
    """exp of the mean loss over the tokens of the texts, their end included, each after its prompt. No mask
    and no temperature: this measures the model, not the decoder."""
    context = Context(model.model, sequences=1, room=model.engine.room, batch=model.engine.room, threads=1)
    losses: list[float] = []
    for each in exchanges:
        prompt = model.prompt_tokens(each.request, each.customer)
        text = model.model.tokenize(target(each.text, each.subject, each.preheader), special=True)
        context.forget(0)
        scores = context.decode([Feed(0, prompt, 0, scored=True)])[0]
        for at, token in enumerate(text):
            losses.append(_loss(scores, token))
            scores = context.decode([Feed(0, [token], len(prompt) + at, scored=True)])[0]
    context.close()
    return math.exp(sum(losses) / max(1, len(losses)))


def _loss(scores: Logits, token: int) -> float:
    """Nats of one token under the scores of all."""
    best = float(scores.max())
    return best + math.log(float(np.exp(scores - best).sum())) - float(scores[token])

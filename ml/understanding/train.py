"""Trains the shipped understanding model: `python -m ml.understanding.train --data DIR --out PATH`.

Read top to bottom: rows, vectors, three heads, one file and its card. The same data gives the same
model, byte for byte on one machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.types import MOODS
from ml.understanding import data as sources
from ml.understanding.artifact import PATH, Artifact, save
from ml.understanding.augment import variants
from ml.understanding.card import write_card
from ml.understanding.encoder import NAME, Encoder, SupportsEncode
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS, find
from ml.understanding.fitting import Fitted, TrainingSet, fit_calibrated
from ml.understanding.intents import INTENTS, OUT_OF_SCOPE, SHOP_INTENTS, IntentModel, train
from ml.understanding.metrics import report
from ml.understanding.sentiment import OF_MOOD, balanced
from ml.understanding.text import prepare

SEED = 7
BITEXT_ROWS = 60  # of each intent and edition: its sentences are one template's, more only cost time
BITEXT_SHARE = 0.2  # of an intent's weight, against 1 for our own: its sentences are templates
VARIANT_WEIGHT = 0.35  # of a sentence's own weight, for each variant of it
SGD_ROWS = 8  # of each of the intents of other services
OUT_OF_SCOPE_WEIGHT = 5.0  # times a common intent's: there is more outside than inside
REVIEWS_PER_CLASS = 500
OWN_SENTIMENT_WEIGHT = 4.0  # a support message is closer to what we will read than a dress review
PLAIN_INTENTS = frozenset(  # people ask these without feeling
    {
        "delivery_options", "delivery_period", "check_payment_methods", "check_refund_policy",
        "create_account", "edit_account", "get_invoice", "inform", "place_order",
        "change_shipping_address", OUT_OF_SCOPE,
    }
)  # fmt: skip
CLARIFY_ACCURACY = 0.55  # below the confidence where this is reached, we ask back


@dataclass(frozen=True, slots=True)
class Sentence:
    """`group` is -1 for what is trained on in every fold; `scored` marks sentences people wrote."""

    text: str
    label: str
    weight: float
    group: int
    scored: bool


def build(data: Path, encoder: SupportsEncode, say: Callable[[str], None] = print) -> Artifact:
    """Everything that goes into the model file. `data` is the folder of public sets."""
    own, moods = sources.examples("intents"), sources.examples("moods")
    bitext = [row for edition in sources.BITEXT for row in _sample_bitext(data, edition)]
    clinc = sources.clinc(data, "oos_train") + sources.clinc(data, "oos_val")
    sgd = sources.other_services(data, per_intent=SGD_ROWS)
    reviews = _sample_reviews(data)
    counts = {
        "own": len(own), "bitext": len(bitext), "clinc150": len(clinc), "sgd": len(sgd),
        "reviews": len(reviews), "moods": len(moods),
    }  # fmt: skip
    say(f"rows: {counts}")

    intents = train(_vectorise(intent_sentences(own, bitext, clinc + sgd), encoder), seed=SEED)
    say(f"intents: {intents.scores}, {intents.thresholds}")
    messages = sentiment_sentences(moods, own)
    feeling = fit_calibrated(
        _vectorise(messages + _review_sentences(reviews, len(messages)), encoder), seed=SEED
    )
    say(f"sentiment: {feeling.scores}")
    mood = fit_calibrated(_vectorise(_mood_sentences(moods), encoder), seed=SEED)
    say(f"moods: {mood.scores}")

    fingerprint = sources.fingerprint([*own, *bitext, *clinc, *sgd, *reviews, *moods])
    about: dict[str, Any] = {
        "data_hash": fingerprint,
        "rows": counts,
        "config": {
            "encoder": NAME, "seed": SEED, "bitext_rows": BITEXT_ROWS, "bitext_share": BITEXT_SHARE,
            "variant_weight": VARIANT_WEIGHT, "out_of_scope_weight": OUT_OF_SCOPE_WEIGHT,
            "reviews_per_class": REVIEWS_PER_CLASS, "own_sentiment_weight": OWN_SENTIMENT_WEIGHT,
        },
        "scores": {
            "intents": intents.scores | _rejection_scores(intents, data, encoder),
            "sentiment": feeling.scores | _sentiment_scores(feeling, len(moods), len(messages)),
            "moods": mood.scores,
        },
        "per_intent": _per_intent(intents),
    }  # fmt: skip
    return Artifact(
        intents.head, feeling.head, mood.head, intents.thresholds, _clarify_level(intents.fitted), about
    )


def intent_sentences(
    own: Sequence[sources.Row], bitext: Sequence[sources.Row], strange: Sequence[sources.Row]
) -> list[Sentence]:
    """Our sentences with their variants, and Bitext weighted so that it informs but does not rule."""
    rng = random.Random(SEED)
    sentences: list[Sentence] = []
    for group, (text, label) in enumerate([*own, *strange]):
        sentences.append(Sentence(text, label, 1.0, group, True))
        if label in (OUT_OF_SCOPE, "inform"):
            continue  # there, every word may matter
        for variant in variants(text, rng=rng, told_at_length=label in SHOP_INTENTS):
            sentences.append(Sentence(variant, label, VARIANT_WEIGHT, group, False))
    share = Counter(label for _, label in bitext)
    written = _weight_of(sentences)
    for text, label in bitext:
        weight = BITEXT_SHARE * written[label] / share[label]
        sentences.append(Sentence(text, label, weight, -1, False))
    return _level_out(sentences)


def _level_out(sentences: list[Sentence]) -> list[Sentence]:
    """Intents weigh alike (by the root of what they have), out of scope several times as much."""
    weight = _weight_of(sentences)
    common = float(np.median([weight[label] for label in weight]))
    wanted = {label: common * (OUT_OF_SCOPE_WEIGHT if label == OUT_OF_SCOPE else 1.0) for label in weight}
    return [
        Sentence(s.text, s.label, s.weight * wanted[s.label] / weight[s.label], s.group, s.scored)
        for s in sentences
    ]


def _weight_of(sentences: Sequence[Sentence]) -> dict[str, float]:
    weight: dict[str, float] = defaultdict(float)
    for sentence in sentences:
        weight[sentence.label] += sentence.weight
    return weight


def _sample_bitext(data: Path, edition: str) -> list[sources.Row]:
    by_intent: dict[str, list[sources.Row]] = defaultdict(list)
    for row in sources.bitext_for_shop(data, edition):
        by_intent[row[1]].append(row)
    rng = random.Random(SEED)
    return [
        row
        for intent in sorted(by_intent)
        for row in rng.sample(by_intent[intent], min(BITEXT_ROWS, len(by_intent[intent])))
    ]


def _sample_reviews(data: Path) -> list[sources.Row]:
    rows = sources.reviews(data)
    chosen = balanced(np.array([label for _, label in rows]), per_label=REVIEWS_PER_CLASS, seed=SEED)
    return [rows[index] for index in chosen]


def sentiment_sentences(moods: Sequence[sources.Row], own: Sequence[sources.Row]) -> list[Sentence]:
    """Support messages by what their mood means, and plain requests as neutral."""
    of_mood = {str(mood): str(label) for mood, label in OF_MOOD.items()}
    felt = [(text, of_mood[mood], OWN_SENTIMENT_WEIGHT) for text, mood in moods]
    plain = [(text, "neutral", 1.0) for text, intent in own if intent in PLAIN_INTENTS]
    return [
        Sentence(text, label, weight, group, True) for group, (text, label, weight) in enumerate(felt + plain)
    ]


def _review_sentences(reviews: Sequence[sources.Row], first_group: int) -> list[Sentence]:
    return [
        Sentence(text, label, 1.0, first_group + place, True) for place, (text, label) in enumerate(reviews)
    ]


def _sentiment_scores(fitted: Fitted, own: int, messages: int) -> dict[str, float]:
    """Accuracy apart for our support messages (the first rows) and for the reviews (the last)."""
    right = np.array(fitted.head.labels)[fitted.held_out.argmax(axis=1)] == fitted.gold
    return {
        "own": round(float(right[:own].mean()), 4),
        "reviews": round(float(right[messages:].mean()), 4),
    }


def _mood_sentences(moods: Sequence[sources.Row]) -> list[Sentence]:
    if {label for _, label in moods} != set(MOODS):
        raise sources.DataError("The examples of moods do not match ml.types.MOODS.")
    return [Sentence(text, mood, 1.0, group, True) for group, (text, mood) in enumerate(moods)]


def _vectorise(sentences: Sequence[Sentence], encoder: SupportsEncode) -> TrainingSet:
    texts = [prepare(s.text, find(s.text, order_patterns=DEFAULT_ORDER_PATTERNS)) for s in sentences]
    return TrainingSet(
        vectors=encoder.encode(texts),
        labels=np.array([s.label for s in sentences], dtype=np.str_),
        weights=np.array([s.weight for s in sentences]),
        groups=np.array([s.group for s in sentences], dtype=np.int64),
        scored=np.array([s.scored for s in sentences]),
    )


def _rejection_scores(model: IntentModel, data: Path, encoder: SupportsEncode) -> dict[str, float]:
    """On CLINC150's out-of-scope test queries, which no threshold here was set on."""
    texts = [prepare(text) for text, _ in sources.clinc(data, "oos_test")]
    decided = model.decide(model.head.probabilities(encoder.encode(texts)))
    recall = sum(intent == OUT_OF_SCOPE for intent in decided) / len(decided)
    return {"clinc150_oos_test_recall": round(recall, 4)}


def _per_intent(model: IntentModel) -> dict[str, Any]:
    predicted = model.decide(model.fitted.held_out)
    confidence = model.fitted.held_out.max(axis=1).tolist()
    return report(model.fitted.gold.tolist(), predicted, confidence, out_of_scope=OUT_OF_SCOPE)


def _clarify_level(fitted: Fitted) -> float:
    """The least confidence above which in-scope answers were right often enough, in steps of 0.05."""
    labels = np.array(fitted.head.labels)
    top = labels[fitted.held_out.argmax(axis=1)]
    confidence = fitted.held_out.max(axis=1)
    ours = top != OUT_OF_SCOPE
    for level in np.arange(0.2, 0.8, 0.05):
        near = ours & (confidence >= level) & (confidence < level + 0.1)
        if near.sum() >= 5 and (top[near] == fitted.gold[near]).mean() >= CLARIFY_ACCURACY:
            return round(float(level), 2)
    return 0.8


def train_shipped(data: Path, out: Path, *, say: Callable[[str], None] = print) -> None:
    """Train, check that every intent of the design is there, write the file and its card."""
    begun = time.perf_counter()
    artifact = build(data, Encoder(), say)
    if set(artifact.intents.labels) != set(INTENTS):
        raise sources.DataError("The examples do not cover exactly the intents of the design.")
    save(artifact, out)
    write_card(artifact, out.with_suffix(".md"))
    say(f"{out} written in {time.perf_counter() - begun:.0f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the understanding model.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--out", type=Path, default=PATH, help="model file; its card is written beside it")
    options = parser.parse_args(arguments)
    try:
        train_shipped(options.data, options.out)
    except (OSError, sources.DataError) as error:
        print(f"Training stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

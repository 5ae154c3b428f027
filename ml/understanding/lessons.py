"""What the shipped model learns from: rows of the public sets and our own."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.types import MOODS
from ml.understanding import data as sources
from ml.understanding.augment import variants
from ml.understanding.compose import EXAMPLES, Composed, compose
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS, find
from ml.understanding.head import Labels
from ml.understanding.intents import OUT_OF_SCOPE, SHOP_INTENTS
from ml.understanding.sentiment import OF_MOOD, SENTIMENTS
from ml.understanding.spelling import Speller, lexicon
from ml.understanding.text import prepare

SEED = 7
HELD = 6  # one of so many of our own sentences, with its variants, is kept from the encoder
BITEXT_ROWS = 25  # of each intent and edition: its sentences are one template's, more only cost time
BITEXT_SHARE = 0.2  # of an intent's weight, against 1 for our own: its sentences are templates
COMPOSED = 7  # sentences of each frame
COMPOSED_WEIGHT = 0.3  # of each of them, against 1 for a sentence written by itself
VARIANTS = 1
VARIANT_WEIGHT = 0.5  # of a sentence's own weight, for each variant of it
SGD_ROWS = 12  # of each of the intents of other services
OUT_OF_SCOPE_WEIGHT = 5.0  # times a common intent's: there is more outside than inside
JAILBREAK_SHARE = 4  # one in so many jailbreaks is out of scope too; all are for the flag
REVIEWS = 400  # of each class
CALM_WORDS = 3  # of a plain request; what is shorter may be curt
STORY_WORDS = 12  # what is longer is a story, and who tells one may feel anything
CALM_COMPOSED = 6  # one in so many plain sentences of our frames
CALM_SHARE = 1.0  # of the weight of all moods, for plain requests
PLAIN_TURNS = 500  # customers of other shops who feel nothing in particular
OWN_SENTIMENT_WEIGHT = 4.0  # a support message is closer to what we will read than a dress review
TWEETS = 300  # of each class
ORDINARY = 1_600  # messages of others that no flag may be raised for, in training, and as many of ours
COMPOSED_ORDINARY = 8  # one in so many of those from our frames is among them
FELT_COMPOSED = 3  # one in so many sentences of the intents' frames is read for its feeling
FELT_WEIGHT = 1.0
PLAIN_INTENTS = frozenset(  # people ask these without feeling
    {
        "delivery_options", "delivery_period", "check_payment_methods", "check_refund_policy",
        "create_account", "edit_account", "get_invoice", "inform", "place_order",
        "change_shipping_address", "email_timeline", OUT_OF_SCOPE,
    }
)  # fmt: skip
FELT_INTENTS = {  # who reports that something went wrong is not pleased, however calmly it is said
    "thanks": "positive",
    "complaint": "negative",
    "payment_issue": "negative",
    "registration_problems": "negative",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """`group` is -1 for what is trained on in every fold; `scored` marks sentences people wrote."""

    text: str
    label: str
    weight: float
    group: int
    scored: bool


@dataclass(frozen=True, slots=True)
class Lesson:
    """One task's sentences, and which of them are held out of the encoder's training (n,)."""

    name: str
    sentences: list[Sentence]
    held: NDArray[np.bool_]
    origins: tuple[str, ...] = ()  # of a flag's sentences, in parallel: the set they come from

    @classmethod
    def of(cls, name: str, sentences: list[Sentence], origins: tuple[str, ...] = ()) -> Lesson:
        held = [s.group >= 0 and s.group % HELD == 0 for s in sentences]
        return cls(name, sentences, np.array(held), origins)

    @property
    def labels(self) -> Labels:
        return np.array([s.label for s in self.sentences], dtype=np.str_)

    @property
    def weights(self) -> NDArray[np.float64]:
        return np.array([s.weight for s in self.sentences])

    @property
    def scored(self) -> NDArray[np.bool_]:
        return np.array([s.scored for s in self.sentences]) & self.held

    def weighing(self, label: str, factor: float) -> Lesson:
        """The same with so many times the weight on one label."""
        weighed = [replace(s, weight=s.weight * factor) if s.label == label else s for s in self.sentences]
        return replace(self, sentences=weighed)

    def texts(self, speller: Speller) -> list[str]:
        """As the encoder reads them."""
        found = [find(s.text, order_patterns=DEFAULT_ORDER_PATTERNS) for s in self.sentences]
        return [
            speller.correct(prepare(s.text, mentioned))
            for s, mentioned in zip(self.sentences, found, strict=True)
        ]


def lessons_of(data: Path) -> tuple[list[Lesson], dict[str, int], str]:
    own, moods, flags = (sources.examples(kind) for kind in ("intents", "moods", "flags"))
    composed = compose("frames", each=COMPOSED, seed=SEED, framed=frozenset(SHOP_INTENTS))
    felt = compose("felt", each=COMPOSED, seed=SEED, framed=frozenset())
    bitext = [row for edition in sources.BITEXT for row in _sample_bitext(data, edition)]
    clinc = sources.clinc(data, "oos_train") + sources.clinc(data, "oos_val")
    sgd = sources.other_services(data, per_intent=SGD_ROWS)
    rng = random.Random(SEED)
    turns = rng.sample(sources.customer_turns(data), PLAIN_TURNS)
    reviews, tweets = _per_class(sources.reviews(data), REVIEWS), _per_class(sources.tweets(data), TWEETS)
    jailbreaks = sources.jailbreaks(data, held_back=False)
    if {label for _, label in moods} != set(MOODS):
        raise sources.DataError("The examples of moods do not match ml.types.MOODS.")
    counts = {
        "own": len(own), "composed": len(composed) + len(felt), "bitext": len(bitext), "clinc150": len(clinc),
        "sgd": len(sgd),
        "reviews": len(reviews), "moods": len(moods), "flags": len(flags), "taskmaster": len(turns),
        "davidson": len(tweets), "jailbreaks": len(jailbreaks),
    }  # fmt: skip
    others = {"taskmaster": turns, "bitext": _all(bitext), "sgd": _all(sgd), "clinc150": _all(clinc)}
    plain = [(text, origin) for origin, texts in others.items() for text in texts]
    ours = [text for text, label in own if label != "complaint"]
    ours += [row.text for row in composed[::COMPOSED_ORDINARY] if row.label != "complaint"]
    ordinary = rng.sample(plain, ORDINARY)
    ordinary += [(text, "own") for text in rng.sample(ours, ORDINARY) + _texts(flags, "plain")]
    steering = [(text, OUT_OF_SCOPE) for text in _texts(flags, "injection") + jailbreaks[::JAILBREAK_SHARE]]
    calm_tweets = [(text, "davidson") for text in _texts(tweets, "plain")]
    near_leaving = [
        (text, "own") for label in ("complaint", "goodbye", "delete_account") for text in _texts(own, label)
    ]
    lessons = [
        Lesson.of("intents", intent_sentences(own, composed, bitext, clinc + sgd + steering)),
        Lesson.of(
            "sentiment", sentiment_sentences(moods, own, [*felt, *composed[::FELT_COMPOSED]], reviews, turns)
        ),
        Lesson.of("moods", mood_sentences(moods, own, composed)),
        _alarm("toxicity", "davidson", _texts(tweets, "toxic"), calm_tweets + ordinary),
        _alarm("injection", "own", _texts(flags, "injection") + jailbreaks, ordinary + calm_tweets[:300]),
        _alarm(
            "leaving",
            "own",
            _texts(flags, "leaving"),
            ordinary + [(text, "own") for text, _ in moods] + near_leaving,
        ),
    ]
    everything = [*own, *moods, *flags, *bitext, *clinc, *sgd, *reviews, *tweets]
    everything += [(row.text, row.label) for row in [*composed, *felt]]
    everything += [(text, "") for text in [*turns, *jailbreaks]]
    return lessons, counts, sources.fingerprint(everything)


def speller(english: Iterable[str]) -> Speller:
    """It knows the words of our own sentences, frames and slots."""
    lines = [
        line
        for kind in ("intents", "frames", "slots")
        for path in sorted((EXAMPLES / kind).glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    known = [word for word in english if word.isalpha()]
    return Speller(lexicon(lines, known), known)


def _texts(rows: Sequence[sources.Row], label: str) -> list[str]:
    return [text for text, found in rows if found == label]


def _all(rows: Sequence[sources.Row]) -> list[str]:
    return [text for text, _ in rows]


def _alarm(name: str, origin: str, raised: Sequence[str], plain: Sequence[tuple[str, str]]) -> Lesson:
    """Both sides weigh alike. `origin` is where those that raise it come from, `plain` are texts and where
    each comes from."""
    rows = [(text, name, 1.0) for text in raised]
    rows += [(text, "plain", len(raised) / len(plain)) for text, _ in plain]
    origins = (*(origin for _ in raised), *(source for _, source in plain))
    return Lesson.of(name, [Sentence(*row, group, True) for group, row in enumerate(rows)], origins)


def _per_class(rows: Sequence[sources.Row], count: int) -> list[sources.Row]:
    rng = random.Random(SEED)
    labels = sorted({label for _, label in rows})
    return [(text, label) for label in labels for text in rng.sample(_texts(rows, label), count)]


def sentiment_sentences(
    moods: Sequence[sources.Row],
    own: Sequence[sources.Row],
    composed: Sequence[Composed],
    reviews: Sequence[sources.Row],
    turns: Sequence[str],
) -> list[Sentence]:
    """Support messages by what their mood means, plain requests as neutral, and reviews. `composed` are of
    the frames for feelings and of those for intents."""
    of_mood = {str(mood): str(label) for mood, label in OF_MOOD.items()}
    felt = [(text, of_mood[mood], OWN_SENTIMENT_WEIGHT, text) for text, mood in moods]
    felt += [(text, FELT_INTENTS[intent], 2.0, text) for text, intent in own if intent in FELT_INTENTS]
    felt += [
        (text, "neutral", 1.0, text)
        for text, intent in own
        if intent in PLAIN_INTENTS and len(text.split()) <= STORY_WORDS
    ]
    for row in composed:
        label = FELT_INTENTS.get(row.label, "neutral" if row.label in PLAIN_INTENTS else row.label)
        if label in SENTIMENTS:
            felt.append((row.text, label, FELT_WEIGHT, row.frame))
    felt += [(text, "neutral", 1.0, text) for text in turns]
    felt += [(text, label, 1.0, text) for text, label in reviews]
    return _level_out(_together(felt), boost={})


def _together(rows: Sequence[tuple[str, str, float, str]]) -> list[Sentence]:
    """(text, label, weight, what it comes from): what comes from one frame is held out together."""
    groups = {source: group for group, source in enumerate(dict.fromkeys(row[3] for row in rows))}
    return [Sentence(text, label, weight, groups[source], True) for text, label, weight, source in rows]


def mood_sentences(
    moods: Sequence[sources.Row], own: Sequence[sources.Row], composed: Sequence[Composed]
) -> list[Sentence]:
    """Support messages by mood, and plain requests as neutral: most of what is written has no mood."""
    plain = [
        (text, text)
        for text, intent in own
        if intent in PLAIN_INTENTS and CALM_WORDS <= len(text.split()) <= STORY_WORDS
    ]
    plain += [(row.text, row.frame) for row in composed[::CALM_COMPOSED] if row.label in PLAIN_INTENTS]
    rows = [(text, mood, 1.0, text) for text, mood in moods]
    share = CALM_SHARE * len(moods) / len(plain)
    return _together([*rows, *((text, "neutral", share, source) for text, source in plain)])


def intent_sentences(
    own: Sequence[sources.Row],
    composed: Sequence[Composed],
    bitext: Sequence[sources.Row],
    strange: Sequence[sources.Row],
) -> list[Sentence]:
    """Our sentences with their variants, those of our frames, and Bitext weighted so that it informs but
    does not rule. One sentence of each frame is scored."""
    rng = random.Random(SEED)
    sentences: list[Sentence] = []
    for group, (text, label) in enumerate([*own, *strange]):
        sentences.append(Sentence(text, label, 1.0, group, True))
        if label in (OUT_OF_SCOPE, "inform"):
            continue  # there, every word may matter
        made = variants(text, rng=rng, told_at_length=label in SHOP_INTENTS)
        for variant in rng.sample(made, min(VARIANTS, len(made))):
            sentences.append(Sentence(variant, label, VARIANT_WEIGHT, group, False))
    frames = {frame: place for place, frame in enumerate(dict.fromkeys(row.frame for row in composed))}
    met: set[str] = set()
    for row in composed:
        group = len(own) + len(strange) + frames[row.frame]
        sentences.append(Sentence(row.text, row.label, COMPOSED_WEIGHT, group, row.frame not in met))
        met.add(row.frame)
    share = Counter(label for _, label in bitext)
    written = _weight_of(sentences)
    for text, label in bitext:
        weight = BITEXT_SHARE * written[label] / share[label]
        sentences.append(Sentence(text, label, weight, -1, False))
    return _level_out(sentences, boost={OUT_OF_SCOPE: OUT_OF_SCOPE_WEIGHT})


def _level_out(sentences: list[Sentence], *, boost: dict[str, float]) -> list[Sentence]:
    """Labels weigh alike, those to be boosted several times as much."""
    weight = _weight_of(sentences)
    common = float(np.median([weight[label] for label in weight]))
    wanted = {label: common * boost.get(label, 1.0) for label in weight}
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

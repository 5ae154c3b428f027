"""One message in, everything we know about it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml.types import Entity, Known, Sentiment, Understanding
from ml.understanding import context, entities, sentiment
from ml.understanding.artifact import Artifact, load
from ml.understanding.encoder import Encoder, SupportsEncode
from ml.understanding.head import Probabilities
from ml.understanding.intents import OUT_OF_SCOPE
from ml.understanding.text import is_readable, prepare

# Acts that a refusal names without wanting them.
_REFUSABLE = frozenset(
    {
        "cancel_order",
        "get_refund",
        "track_refund",
        "delete_account",
        "change_shipping_address",
        "check_cancellation_fee",
    }
)
_LONGEST = 10_000  # characters; what is beyond is not read
_SETTLED = 0.99  # confidence where the words themselves decide
_CANDIDATES = 5
_NOTHING = Known()

Ranking = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A message and its parts before the encoder has seen it."""

    text: str
    found: tuple[Entity, ...]
    readable: bool
    rest: str | None  # what a refusal leaves over


class Understander:
    """Holds the encoder and the heads; safe to share between threads, it never changes."""

    def __init__(self, artifact: Artifact, encoder: SupportsEncode, order_patterns: Sequence[str]) -> None:
        self.artifact = artifact
        self.version = artifact.version
        self.encoder = encoder
        self.order_patterns = tuple(order_patterns)

    @classmethod
    def load(cls, path: Path, *, order_patterns: Sequence[str], threads: int = 1) -> Understander:
        """Raises ArtifactError when the file cannot be used."""
        return cls(load(path), Encoder(threads=threads), order_patterns)

    def understand(self, text: str, *, pending: str | None = None, known: Known = _NOTHING) -> Understanding:
        """`pending` names the question we have just asked; see `ml.understanding.context`. `known`
        is the customer's day, country and items, without which dates and products are not found."""
        return self.understand_all([text], pending=pending, known=known)[0]

    def understand_all(
        self, texts: Sequence[str], *, pending: str | None = None, known: Known = _NOTHING
    ) -> list[Understanding]:
        """The same for many messages, in one pass through the encoder."""
        readings = [self._read(text, pending, known) for text in texts]
        wholes = [prepare(reading.text, reading.found) for reading in readings]
        rests = [prepare(reading.rest) for reading in readings if reading.rest]
        vectors = self.encoder.encode(wholes + rests)
        intents = self.artifact.intents.probabilities(vectors)
        feelings = self.artifact.sentiment.probabilities(vectors[: len(wholes)])
        moods = self.artifact.moods.probabilities(vectors[: len(wholes)])
        left = iter(range(len(wholes), len(vectors)))
        return [
            self._conclude(
                reading,
                intents[i],
                intents[next(left)] if reading.rest else None,
                feelings[i],
                moods[i],
                pending,
            )
            for i, reading in enumerate(readings)
        ]

    def is_unsure(self, understanding: Understanding) -> bool:
        """Whether to ask back with the first two of the ranking: the likeliest intents are ours,
        but neither is likely enough to act on."""
        first = understanding.ranking[0][0] if understanding.ranking else OUT_OF_SCOPE
        if first == OUT_OF_SCOPE:
            return False
        return understanding.intent == OUT_OF_SCOPE or understanding.confidence < self.artifact.clarify

    def _read(self, text: str, pending: str | None, known: Known) -> _Reading:
        text = text[:_LONGEST]
        found = entities.find(text, order_patterns=self.order_patterns, pending=pending, known=known)
        return _Reading(text, found, is_readable(text), context.refusal(text))

    def _conclude(
        self,
        reading: _Reading,
        whole: Probabilities,
        rest: Probabilities | None,
        feelings: Probabilities,
        moods: Probabilities,
        pending: str | None,
    ) -> Understanding:
        text, found = reading.text, reading.found
        settled = context.settled(text, found, pending)
        if settled:
            ranking = {settled: _SETTLED, OUT_OF_SCOPE: 1 - _SETTLED}
        elif not reading.readable and not found:
            return Understanding(
                text,
                OUT_OF_SCOPE,
                0.0,
                0.0,
                (),
                found,
                Sentiment("neutral", 0.0),
                model=self.version,
            )
        else:
            ranking = context.weigh(self._rank(reading, whole, rest), text, found, pending)
        best = sorted(ranking.items(), key=lambda item: -item[1])[:_CANDIDATES]
        (intent, confidence), margin = best[0], best[0][1] - best[1][1]
        limits = self.artifact.thresholds
        if confidence < limits.level or margin < limits.margin:
            intent = OUT_OF_SCOPE
        return Understanding(
            text=text,
            intent=intent,
            confidence=round(confidence, 4),
            margin=round(margin, 4),
            ranking=tuple((name, round(chance, 4)) for name, chance in best),
            entities=found,
            sentiment=sentiment.feel(feelings, self.artifact.sentiment),
            mood=sentiment.mood_of(text, moods, self.artifact.moods),
            model=self.version,
        )

    def _rank(self, reading: _Reading, whole: Probabilities, rest: Probabilities | None) -> Ranking:
        """Intent probabilities, the refused act taken out where the message names one."""
        labels = self.artifact.intents.labels
        ranking = dict(zip(labels, whole.tolist(), strict=True))
        refused = max(ranking, key=lambda name: ranking[name])
        if reading.rest is None or refused not in (*_REFUSABLE, "deny"):
            return ranking
        if rest is None:
            return {"deny": _SETTLED, OUT_OF_SCOPE: 1 - _SETTLED}
        remaining = dict(zip(labels, rest.tolist(), strict=True))
        kept = {name: chance for name, chance in remaining.items() if name != refused}
        total = sum(kept.values())
        return {name: chance / total for name, chance in kept.items()}

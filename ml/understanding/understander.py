"""One message in, everything we know about it out, by one pass through the encoder."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.types import Entity, Known, Sentiment, Understanding
from ml.understanding import clauses, context, entities, sentiment
from ml.understanding.artifact import ENCODER, Artifact, load
from ml.understanding.encoder import Encoder, SupportsEncode, Vectors
from ml.understanding.intents import OUT_OF_SCOPE, SHOP_INTENTS, judge
from ml.understanding.spelling import Speller
from ml.understanding.text import as_item, asking, is_readable, prepare

_LONGEST = 10_000  # characters; what is beyond is not read
_SETTLED = 0.99  # confidence where the words themselves decide
_IMPLIED_YES = 0.9  # the most that a yes gets which the words do not plainly say
_CANDIDATES = 5
_SURE = 0.6  # of a part before it counts as a request beside another
_SURE_OF_ITEM = (
    0.8  # of what is asked about an item, where the message with the item's name seemed out of scope
)
_SURE_OF_TALE = 0.97  # of one that only tells
_REFUSED = 0.5  # of a refused part before the message means the opposite of it
_ASKED = frozenset(SHOP_INTENTS) - {"complaint", "review"}  # what a message can ask for beside another thing
# Two readings of one matter: where the first is asked for, the second only tells the same story.
_SAME_MATTER = {"track_order": "delivery_period", "registration_problems": "create_account"}
_NOTHING = Known()

Ranking = dict[str, float]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A message and its parts before the encoder has seen it."""

    text: str
    found: tuple[Entity, ...]
    readable: bool
    refusal: clauses.Refusal | None
    parts: tuple[str, ...]
    core: str

    def pieces(self, speller: Speller) -> list[str]:
        """All that the encoder reads: the whole, what is refused and what is left then, or what of a story
        asks, the whole again where it names a thing of the customer's, and the parts."""
        inside = [self.refusal.refused, self.refusal.rest or "no"] if self.refusal else []
        inside += [self.core] if self.core else []
        whole = speller.correct(prepare(self.text, self.found))
        named = [speller.correct(as_item(self.text, self.found))] if self.names_item else []
        # inside and parts were cut from what was put right
        return [whole, *map(prepare, inside), *named, *map(prepare, self.parts)]

    @property
    def names_item(self) -> bool:
        return self.refusal is None and any(entity.kind == "product" for entity in self.found)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the heads make of the pieces of one message: a row for each, the whole first."""

    vectors: Vectors
    intents: Scores
    trust: Scores


class Understander:
    """Holds the encoder and the heads; safe to share between threads, it never changes."""

    def __init__(self, artifact: Artifact, encoder: SupportsEncode, order_patterns: Sequence[str]) -> None:
        self.artifact = artifact
        self.version = artifact.version
        self.encoder = encoder
        self.order_patterns = tuple(order_patterns)
        self._speller = Speller(artifact.words, encoder.words)
        self._labels = artifact.heads["intents"].labels

    @classmethod
    def load(cls, folder: Path, *, order_patterns: Sequence[str], threads: int = 1) -> Understander:
        """Raises ArtifactError when the files cannot be used."""
        artifact = load(folder)
        return cls(artifact, Encoder(folder / ENCODER, artifact.tokenizer, threads=threads), order_patterns)

    def understand(self, text: str, *, pending: str | None = None, known: Known = _NOTHING) -> Understanding:
        """`pending` names the question we have just asked; see `ml.understanding.context`."""
        return self.understand_all([text], pending=pending, known=known)[0]

    def understand_all(
        self, texts: Sequence[str], *, pending: str | None = None, known: Known = _NOTHING
    ) -> list[Understanding]:
        """The same for many messages, in one pass through the encoder."""
        readings = [self._read(text, pending, known) for text in texts]
        pieces = [reading.pieces(self._speller) for reading in readings]
        vectors = self.encoder.views([piece for some in pieces for piece in some])
        said = judge(self.artifact.heads["intents"], self.artifact.memory, vectors)
        ends = np.cumsum([0, *map(len, pieces)])
        return [
            self._conclude(reading, _Seen(vectors[a:b], said.probabilities[a:b], said.trust[a:b]), pending)
            for reading, a, b in zip(readings, ends[:-1], ends[1:], strict=True)
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
        spelt = self._speller.correct(asking(text, found))
        refusal = clauses.refusal(spelt)
        parts = () if refusal else tuple(clauses.parts(spelt))
        return _Reading(text, found, is_readable(text), refusal, parts, clauses.core(parts))

    def _conclude(self, reading: _Reading, seen: _Seen, pending: str | None) -> Understanding:
        text, found = reading.text, reading.found
        settled = context.settled(text, found, pending)
        if not settled and not reading.readable and not found:
            return Understanding(
                text, OUT_OF_SCOPE, 0.0, 0.0, (), found, Sentiment("neutral", 0.0),
                model=self.version, requests=(OUT_OF_SCOPE,), wordings=(text,),
            )  # fmt: skip
        if settled:
            ranking, trusted = {settled: _SETTLED, OUT_OF_SCOPE: 1 - _SETTLED}, True
        else:
            said, trusted = self._rank(reading, seen)
            ranking = context.weigh(said, text, found, pending)
            trusted = trusted or max(ranking, key=ranking.__getitem__) != max(said, key=said.__getitem__)
        best = sorted(ranking.items(), key=lambda item: -item[1])[:_CANDIDATES]
        (intent, confidence), margin = best[0], best[0][1] - best[1][1]
        if intent == "affirm" and not settled:  # "maybe" sounds like a yes, and must not act as one
            confidence = min(confidence, _IMPLIED_YES)
        requests = {intent if trusted else OUT_OF_SCOPE: text}
        if not settled and (intent in SHOP_INTENTS or not trusted):
            requests = self._requests(next(iter(requests)), reading, seen)
        feeling = sentiment.read(text, seen.vectors[:1], self.artifact)
        return Understanding(
            text=text,
            intent=next(iter(requests)),
            confidence=round(confidence, 4),
            margin=round(margin, 4),
            ranking=tuple((name, round(chance, 4)) for name, chance in best),
            entities=found,
            sentiment=feeling.sentiment,
            mood=feeling.mood,
            model=self.version,
            requests=tuple(requests),
            wordings=tuple(requests.values()),
            urgency=feeling.urgency,
            flags=feeling.flags,
        )

    def _rank(self, reading: _Reading, seen: _Seen) -> tuple[Ranking, bool]:
        """Intent probabilities and whether to trust the first. Where an act is named only to be
        refused, they are those of what else is said, without that act."""
        if reading.names_item and (named := self._of_item(reading, seen)):
            return named, True
        whole = dict(zip(self._labels, seen.intents[0].tolist(), strict=True))
        if reading.core:
            return self._with_core(seen)
        if reading.refusal is None:
            return whole, bool(seen.trust[0] >= self.artifact.level)
        refused = self._labels[int(seen.intents[1].argmax())]
        if refused not in SHOP_INTENTS or seen.intents[1].max() < _REFUSED:
            return whole, bool(seen.trust[0] >= self.artifact.level)
        if not reading.refusal.rest:
            return {"deny": _SETTLED, OUT_OF_SCOPE: 1 - _SETTLED}, True
        rest = dict(zip(self._labels, seen.intents[2].tolist(), strict=True))
        if rest[refused] >= _SURE:  # "no refund, I want them exchanged": the same, asked in another way
            return rest, bool(seen.trust[2] >= self.artifact.level)
        kept = {name: chance for name, chance in rest.items() if name != refused}
        total = sum(kept.values())
        same = max(kept, key=kept.__getitem__) == self._labels[int(seen.intents[2].argmax())]
        return (
            {name: chance / total for name, chance in kept.items()},
            bool(same and seen.trust[2] >= self.artifact.level),
        )

    def _of_item(self, reading: _Reading, seen: _Seen) -> Ranking | None:
        """What is asked about the customer's thing, where its name hid that: words of a product decide much
        of what a message seems to be about."""
        row = len(seen.intents) - len(reading.parts) - 1
        name = self._labels[int(seen.intents[0].argmax())]
        known = name != OUT_OF_SCOPE and seen.trust[0] >= self.artifact.level
        asked = self._labels[int(seen.intents[row].argmax())]
        if known or asked not in SHOP_INTENTS or seen.intents[row].max() < _SURE_OF_ITEM:
            return None
        if seen.trust[row] < self.artifact.level:
            return None
        return dict(zip(self._labels, seen.intents[row].tolist(), strict=True))

    def _with_core(self, seen: _Seen) -> tuple[Ranking, bool]:
        """The geometric mean of what the whole story says and what is asked in it."""
        both = np.sqrt(seen.intents[0] * seen.intents[1])
        best = int(both.argmax())
        agreeing = [
            trust for row, trust in zip(seen.intents[:2], seen.trust[:2], strict=True) if row.argmax() == best
        ]
        ranking = dict(zip(self._labels, (both / both.sum()).tolist(), strict=True))
        return ranking, bool(max(agreeing, default=0.0) >= self.artifact.level)

    def _requests(self, intent: str, reading: _Reading, seen: _Seen) -> dict[str, str]:
        """All that is asked for, in the message's order, and in which words: what its parts surely ask, the
        whole's intent among them. A part that only tells the story around one request asks nothing."""
        asked: dict[str, str] = {}
        first = len(seen.intents) - len(reading.parts)
        for row, words in enumerate(reading.parts, start=first):
            name = self._labels[int(seen.intents[row].argmax())]
            least = _SURE_OF_TALE if clauses.tells(words) and name != intent else _SURE
            sure = seen.intents[row].max() >= least and seen.trust[row] >= self.artifact.level
            if sure and name in _ASKED and name not in asked:
                asked[name] = words
        asked = {name: words for name, words in asked.items() if not _told_otherwise(name, asked)}
        if intent == OUT_OF_SCOPE:
            return asked or {intent: reading.text}
        if intent not in _ASKED:  # a complaint or praise, and what is plainly asked beside it
            return {
                intent: reading.text,
                **{name: part for name, part in asked.items() if clauses.asks(part)},
            }
        if len(asked) < 2 or _told_otherwise(intent, asked):
            return {intent: reading.text} if len(asked) < 2 else asked
        return asked if intent in asked else {intent: reading.text, **asked}


def _told_otherwise(intent: str, asked: Container[str]) -> bool:
    return any(told == intent and better in asked for better, told in _SAME_MATTER.items())

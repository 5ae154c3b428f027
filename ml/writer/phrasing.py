"""Whether a text of the embedded model stays with what it was asked to tell.

A small model that slips says a fluent thing about another situation: "cancelled" where an order is
kept. No digit betrays that, so the checker cannot see it. What does betray it is a pair of
neighbouring words that none of the sentences holds that fit the request: its situation, told
before or not, with a window or without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ml.types import MOODS
from ml.writer.corpus import Corpus
from ml.writer.corpus.compose import Request, plans_for, usable
from ml.writer.rules import SLOT
from ml.writer.situations import COLLAPSIBLE, SITUATIONS
from ml.writer.themes import THEMES, heard

_TOKEN = re.compile(r"\{\w+\}|[\w'’-]+|[.,:;?!]")
_ENDS = frozenset((".", "?", "!", "{quote}"))  # a quote brings its own full stop
# A pair that is new can be a good join of two sentences; more in one paragraph is another subject.
TOLERATED = 1

Pair = tuple[str, str]
# A slot behind the two words that lead up to it, or before the two that follow; empty where its sentence
# starts later or ends sooner.
Place = tuple[str, str, str]


class Home(NamedTuple):
    """The word pairs, the openings and the places of slots of all sentences that fit a request."""

    pairs: frozenset[Pair]
    openings: frozenset[str]
    places: frozenset[Place]


class Phrasebook:
    """What the corpus of a channel says, looked up by request."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._home = lru_cache(maxsize=None)(self._collect)
        self._taken_up = lru_cache(maxsize=None)(_acknowledgments)

    def faults(self, text: str, request: Request, customer: str = "") -> list[str]:
        """One fault if a paragraph holds more new pairs than are tolerated, or a fact where none of its
        kind belongs ("the estimate allows for {promised_day}").

        At home are, too, the sentences that take up what the customer's message mentions."""
        for paragraph in text.split("\n"):
            if misplaced := self._misplaced(paragraph, request, customer):
                return [f"misplaces a fact: {' '.join(misplaced[0]).strip()}"]
            new = self._new(paragraph, request, customer)
            if len(new) > TOLERATED:
                return [f"strays from its situation: {', '.join(' '.join(pair) for pair in new[:4])}"]
        return []

    def at_home(self, sentence: str, request: Request, customer: str = "") -> bool:
        """Whether one sentence holds no new pair, no misplaced fact, and no slot or blank twice."""
        slots = SLOT.findall(sentence)
        return (
            "  " not in sentence
            and len(slots) == len(set(slots))
            and not self._new(sentence, request, customer)
            and not self._misplaced(sentence, request, customer)
        )

    def _misplaced(self, paragraph: str, request: Request, customer: str) -> list[Place]:
        homes = self._homes(request, customer)
        found = _places(_TOKEN.findall(paragraph))
        return [place for place in found if not any(place in home.places for home in homes)]

    def _homes(self, request: Request, customer: str) -> list[Home]:
        themes = heard(customer) | {request.theme} - {""}
        return [
            self._home(_with_every_slot(request)),
            *(self._taken_up(theme, request.situation) for theme in sorted(themes)),
        ]

    def _new(self, paragraph: str, request: Request, customer: str) -> list[Pair]:
        """The pairs that no home holds. A sentence keeps to one home: half about the order and half
        about a birthday, it would be neither's."""
        homes = self._homes(request, customer)
        new: list[Pair] = []
        for sentence in _sentences(_TOKEN.findall(paragraph)):
            each = [_new_to(home, sentence) for home in homes]
            fewest = min(each, key=len)
            new += fewest
        return new

    def _collect(self, request: Request) -> Home:
        return _home(line for mood in MOODS for line in self._lines(replace(request, mood=mood)))

    def _lines(self, request: Request) -> Iterator[list[str]]:
        for role in {
            step.role for plan in plans_for(self._corpus, request) for step in plan.steps
        } | _HEADLINES:
            for _, expansions in usable(self._corpus, request, role):
                yield from (_TOKEN.findall(expansion.text) for expansion in expansions)


_HEADLINES = {"subject", "preheader"}


def _sentences(tokens: list[str]) -> Iterator[list[str]]:
    """Cut behind full stops; the mark that ended the sentence before stands in front of each."""
    start = 0
    for at, token in enumerate(tokens):
        if token in _ENDS and at + 1 < len(tokens):
            yield tokens[start : at + 1]
            start = at
    yield tokens[start:]


def _new_to(home: Home, sentence: list[str]) -> list[Pair]:
    return [
        pair
        for pair in pairwise(sentence)
        if pair not in home.pairs and not (pair[0] in _ENDS and pair[1] in home.openings)
    ]


def _home(lines: Iterable[list[str]]) -> Home:
    known = list(lines)
    return Home(
        frozenset(pair for line in known for pair in pairwise(line)),
        frozenset(line[0] for line in known),
        frozenset(place for line in known for place in _places(line)),
    )


def _places(tokens: Sequence[str]) -> Iterator[Place]:
    before = ("", "")
    for at, token in enumerate(tokens):
        if token.startswith("{"):
            yield (*before, token)
            yield (token, *_following(tokens, at))
        before = ("", "") if token in _ENDS else (before[1], token)


def _following(tokens: Sequence[str], at: int) -> tuple[str, str]:
    if tokens[at] in _ENDS:
        return "", ""
    first, second = [*tokens[at + 1 : at + 3], "", ""][:2]
    return first, "" if first in _ENDS else second


def _acknowledgments(theme: str, situation: str) -> Home:
    """The sentences that take up a theme in a situation, whatever the mood."""
    replies = THEMES[theme].replies
    fitting = [each for each in replies if any(each.fits(situation, mood) for mood in MOODS)]
    return _home(_TOKEN.findall(each.text) for each in fitting)


def _with_every_slot(request: Request) -> Request:
    """The same request as if all facts were at hand (which of them are, the slots tell anyway), in
    whatever mood (a word of another mood is no falsehood); a theme has a home of its own."""
    slots = frozenset(SITUATIONS[request.situation].slots)
    slots = slots - COLLAPSIBLE if request.collapsed else slots
    return replace(request, available=slots, mood="neutral", theme="")

"""Whether a text of the embedded model stays with what its situation is about.

A small model that slips says a fluent thing about another situation: "cancelled" where an order is
kept. No digit betrays that, so the checker cannot see it. What does betray it is a pair of
neighbouring words that none of the situation's own sentences holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ml.writer.corpus import GENERIC, Corpus, Script
from ml.writer.rules import SLOT

_TOKEN = re.compile(r"\{\w+\}|[\w'’-]+|[.,:;?!]")
_ENDS = frozenset(".?!")
# A pair that is new can be a good join of two sentences; more in one paragraph is another subject.
TOLERATED = 1

Pair = tuple[str, str]


class Phrasebook:
    """The word pairs and sentence openings of every situation of a channel."""

    def __init__(self, corpus: Corpus) -> None:
        generic = corpus.scripts.get(GENERIC, Script())
        self._pairs: dict[str, frozenset[Pair]] = {}
        self._openings: dict[str, frozenset[str]] = {}
        for name, script in corpus.scripts.items():
            lines = [tokens for each in (script, generic) for tokens in _lines(each)]
            self._pairs[name] = frozenset(pair for line in lines for pair in _pairs(line))
            self._openings[name] = frozenset(line[0] for line in lines)

    def faults(self, text: str, situation: str) -> list[str]:
        """One fault if a paragraph holds more new pairs than are tolerated."""
        for paragraph in text.split("\n"):
            new = self._new(paragraph, situation)
            if len(new) > TOLERATED:
                return [f"strays from its situation: {', '.join(' '.join(pair) for pair in new[:4])}"]
        return []

    def at_home(self, sentence: str, situation: str) -> bool:
        """Whether one sentence holds no new pair, and no slot or blank twice."""
        slots = SLOT.findall(sentence)
        return "  " not in sentence and len(slots) == len(set(slots)) and not self._new(sentence, situation)

    def _new(self, paragraph: str, situation: str) -> list[Pair]:
        known, openings = self._pairs[situation], self._openings[situation]
        return [
            pair
            for pair in _pairs(_TOKEN.findall(paragraph))
            if pair not in known and not (pair[0] in _ENDS and pair[1] in openings)
        ]


def _lines(script: Script) -> Iterator[list[str]]:
    for variants in script.roles.values():
        for variant in variants:
            for expansion in variant.expansions:
                yield _TOKEN.findall(expansion.text)


def _pairs(tokens: list[str]) -> Iterator[Pair]:
    yield from pairwise(tokens)

"""What makes an email the reader's own: their name in the greeting, their item in what follows,
and nothing told twice.

The training text names both wherever the facts hold them and says nothing twice; what a model samples
leaves one out or comes back to a thing now and then. A greeting without the name, an opening without the
item, and a sentence that repeats another are taken back while they are written.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ml.writer.corpus.tedium import runs

# How often openings are refused for the item's sake before an email goes without it: two sentences'
# worth of what the engine rewrites.
PATIENCE = 14
_GREETING = re.compile(r"(?:Hello|Hi|Dear)\b")
ECHO = 5  # words in a row that two sentences of an email do not share


class Personal:
    """Judges one email's sentences in the order they are written."""

    def __init__(self, slots: Collection[str]) -> None:
        self._name = "first_name" in slots
        self._refusals_left = PATIENCE if "item" in slots else 0
        self._greeted = False
        self._said: set[tuple[str, ...]] = set()
        self._is_sorry = False

    def __call__(self, sentence: str) -> bool:
        if sentence.endswith(","):
            self._greeted = True
            return not self._name or "{first_name}" in sentence
        if not self._greeted:
            return not _GREETING.match(sentence)  # one that runs on into the text
        return self._names_item(sentence) and self._is_new(sentence)

    def _is_new(self, sentence: str) -> bool:
        """Whether it says neither what was said before nor sorry a second time."""
        said, is_sorry = runs(sentence, ECHO), "sorry" in sentence
        if said & self._said or (is_sorry and self._is_sorry):
            return False
        self._said |= said
        self._is_sorry |= is_sorry
        return True

    def _names_item(self, sentence: str) -> bool:
        if not self._refusals_left:
            return True
        if "{item}" in sentence:
            self._refusals_left = 0
            return True
        self._refusals_left -= 1
        return False

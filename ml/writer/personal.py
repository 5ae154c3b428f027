"""What makes an email the reader's own: their name in the greeting, their item in what follows.

The training text names both wherever the facts hold them; what a model samples leaves one out now
and then. A greeting without the name and an opening without the item are taken back while they are
written.
"""

from __future__ import annotations

from collections.abc import Collection

# How often openings are refused for the item's sake before an email goes without it: two sentences'
# worth of what the engine rewrites.
PATIENCE = 14


class Personal:
    """Judges one email's sentences in the order they are written."""

    def __init__(self, slots: Collection[str]) -> None:
        self._name = "first_name" in slots
        self._refusals_left = PATIENCE if "item" in slots else 0
        self._greeted = False

    def __call__(self, sentence: str) -> bool:
        if sentence.endswith(","):
            self._greeted = True
            return not self._name or "{first_name}" in sentence
        if not self._greeted or not self._refusals_left:
            return True
        if "{item}" in sentence:
            self._refusals_left = 0
            return True
        self._refusals_left -= 1
        return False

"""How tedious a composed text is: of several drafts the least tedious one is kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ml.writer.rules import SLOT, sentences, words

MAIL_WORDS = (60, 150)
CHAT_SENTENCES = 4
# Said once it is meant, said twice it is a tic.
_ONCE = re.compile(r"\b(?:sorry|colleague|tell me|on us|afraid|pass you on|[Ll]et's)\b")
# A day told at the top of an email may be named again where the reader has to act on it.
_MAY_RETURN = frozenset({"likely_day", "window_end"})
_WELCOME = frozenset({"item", "first_name", "reasons"})
_ECHO = 3  # words in a row that two sentences share


def tedium(text: str, available: Collection[str], *, mail: bool) -> int:
    """Slots told twice, a sentence told twice, a text too long or too short; in a reply also a word
    of regret or an offer made twice, in an email words that come again and facts of the reader's own
    that it leaves out. 0 is a text without any."""
    lines = sentences(text)
    return 3 * (len(lines) - len(set(lines))) + (
        _mail(text, lines, available) if mail else _chat(text, lines)
    )


def _chat(text: str, lines: Sequence[str]) -> int:
    slots, once = SLOT.findall(text), _ONCE.findall(text)
    doubled = len(slots) - len(set(slots)) + len(once) - len(set(once))
    return doubled + 2 * max(0, len(lines) - CHAT_SENTENCES)


def _mail(text: str, lines: Sequence[str], available: Collection[str]) -> int:
    slots = SLOT.findall(text)
    doubled = sum(max(0, slots.count(slot) - 1 - (slot in _MAY_RETURN)) for slot in set(slots))
    low, high = MAIL_WORDS
    outside = not low <= words(text) <= high
    return 2 * doubled + 5 * outside + 2 * _echoes(lines) + _left_out(text, slots, available)


def _left_out(text: str, slots: Sequence[str], available: Collection[str]) -> int:
    """What makes an email the reader's own, known and yet not told where it belongs: the item in the
    first paragraph, the name in the greeting, what the estimate rests on."""
    opening = "\n".join(text.split("\n\n")[:2])
    left_out = _WELCOME & set(available) - set(slots)
    return 2 * len(left_out) + 4 * ("item" in available and "{item}" not in opening)


def _echoes(lines: Sequence[str]) -> int:
    """Pairs of sentences that share words in a row, and apologies after the first."""
    told = [runs(line, _ECHO) for line in lines]
    shared = sum(bool(first & second) for at, first in enumerate(told) for second in told[at + 1 :])
    return shared + max(0, sum("sorry" in line for line in lines) - 1)


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """All `length` words in a row of a text, in lower case."""
    tokens = re.findall(r"[{\w}'-]+", text.lower())
    return {tuple(tokens[at : at + length]) for at in range(len(tokens) - length + 1)}

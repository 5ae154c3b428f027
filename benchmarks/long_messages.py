"""Messages of ten thousand characters, made to cost time: rows that patterns could try again and again."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

LONGEST = 10_000  # characters

_ROWS = (
    "W ", "w1 ", "1", "1 ", "1-", "a@", "a.", "b.", "f", "a", "ab12", "٣", "<", "order ", "monday ", "3/3 ",
    "£1,", "+1 (0", "+1(", "4111-", "GB82 ", "12 a ", "rue ", "a at b dot ", "kettle chair ", "and ", ". ",
    " ", "don't ", "don't want to ", "qwrtzx ", "where is my order ", "please do it ", "W2611340 is late. ",
)  # fmt: skip
MESSAGES = (
    *((row * LONGEST)[:LONGEST] for row in _ROWS),
    "a." * 4999 + "@",
    "a@" + "b." * 4999,
    "where " + " " * 9900 + "is W2611340",
)


def slowest(understand: Callable[[str], object], ordinary: str) -> tuple[float, str]:
    """The longest time that `understand` takes for one of `MESSAGES`, over the median one for `ordinary`, and
    the beginning of that message. Of each message the shorter of two times counts."""
    usual = statistics.median(_spent(understand, ordinary) for _ in range(25))
    spent = [min(_spent(understand, text) for _ in range(2)) / usual for text in MESSAGES]
    worst = max(range(len(spent)), key=spent.__getitem__)
    return round(spent[worst], 1), MESSAGES[worst][:20]


def _spent(understand: Callable[[str], object], text: str) -> float:
    begun = time.perf_counter()
    understand(text)
    return time.perf_counter() - begun

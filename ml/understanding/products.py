"""Which of a customer's own items a message speaks of: "the blue ketle" finds the kettle.

A product is called by the noun its name ends in; colours and materials only narrow it down, or stand
before "one". Words that customers use of any order ("box", "card", "set") name no product alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

Mention = tuple[int, int, str]  # start, end, the item's name as it was given

_WORD = re.compile(r"[^\W\d_]+(?:['’]s)?|\d+", re.UNICODE)
_ASIDE = re.compile(r"\(.*|\[.*|\s[-–|:]\s.*|,.*", re.DOTALL)
_JOINTS = re.compile(r"\b(?:with|for|in|of|from|by)\b.*", re.I | re.DOTALL)  # "bottle with straw" is a bottle
_TOKENS = 400  # words of a message that are read
_ONE = frozenset({"one", "ones"})
# what any order may be talked about with, and what any name may end in
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        "a account address all an and bag bill box bundle card case cm code collection cover customer date "
        "day days delivery desk edition email for from gift help home house inch item items kit label large "
        "last letter light line link list mail medium mm model money more my name new note number of office "
        "on one order orders pack package pair parcel part pay payment people person phone piece pieces "
        "place plan post price product question return sale second series service set shop sign size small "
        "stock store table that the thing this time top tracking two type van version voucher week work xl "
        "year you your ",
    )
)
_SHORTEST_FUZZY = 5
_LONG = 8  # letters from which two slips are forgiven


@dataclass(frozen=True, slots=True)
class _Name:
    """An item's name: its nouns (the last is what it is called) and what stands before them."""

    whole: str
    head: str
    modifiers: frozenset[str]


def find_products(text: str, items: Sequence[str], *, asked_which: bool = False) -> Iterator[Mention]:
    """Mentions in reading order. Words that fit several items yield one mention each, with the same
    span. `asked_which`: we have just asked which order is meant, so a colour alone may be the answer."""
    names = [name for item in dict.fromkeys(items) if (name := _parse(item))]
    if not names:
        return
    known = {word for name in names for word in (name.head, *name.modifiers)}
    tokens = list(_WORD.finditer(text))[:_TOKENS]
    words = [_meant(_stem(token.group()), known) for token in tokens]
    for first, last in _runs(words, known):
        for name in _best(words[first : last + 1], names, asked_which):
            inside = [
                place
                for place in range(first, last + 1)
                if words[place] in {name.head, *name.modifiers} | _ONE
            ]
            yield tokens[inside[0]].start(), tokens[inside[-1]].end(), name.whole


def _parse(item: str) -> _Name | None:
    short = _JOINTS.sub("", _ASIDE.sub("", item)) or item
    words = [_stem(word) for word in _WORD.findall(short) if not word.isdecimal()]
    nouns = [word for word in words if word not in _GENERIC and len(word) > 2]
    if not nouns:
        return _Name(item, words[-1], frozenset(words[:-1])) if len(words) > 1 else None
    head = nouns[-1]
    return _Name(item, head, frozenset(words) - {head})


def _stem(word: str) -> str:
    """Lower case, without the plural's or the owner's s."""
    word = re.sub(r"['’]s$", "", word.lower())
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("shes", "ches", "xes", "sses", "ves")) and len(word) > 4:
        return word[:-3] + "f" if word.endswith("ves") else word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _meant(word: str, known: set[str]) -> str:
    """The known word that this one is a slip of; itself where there is none."""
    if word in known or word in _GENERIC or len(word) < _SHORTEST_FUZZY:
        return word
    slips = 2 if len(word) >= _LONG else 1
    near = [
        (distance, other)
        for other in known
        if len(other) >= _SHORTEST_FUZZY
        and other[0] == word[0]
        and (distance := OSA.distance(word, other, score_cutoff=slips)) <= slips
    ]
    return min(near)[1] if near else word


def _runs(words: Sequence[str], known: set[str]) -> Iterator[tuple[int, int]]:
    """Stretches of known words (and "one"), with at most one other word between two of them."""
    places = [place for place, word in enumerate(words) if word in known or word in _ONE]
    start = 0
    for here in range(1, len(places) + 1):
        if (
            here == len(places)
            or places[here] - places[here - 1] > 2
            or _ends(words, places[here - 1], places[here])
        ):
            if places:
                yield places[start], places[here - 1]
            start = here


def _ends(words: Sequence[str], left: int, right: int) -> bool:
    """ "the kettle and the chair" are two things."""
    return any(word in ("and", "or", "the", "my", "not", "but") for word in words[left + 1 : right])


def _best(words: Sequence[str], names: Sequence[_Name], asked_which: bool) -> list[_Name]:
    said = set(words)
    scores: dict[int, list[_Name]] = defaultdict(list)
    for name in names:
        if score := _score(said, name, asked_which):
            scores[score].append(name)
    return scores[max(scores)] if scores else []


def _score(said: set[str], name: _Name, asked_which: bool) -> int:
    narrowed = len(said & name.modifiers)
    if name.head in said and (name.head not in _GENERIC or narrowed):
        return 10 + narrowed
    strong = len(said & name.modifiers - _GENERIC)
    if strong >= 2 or (strong and (said & _ONE or asked_which)):
        return strong
    return 0

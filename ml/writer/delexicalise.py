"""Facts that a person wrote out, turned back into the slots they came from.

The opposite of `grounding.fill`, and less certain: people shorten days ("Friday", "the 27th"), and two
facts may read the same. What cannot be told apart is not guessed, because a pair with the wrong slot
would teach a model to state the wrong fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ml.types import Facts
from ml.writer.grounding import available
from ml.writer.rules import SLOT

_DAY = re.compile(r"(?P<weekday>\w+day) (?P<number>\d{1,2}) (?P<month>\w+)(?: (?P<year>\d{4}))?")
_SHORT = r"\.(?=,? [a-z\d])"  # "Nov. 24", but not the end of a sentence
_LINK = r"(?:to|and|until|till|or|-|–|—)"
# Words of a state are common words: only what says how something stands is its slot.
_STANDS = re.compile(r"\b(?:is|are|was|it's|that's|now|still|currently|already|as|status:?)\s+$", re.I)
# What people write before a day of each kind; the nearest one decides between facts that read the same.
_CUES = {
    "cancelled_day": r"cancel\w*",
    "delivered_day": r"delivered|arrived|dropped|signed",
    "last_event_day": r"scan\w*|last seen|tracking|reached",
    "likely_day": r"likely|probably|expect\w*|guess|(?<!was )due|arriv(?:e|es|ing|al)|reach you",
    "placed_day": r"placed|ordered|bought|order of",
    "promised_day": r"promis\w*|originally|was due|supposed|missed|planned|past",
    "refund_day": r"refund\w*|paid|money",
    "return_deadline": r"return\w*|back by|deadline|until",
    "shipped_day": r"shipped|handed|left|collected|picked up|with the carrier since",
    "window_start": r"between|from|no earlier than|not before",
    "window_end": r"by|at the latest|no later than",
}


@dataclass(frozen=True, slots=True)
class Delexicalised:
    """`unclear` holds what could have been more than one fact; such a text is no use."""

    text: str
    unclear: tuple[str, ...] = ()


def delexicalise(
    text: str, facts: Facts, *, began: str = "", aliases: Mapping[str, str] | None = None
) -> Delexicalised:
    """`text` with every display value of the facts as its `{slot}`.

    `began` is the delexicalised text that `text` was made from, where there is one: the words before a
    slot there tell facts apart that read the same. `aliases` are further readings, text → slot."""
    slots = available(facts)
    readings = {slot: _readings(slot, facts) for slot in slots}
    for reading, slot in (aliases or {}).items():
        if slot in slots and reading:
            readings[slot].append(_whole(re.escape(reading)))
    done, at, last = "", 0, ""
    unclear: list[str] = []
    for start, end, candidates in _matches(text, readings):
        before = text[at:start]
        known = _which(candidates, done + before, before if last == "window_start" else "", began)
        if known is None:
            unclear.append(text[start:end])
        slot = known or candidates[0]
        done, at, last = f"{done}{before}{{{slot}}}", end, slot
    return Delexicalised(done + text[at:], tuple(unclear))


def _readings(slot: str, facts: Facts) -> list[re.Pattern[str]]:
    display = facts.slots[slot].display
    if found := _DAY.fullmatch(display):
        return _days(slot, found, facts)
    if slot == "first_name":  # Will and May are words as well
        return [_whole(re.escape(display), flags=0)]
    if slot == "order":
        return [_whole(rf"#?{re.escape(display.removeprefix('#'))}")]
    return [_whole(re.escape(display))] if display else []


def _days(slot: str, day: re.Match[str], facts: Facts) -> list[re.Pattern[str]]:
    """A day in full and in the ways people shorten it; a weekday alone only where it is one day's."""
    weekday = rf"{day['weekday'][:3]}(?:{day['weekday'][3:]}|{_SHORT})?"
    number = rf"(?:the )?{day['number']}(?:st|nd|rd|th)?"
    month = rf"{day['month'][:3]}(?:{day['month'][3:]}|{_SHORT})?"
    date = rf"(?:{number}(?: of)? {month}|{month} {day['number']}(?:st|nd|rd|th)?)"
    year = rf"(?:,? {day['year']})?" if day["year"] else ""
    forms = [rf"{weekday},? {date}{year}", rf"{date}{year}", rf"{weekday},? {number}"]
    others = [found for other in facts.slots.values() if (found := _DAY.fullmatch(other.display))]
    if len({other[0] for other in others if other["weekday"] == day["weekday"]}) == 1:
        forms.append(day["weekday"])
    if len({other[0] for other in others if other["number"] == day["number"]}) == 1:
        forms.append(rf"the {day['number']}(?:st|nd|rd|th)")
    return [_whole(form) for form in forms]


def _whole(form: str, flags: int = re.I) -> re.Pattern[str]:
    """Not inside a word or a longer number."""
    return re.compile(rf"(?<![\w{{])(?<!\d[.,:/]){form}(?![\w}}]|[.,:/]\d)", flags)


def _matches(
    text: str, readings: Mapping[str, list[re.Pattern[str]]]
) -> Iterator[tuple[int, int, list[str]]]:
    """(start, end, slots that read so) from left to right, the longest reading at each place."""
    found: dict[tuple[int, int], list[str]] = {}
    for slot in sorted(readings):
        for pattern in readings[slot]:
            for match in pattern.finditer(text):
                if slot == "status" and not _STANDS.search(text[: match.start()]):
                    continue
                slots = found.setdefault(match.span(), [])
                if slot not in slots:
                    slots.append(slot)
    done = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= done:
            yield start, end, found[start, end]
            done = end


def _which(candidates: list[str], before: str, since_start: str, began: str) -> str | None:
    """The one slot that is meant, or None."""
    if len(candidates) == 1:
        return candidates[0]
    if "window_end" in candidates and re.fullmatch(rf"\s*{_LINK}\s*", since_start):
        return "window_end"
    for known in (_by_origin(candidates, before, began), _by_cue(candidates, before)):
        if known:
            return known
    return None


def _by_origin(candidates: list[str], before: str, began: str) -> str | None:
    lead = _lead(before)
    same = {
        match[1]
        for match in SLOT.finditer(began)
        if match[1] in candidates and lead and _lead(began[: match.start()]) == lead
    }
    return same.pop() if len(same) == 1 else None


def _lead(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\w{}'’]+", text.lower())[-2:])


def _by_cue(candidates: list[str], before: str) -> str | None:
    sentence = re.split(r"(?<=[.!?])\s|\n", before)[-1]
    places = {slot: _last(rf"\b(?:{_CUES[slot]})\b", sentence) for slot in candidates if slot in _CUES}
    nearest = max(places.values(), default=-1)
    named = [slot for slot, place in places.items() if place == nearest >= 0]
    return named[0] if len(named) == 1 else None


def _last(pattern: str, text: str) -> int:
    return max((match.end() for match in re.finditer(pattern, text, re.I)), default=-1)

"""Dates as customers write them, in the order of their country and seen from today.

A day without a year or a month is the one that the sentence speaks of: "ordered on the 3rd" looks
back, "will it come on the 3rd" looks ahead. Plurals ("on Sundays") and durations ("within three
days") are no dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

Dated = tuple[int, int, date]  # start, end, day

# CLDR's short date begins with the month in the United States, its territories and the Philippines.
_MONTH_FIRST = frozenset({"US", "PR", "GU", "VI", "AS", "MP", "PH", "FM", "MH", "PW"})

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("monday", "tuesday tues", "wednesday weds", "thursday thurs thur", "friday", "saturday", "sunday")
    )
    for name in names.split()
}
# these are also words or names ("I sat", "the sun"): only with a word that makes them a day
_SHORT_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_NUMBERS = {
    name: number
    for number, name in enumerate(
        re.findall(
            r"\w+", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        ),
        start=1,
    )
} | {"a": 1, "an": 1, "a couple of": 2, "couple of": 2}


def _any(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_MONTH = rf"(?P<month>{_any(_MONTHS)})\b\.?"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>20\d\d))?(?!\d)"
_COUNT = rf"(?P<count>\d{{1,2}}|{_any(_NUMBERS)})"
_UNIT = r"(?P<unit>day|week|fortnight)s?"

_ISO = re.compile(
    r"(?<![\w/.-])(?P<year>20\d\d)[-/.](?P<month>0?[1-9]|1[0-2])[-/.](?P<day>0?[1-9]|[12]\d|3[01])(?![\w/-])"
)
_NUMERIC = re.compile(
    r"(?<![\w/.,#£$€-])(\d{1,2})([/.-])(\d{1,2})(?:\2(20\d\d|\d\d))?(?![\w/%-]|[.,]\d|\s+(?:price|off)\b)"
)
_DAY_MONTH = re.compile(rf"(?<![\w/.,-])(?:the\s+)?{_DAY}(?:\s+of)?[\s-]+{_MONTH}{_YEAR}", re.I)
_MONTH_DAY = re.compile(rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}(?![\w:]|[.,]\d|\s+times){_YEAR}", re.I)
_ORDINAL = re.compile(
    r"\b(?:(?:on|by|before|until|till|after|since|from|for)\s+(?:the\s+)?|the\s+)"
    r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)\b(?!\s*-?\s*(?:one|time|try|order|option|item|parcel|package|box|"
    r"floor|fl\b|street|st\b|ave|road|attempt|week|day|delivery|customer|birthday|person|party|email|message))",
    re.I,
)
_WEEKDAY = re.compile(
    rf"(?P<every>\b(?:every|each|any|most|all)\s+)?(?P<which>\b(?:next|this|coming|last|past|previous)\s+)?"
    rf"\b(?P<name>{_any(_WEEKDAYS)})\b(?P<week>\s+(?:next week|week)\b)?",
    re.I,
)
_SHORT_WEEKDAY = re.compile(
    rf"(?:\b(?P<which>next|this|coming|last)\s+|\b(?:on|by|before|until|till|since|for)\s+|^\s*)"
    rf"(?P<name>{_any(_SHORT_WEEKDAYS)})\b(?!['’])",
    re.I,
)
_RELATIVE = (
    (re.compile(r"\b(?:the\s+)?day after tomorrow\b", re.I), 2),
    (re.compile(r"\b(?:the\s+)?day before yesterday\b", re.I), -2),
    (re.compile(r"\b(?:tomm?orr?ow|tmr+w?|tmorrow|2moro|2morrow|tomoz)\b", re.I), 1),
    (re.compile(r"\b(?:yest?erday|yesturday|yday)\b", re.I), -1),
    (re.compile(r"\b(?:to-?day|tonight|2day)\b(?!['’]s)", re.I), 0),
)
_AHEAD = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\bin\s+{_COUNT}\s+{_UNIT}\b(?:\s*['’]?\s*time)?(?!\s+ago)",
        rf"\b{_COUNT}\s+{_UNIT}\s+from\s+(?:now|today)\b",
    )
)
_AGO = re.compile(rf"\b{_COUNT}\s+{_UNIT}\s+ago\b", re.I)

_REACH = 60  # characters before a day in which its sentence says whether it is behind or ahead
_CLAUSE = re.compile(r"[.!?;\n]")
_MEANT = re.compile(r"\b(?:should(?: have|'ve| of)|supposed|meant to|was due|were due)\b", re.I)
_BEHIND = re.compile(
    r"\b(?:was|were|had|did|didn'?t|been|since|came|got|bought|paid|sent|took|said|told|left|(?!need|speed|indeed)\w{2,}ed)\b",
    re.I,
)
_BEFORE = re.compile(
    r"\b(?:will|won'?t|would|by|before|until|till|arrives?|comes?|coming|going|need|leave|leaving|can|could|"
    r"delivers?|deliver|expect|want|away|here|be|get)\b|'ll\b",
    re.I,
)
_BESIDE = re.compile(r",?\s*(?:the\s+)?", re.I)
_HALF_A_YEAR = 183
_MOST = 50  # days that one message is believed to name


def find_dates(text: str, *, today: date, country: str) -> Iterator[Dated]:
    """Days in reading order, without overlaps; the clearest notation first."""
    taken: list[Dated] = []
    for read in (_iso, _named, _numeric, _relative, _counted, _weekdays, _ordinals):
        for start, end, day in read(text, today, country):
            if len(taken) == _MOST:
                return iter(sorted(taken))
            if not any(_touch(text, (start, end), (begin, other)) for begin, other, _ in taken):
                taken.append((start, end, day))
    return iter(sorted(taken))


def _touch(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two readings overlap, or stand side by side as in "Monday 30th November"."""
    (_, end), (start, _) = sorted((one, other))
    return end > start or _BESIDE.fullmatch(text[end:start]) is not None


def _iso(text: str, today: date, _: str) -> Iterator[Dated]:
    for match in _ISO.finditer(text):
        if day := _date(int(match["year"]), int(match["month"]), int(match["day"])):
            yield match.start(), match.end(), day


def _named(text: str, today: date, _: str) -> Iterator[Dated]:
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        for match in pattern.finditer(text):
            month, day = _MONTHS[match["month"].lower()], int(match["day"])
            found = (
                _date(int(match["year"]), month, day)
                if match["year"]
                else _nearest(month, day, today, _looks_back(text, match.start()))
            )
            if found:
                yield match.start(), match.end(), found


def _numeric(text: str, today: date, country: str) -> Iterator[Dated]:
    for match in _NUMERIC.finditer(text):
        first, mark, second, year = match.groups()
        if (mark != "/" and not year) or match.group() == "24/7":
            continue
        day, month = int(first), int(second)
        if (country in _MONTH_FIRST and day <= 12) or month > 12:
            day, month = month, day
        if year:
            found = _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        else:
            found = _nearest(month, day, today, _looks_back(text, match.start()))
        if found:
            yield match.start(), match.end(), found


def _relative(text: str, today: date, _: str) -> Iterator[Dated]:
    for pattern, days in _RELATIVE:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), today + timedelta(days=days)


def _counted(text: str, today: date, _: str) -> Iterator[Dated]:
    for pattern in _AHEAD:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), today + _length(match["count"], match["unit"])
    for match in _AGO.finditer(text):
        yield match.start(), match.end(), today - _length(match["count"], match["unit"])


def _length(count: str, unit: str) -> timedelta:
    number = int(count) if count.isdecimal() else _NUMBERS[" ".join(count.lower().split())]
    return timedelta(days=number * {"day": 1, "week": 7, "fortnight": 14}[unit.lower()])


def _weekdays(text: str, today: date, _: str) -> Iterator[Dated]:
    for match in _WEEKDAY.finditer(text):
        if not match["every"]:
            which = (match["which"] or "").strip().lower()
            back = _looks_back(text, match.start())
            day = _weekday(_WEEKDAYS[match["name"].lower()], which or ("last" if back else ""), today)
            yield match.start(), match.end(), day + timedelta(days=7 if match["week"] else 0)
    for match in _SHORT_WEEKDAY.finditer(text):
        back = _looks_back(text, match.start("name"))
        which = (match["which"] or "").lower() or ("last" if back else "")
        start = match.start("which") if match["which"] else match.start("name")
        yield start, match.end(), _weekday(_SHORT_WEEKDAYS[match["name"].lower()], which, today)


def _weekday(number: int, which: str, today: date) -> date:
    """ "Friday" is the one ahead, "last Friday" the one behind, "next Friday" that of next week."""
    ahead = (number - today.weekday() - 1) % 7 + 1
    if which in ("last", "past", "previous"):
        return today - timedelta(days=(today.weekday() - number - 1) % 7 + 1)
    if which == "next":
        return today + timedelta(days=7 - today.weekday() + number)
    return today + timedelta(days=ahead)


def _ordinals(text: str, today: date, _: str) -> Iterator[Dated]:
    for match in _ORDINAL.finditer(text):
        if day := _of_month(int(match["day"]), today, _looks_back(text, match.start("day"))):
            yield match.start("day"), match.end(), day


def _of_month(day: int, today: date, back: bool) -> date | None:
    """The nearest such day of a month, behind or ahead of today."""
    step = -1 if back else 1
    for months in range(4):
        year, month = divmod(today.year * 12 + today.month - 1 + step * months, 12)
        found = _date(year, month + 1, day)
        if found and (found <= today if back else found >= today):
            return found
    return None


def _nearest(month: int, day: int, today: date, back: bool) -> date | None:
    """A day without a year: the one ahead (or behind), unless the other is far nearer."""
    known = [found for year in (-1, 0, 1) if (found := _date(today.year + year, month, day))]
    behind = max((found for found in known if found <= today), default=None)
    ahead = min((found for found in known if found >= today), default=None)
    if behind is None or ahead is None:
        return behind or ahead
    wanted, other = (behind, ahead) if back else (ahead, behind)
    return other if abs((wanted - today).days) > _HALF_A_YEAR else wanted


def _looks_back(text: str, place: int) -> bool:
    """Whether the words before a day speak of what has been."""
    before = _CLAUSE.split(text[max(0, place - _REACH) : place])[-1].replace("’", "'")
    if _MEANT.search(before):
        return True
    return _last(_BEHIND, before) > _last(_BEFORE, before)


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None

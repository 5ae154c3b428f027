"""What no text may say on its own, as patterns over delexicalised text.

The corpus is linted with these rules, the decoder's mask is built from them, and the checker
applies them to every finished draft, so training text and live text obey one law. Claims and
promises are in `claims`, names and other languages in `names`, tone in `manner`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

SLOT = re.compile(r"\{(\w*)\}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")

_WEEKDAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_MONTHS = "january|february|april|june|july|august|september|october|november|december"
_NUMBER = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    "million|billion|dozen|couple|zero|nil|nought|umpteen"
)
_ORDINAL = (
    "fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|"
    "sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth|fortieth|fiftieth|hundredth"
)
_COIN = (
    "pounds?|dollars?|euros?|pence|pennies|cents|quid|bucks|fiver|tenner|sterling|"
    "gbp|usd|eur|brl|reais|francs|rupees?|per ?cent|percentage"
)
_UNIT = "minute|hour|day|week|weekend|fortnight|month|quarter|year|decade|night"
# Of a day or night alone no amount is named in "a day to plan for"; of a week it is.
_LONG_UNIT = "minute|hour|week|weekend|fortnight|month|year|decade"
_BY = "by|on|before|until|till|from|since|in|around|about|after|during|over|through|this|next|last|every|of"

# Words that may stand right before "days", "weeks" and their like; what else does counts them.
_BEFORE_UNITS = frozenset(
    [
        "the",
        "these",
        "those",
        "which",
        "what",
        "new",
        "no",
        "any",
        "all",
        "both",
        "your",
        "our",
        "its",
        "their",
        "other",
        "such",
        "own",
        "and",
        "or",
        "of",
        "for",
        "on",
        "most",
        "many",
        "how",
        "exact",
        "right",
        "wrong",
        "in",
        "between",
        "early",
        "later",
        "opening",
        "different",
        "delivery",
        "working",
        "business",
        "busy",
        "than",
        "to",
        "give",
        "given",
        "gives",
        "with",
        "whose",
        "same",
        "possible",
        "expected",
        "certain",
        "holding",
        "naming",
        "name",
        "named",
    ]
)
_DAYLIKE = frozenset(["day", "days", "today", "everyday", "nowadays", "birthday", "birthdays"])

# The decoder's mask asks about pieces of words: " mon" at the end of a piece may become "money". In a whole
# text something always follows, if only a full stop.
_CLOSED = r"(?!\Z)"

_CONTENT: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (label, re.compile(pattern, re.I))
    for label, pattern in (
        ("digit", r"\d"),
        ("money", rf"[£$€¥%¢]|\b(?:{_COIN})\b|\b(?:cent|buck|grand|franc|yen)\b{_CLOSED}"),
        ("URL", r"https?\b|\bwww\b|\w\.\w|\bdot (?:com|org|net|co|uk|io|de|shop|html?)\b|://"),
        ("email address", r"@|\(at\)|\bat \w+ dot\b"),
        ("weekday", rf"\b(?:{_WEEKDAYS}|weekday)s?\b|\b(?:mon|tues?|thurs?|thu|fri)\b{_CLOSED}"),
        ("weekday", rf"\b(?:{_BY}) (?:sat|sun|wed)\b"),
        ("month", rf"\b(?:{_MONTHS})\b|\b(?:jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)\b{_CLOSED}"),
        (
            "month",
            r"\b(?:in|by|of|until|till|since|from|early|late|mid|this|next|last|around|before|during)[ -]"
            r"(?:march|may)\b(?! (?:i|we)\b)|\}\s*(?-i:March|May)\b(?! (?:I|we)\b)",
        ),
        (
            "relative day",
            r"\b(?:tomorrow|yesterday|tonight|overnight|noon|midday|midnight|lunchtime|weekend|fortnight|"
            r"christmas|xmas|easter|halloween|ramadan|diwali|hanukkah|thanksgiving|new year'?s?|"
            r"(?:bank|public) holidays?|holiday season|o'clock|eod|close of business|end of (?:the "
            r")?(?:week|month|year)|"
            r"(?:the )?day (?:after|before)(?! that)|next[- ]day|same-day|half past|quarter (?:to|"
            r"past))\b",
        ),
        (
            "relative day",
            r"\b(?:this|next|last|coming|following|previous|past|in the|by the|of the|later this|earlier "
            r"this) "
            r"(?:(?:coming|following|next|early|late) )?(?:night|week|month|year|"
            r"spring|summer|autumn|fall|winter|quarter|season)\b",
        ),
        ("relative day", r"\bwithin (?:the|a|an|one) (?:\w+ )?(?:hour|day|week|month)\b|\bmid[- ]week\b"),
        ("relative day", r"\b(?:by|in|until|since|before|during|over) (?:spring|summer|autumn|winter)\b"),
        ("spelled quantity", rf"\b(?:{_NUMBER})s?\b"),
        (
            "spelled quantity",
            rf"\b(?:{_ORDINAL})s?\b|\bthe third\b(?! (?:time|party))|\b(?:on|by) the (?:first|second)\b",
        ),
        (
            "spelled quantity",
            r"\b(?:first|second|third|last) of\b|\b(?:twenty|thirty)[- ](?:first|second|third)\b",
        ),
        (
            "spelled quantity",
            rf"\b(?:a few|few|several|some|another|half an?|multiple|numerous)(?: \w+)? (?:{_UNIT})s?\b",
        ),
        ("spelled quantity", rf"\b(?:an?|one|single) (?:\w+ )?(?:{_LONG_UNIT})s?\b"),
        (
            "spelled quantity",
            rf"\b(?:an?|one|single) (?:working|business|full|whole|half|calendar) (?:{_UNIT})\b",
        ),
        (
            "spelled quantity",
            rf"\b(?:in|within|takes?|took|after|than|about|only|just|every|under|over|almost|nearly|around) "
            rf"(?:an?|one)(?: single)? (?:{_UNIT})\b",
        ),
        (
            "spelled quantity",
            rf"\b(?:an?|one) (?:{_UNIT}) (?:or|and|ago|late|early|earlier|later|ahead|from now)\b",
        ),
        (
            "spelled quantity",
            r"\bhalf (?:of (?:your|the)|the|your|price|off)\b|\ba (?:third|quarter|fifth|tenth) of\b|"
            r"\b(?:double|triple|twice|thrice) (?:the|your|as|that)\b|\b(?:day|week|hour) one\b",
        ),
        ("emoji", "[\U0001f000-\U0001faff☀-➿⭐️]"),
    )
)
_ROMAN = re.compile(
    r"\b(?=[MDCLXVI]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})\b"
    r"|\b(?:i{2,3}|iv|vi{1,3}|ix|xi{1,3}|xi?v|xx+i*)\b(?!\Z)"
)
_TODAY = re.compile(
    r"\btoday\b|\bend of (?:the )?day\b|\b(?:this|next|last|in the|by the|of the|tomorrow|coming|following|"
    r"every) "
    r"(?:(?:early|late|next) )?(?:morning|afternoon|evening)\b",
    re.I,
)
_SAYS_TODAY = frozenset({"order_out_for_delivery"})
_UNITS = re.compile(rf"(\S+)\s+(?:{_UNIT})s\b", re.I)
_LETTERS = re.compile(r"\b(?:[A-Za-z][ .\-]+){2,}[A-Za-z]\b")
# Plain letters and the marks of plain prose. Whatever else there is hides something: other scripts,
# look-alikes, wide digits, invisible characters, markup.
_STRANGE = re.compile(r"[^A-Za-z \n.,:;?!'’()\"“”–—\-]")
_SECRET = frozenset(
    f"{_WEEKDAYS}|{_MONTHS}|{_NUMBER}|{_ORDINAL}|tomorrow|yesterday|tonight|pounds|dollars|euros".split("|")
)
_FUZZY = tuple(word for word in _SECRET if len(word) >= 7)


def sentences(text: str) -> list[str]:
    """Split at sentence ends; slots hold no such marks while delexicalised."""
    return [part for part in _SENTENCE.split(text.strip()) if part]


def words(text: str) -> int:
    """Words as a reader counts them; a slot usually fills with two."""
    return len(re.findall(r"[\w'’-]+", SLOT.sub("slot slot", text)))


def content_faults(text: str, situation: str = "") -> list[str]:
    """Facts a text states by itself: digits, days, amounts, links."""
    faults = [f"{label}: {found[0]!r}" for label, pattern in _CONTENT if (found := pattern.search(text))]
    if situation not in _SAYS_TODAY and (found := _TODAY.search(text)):
        faults.append(f"relative day: {found[0]!r}")
    if found := _ROMAN.search(text):
        faults.append(f"digit: {found[0]!r}")
    return faults


def hidden_faults(text: str) -> list[str]:
    """Facts that a text hides from a plain reading: strange characters, words spelt letter by letter, cut
    in pieces or slightly wrong, and units of time that something counts."""
    plain = SLOT.sub("{}", text).replace("’", "'")
    faults = []
    if found := _STRANGE.search(plain.replace("{}", "")):
        faults.append(f"strange character: {found[0]!r}")
    if found := _LETTERS.search(plain):
        faults.append(f"spelt letter by letter: {found[0]!r}")
    faults += [
        f"spelled quantity: {found[0]!r}"
        for found in _UNITS.finditer(plain)
        if found[1].lower().strip(',.;:!?()"“”') not in _BEFORE_UNITS and not found[1].endswith((".", ":"))
    ]
    return faults + [f"hidden word: {word!r}" for word in _disguised(plain)]


def _disguised(text: str) -> list[str]:
    """Words that are a day, a month or a number once put together or mended."""
    tokens = re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text.lower())
    found = [token for token in tokens if token not in _SECRET and re.sub("['-]", "", token) in _SECRET]
    found += [f"{one} {other}" for one, other in pairwise(tokens) if one + other in _SECRET]
    for token in tokens:
        daylike = token.endswith(("day", "days")) and token.split("-")[-1] not in _DAYLIKE
        if daylike or (len(token) >= 6 and _is_misspelt(token)):
            found.append(token)
    return found


@lru_cache(maxsize=16384)
def _is_misspelt(token: str) -> bool:
    return any(_one_slip(token, word) for word in _FUZZY)


def _one_slip(token: str, word: str) -> bool:
    """Whether one letter was left out, added, exchanged or swapped with its neighbour."""
    if token == word or abs(len(token) - len(word)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(token, word, strict=False)) if a != b), len(word))
    a, b = token[at:], word[at:]
    swapped = a[:2] == b[:2][::-1] and a[2:] == b[2:]
    return swapped or a[1:] == b or a == b[1:] or a[1:] == b[1:]

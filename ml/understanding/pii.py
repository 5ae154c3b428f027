"""Personal data in text: found so that it can be masked before text is logged, traced or exported.

Cards are known by their check digit (Luhn) and length, account numbers by IBAN's checksum and their
country's form (python-stdnum), telephone numbers by their countries' plans (phonenumbers) or by the way
people group digits, addresses by a house number beside a word for a street. Where in doubt, a number
is masked: a masked log line costs a look at the order, an open one cannot be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from stdnum import iban, luhn

from ml.understanding.entities import find_emails

PersonalKind = Literal["email", "iban", "card", "phone", "address"]
Span = tuple[int, int]

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])", re.I)
_SHORTEST_IBAN = 15  # Norway's
_CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){11,18}(?![\w-]|\.\d)")
_ISSUERS = re.compile(r"[3-6]|2[2-7]|1800|2131")  # first digits that card networks use

_CALL = re.compile(
    r"(?<![\w.#/£$€@-])(?:\+|00)?\(?\d(?:[ .\-/]{0,2}\(?\d\)?){5,15}\)?"
    r"(?:\s?(?:x|ext\.?|#)\s?\d{1,6})?(?![\w@%£$€]|[.,-]\d)"
)
_NO_CALL = re.compile(
    r"(?:19|20)\d\d([-/. ])\d\d?\1\d\d?(?:\s.*)?"  # days, also with a time
    r"|\d\d?([-/. ])\d\d?\2(?:20|19)\d\d(?:\s.*)?"
    r"|\d{1,3}(?:\.\d{1,3}){3}"  # network addresses
    r"|\d{3}-\d\d-\d{4}"  # social security numbers
    r"|\d{5}[- ]\d{3,4}"  # postcodes
    r"|(?:19|20)\d\d ?[-/–] ?(?:19|20)\d\d"  # years
)
_DIALLED = re.compile(r"\+|00|\(|0\d")
_CALL_CUE = re.compile(
    r"\b(?:call|ring|phone|tel|telephone|mobile|cell|fax|whatsapp|text|reach|answering|desk|office)\b[^\d\n]{0,24}$",
    re.I,
)
_FLAT = re.compile(r"\b(?:apt|apartment|suite|unit|box)\.?\s*$", re.I)
_NAMED = re.compile(r"^[ -]?(?:office|fax|mobile|cell|home|phone)\b", re.I)  # "2546712361 fax"
_REACH = 36
_DIGITS = range(6, 16)  # E.164 has at most fifteen; six only where it is called a telephone number
_UNGROUPED = 9  # digits in one run that can be a number to dial without a sign of it

_WAY = (
    r"(?:street|st|road|rd|lane|ln|avenue|ave|av|drive|dr|close|court|ct|place|pl|square|sq|terrace|way|crescent|"
    r"boulevard|blvd|highway|hwy|parkway|row|grove|gardens|hill|park|mews|walk|quay|circle|cir|trail|alley)"
)
_WAY_BEFORE = r"(?:rue|avenue|via|viale|piazza|calle|avenida|plaza|rua|travessa|ulica|ul\.|place|chemin)"
_WAY_WITHIN = (
    r"\w+(?:straße|strasse|str\.|weg|gasse|platz|allee|gatan|gata|vägen|veien|gade|vej|straat|laan|katu|tie)"
)
_NAME = r"[\w.'’-]{1,30}"
_PLAIN_NAME = r"(?!(?:a|the|my|your|of|on|in|at|from|to|and|is|days?|weeks?|people)\b)[\w.'’-]{2,30}"
_POSTCODE = r"(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|(?:[A-Z]{2}\s)?\d{4,5}(?:-\d{3,4})?)"
_TAIL = (
    r"(?:,?\s*(?:apt|apartment|suite|unit|flat)\.?\s*\w{1,5})?(?:(?:,\s*|\s+)(?-i:[A-Z])(?:[^\W\d_]|[.'’-]){1,24}(?!\w)){0,3}"
    rf"(?:,?\s*(?-i:{_POSTCODE})(?!\w))?"
)
_ADDRESS = re.compile(
    rf"(?<![\w-])(?:(?:flat|apt|apartment|suite|unit)\.?\s*\w{{1,5}}\s*,\s*)?"
    rf"(?:(?:\d{{1,5}}\s+)?\d{{1,5}}[a-z]?,?\s+(?:(?-i:[A-Z]){_NAME}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{1,3}}{_WAY}\b\.?"
    rf"|\d{{1,5}}[a-z]?,?\s+(?:{_PLAIN_NAME}\s+){{1,2}}(?:street|road|lane|avenue|terrace|crescent)\b"
    rf"|(?:\d{{1,5}}[a-z]?,?\s+)?{_WAY_BEFORE}\s+(?:{_NAME}\s+){{1,4}}?\d{{1,5}}[a-z]?\b"
    rf"|\d{{1,5}}[a-z]?,?\s+{_WAY_BEFORE}\s+(?:{_NAME}\s*){{1,4}}"
    rf"|{_WAY_WITHIN}\s+\d{{1,5}}[a-z]?\b){_TAIL}",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Personal:
    """`text[start:end]` is what was found."""

    kind: PersonalKind
    start: int
    end: int


def find_personal(text: str) -> tuple[Personal, ...]:
    """In reading order, without overlaps."""
    finders: tuple[tuple[PersonalKind, Callable[[str], Iterator[Span]]], ...] = (
        ("email", find_emails),
        ("iban", _ibans),
        ("card", _cards),
        ("address", _addresses),
        ("phone", _calls),
    )
    found: list[Personal] = []
    rest = text
    for kind, finder in finders:
        for start, end in finder(rest):
            found.append(Personal(kind, start, end))
            rest = rest[:start] + "\n" * (end - start) + rest[end:]
    return tuple(sorted(found, key=lambda personal: personal.start))


def mask(text: str) -> str:
    """The text with a word for the kind in place of each find: "my card is [card]"."""
    for personal in reversed(find_personal(text)):
        text = f"{text[: personal.start]}[{personal.kind}]{text[personal.end :]}"
    return text


def _ibans(text: str) -> Iterator[Span]:
    """The longest reading that checks: a word after the number may look like more of it."""
    for match in _IBAN.finditer(text):
        for end in range(match.end(), match.start() + _SHORTEST_IBAN - 1, -1):
            whole = text[end - 1].isalnum() and not text[end : end + 1].isalnum()
            if whole and iban.is_valid(text[match.start() : end]):
                yield match.start(), end
                break


def _cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if _ISSUERS.match(digits) and luhn.is_valid(digits):
            yield match.span()


def _calls(text: str) -> Iterator[Span]:
    for match in _CALL.finditer(text):
        written = match.group()
        if not _NO_CALL.fullmatch(written) and _is_call(text, match.span(), written):
            yield match.span()


def _is_call(text: str, span: Span, written: str) -> bool:
    digits = re.sub(r"\D", "", re.split(r"x|ext|#", written)[0])
    start, end = span
    before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
    if _FLAT.search(before) or len(digits) not in _DIGITS:
        return False
    if _CALL_CUE.search(before) or _NAMED.match(after):
        return True
    if len(digits) == _DIGITS[0]:
        return False
    if digits == written:
        return digits[0] == "0" and len(digits) >= _UNGROUPED
    return bool(_DIALLED.match(written)) or _is_grouped(written)


def _is_grouped(written: str) -> bool:
    """Groups as people say a number: all short, or a short prefix and the rest in one."""
    first, *rest = re.findall(r"\d+", re.split(r"x|ext|#", written)[0])
    if len(rest) == 1:
        return 2 <= len(first) <= 5 and 4 <= len(rest[0]) <= 8
    return bool(rest) and all(2 <= len(group) <= 4 for group in rest)


def _addresses(text: str) -> Iterator[Span]:
    for match in _ADDRESS.finditer(text):
        yield match.span()

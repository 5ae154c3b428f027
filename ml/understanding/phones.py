"""Telephone numbers that could be dialled, in international form or as written in the customer's country."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

Call = tuple[int, int, str]  # start, end, "+447700900123"

# Looking for numbers is slow, and most messages have none: a run of digits comes first.
_DIGITS = re.compile(r"\d(?:[ ().\-/]{0,3}\d){6}")
_HOME = "GB"  # whose notation is read where no country is known
# A number that its country has not given out is still one where it is written or called as one.
_WRITTEN = re.compile(r"[+(]|0\d")
_CUE = re.compile(r"\b(?:call|ring|phone|tel|telephone|mobile|cell|whatsapp|text)\b[^\d]{0,20}$", re.I)
_REACH = 30
_TRIES = 30  # runs of digits that are looked at before the rest is left alone


def find_phones(text: str, *, country: str) -> Iterator[Call]:
    if not _DIGITS.search(text):
        return
    region = country if country in phonenumbers.SUPPORTED_REGIONS else _HOME
    for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.POSSIBLE, _TRIES):
        if _is_meant(text, match):
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            yield match.start, match.end, number


def _is_meant(text: str, match: phonenumbers.PhoneNumberMatch) -> bool:
    before = text[max(0, match.start - _REACH) : match.start]
    return (
        phonenumbers.is_valid_number(match.number)
        or _WRITTEN.match(match.raw_string) is not None
        or _CUE.search(before) is not None
    )

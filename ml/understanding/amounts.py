"""Sums of money with their currency, however the sign and the separators are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

Sum = tuple[int, int, str]  # start, end, "24.10 GBP"

_DOLLARS = {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "MX": "MXN"}
_SIGNS = {"£": "GBP", "€": "EUR", "r$": "BRL", "us$": "USD", "¥": "JPY", "₹": "INR", "zł": "PLN"}
_WORDS = {
    "pound": "GBP",
    "pounds": "GBP",
    "quid": "GBP",
    "euro": "EUR",
    "euros": "EUR",
    "real": "BRL",
    "reais": "BRL",
    "rupees": "INR",
    "francs": "CHF",
    "zloty": "PLN",
}
_DOLLAR_WORDS = frozenset({"$", "dollar", "dollars", "bucks", "buck"})
_CODES = "GBP|EUR|USD|BRL|CAD|AUD|NZD|CHF|SEK|NOK|DKK|PLN|INR|JPY"

_NUMBER = r"(?:\d{1,3}(?:[,.]\d{3})+(?:[.,]\d{2})?|\d{1,9}(?:[.,]\d{1,2})?)(?!\d)"
_SIGN = r"(?:US\$|R\$|[£€$¥₹])"
_NAMES = "|".join(sorted({*_WORDS, *_DOLLAR_WORDS - {"$"}}, key=len, reverse=True))
_BEFORE = re.compile(rf"(?<!\w)({_SIGN}|(?:{_CODES})\b)\s?({_NUMBER})", re.I)
_AFTER = re.compile(rf"(?<![\w.,£€$#/-])({_NUMBER})\s?(£|€|\$|zł|(?:{_CODES}|{_NAMES})\b)", re.I)


def find_amounts(text: str, *, country: str) -> Iterator[Sum]:
    """A dollar is that of the customer's country, else of the United States."""
    for match in _BEFORE.finditer(text):
        yield match.start(), match.end(), _value(match[2], match[1], country)
    taken = [match.span() for match in _BEFORE.finditer(text)]
    for match in _AFTER.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            yield match.start(), match.end(), _value(match[1], match[2], country)


def _value(number: str, currency: str, country: str) -> str:
    sign = currency.lower()
    if sign in _DOLLAR_WORDS:
        code = _DOLLARS.get(country, "USD")
    else:
        code = _SIGNS.get(sign) or _WORDS.get(sign) or currency.upper()
    return f"{_decimal(number):.2f} {code}"


def _decimal(number: str) -> Decimal:
    """ "1,536.65", "1.536,65" and "49,9": the last mark is the decimal one unless three digits follow."""
    mark = max(number.rfind("."), number.rfind(","))
    if mark < 0 or len(number) - mark == 4:
        return Decimal(re.sub(r"[.,]", "", number))
    return Decimal(f"{re.sub(r'[.,]', '', number[:mark])}.{number[mark + 1 :]}")

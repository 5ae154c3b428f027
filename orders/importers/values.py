"""Text to values. Each raises BadValue with a sentence that names the column and what stood there."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

LARGEST_AMOUNT = Decimal("9999999999.99")


class BadValue(ValueError):
    pass


def moment(text: str, column: str, zone: ZoneInfo) -> datetime | None:
    """ISO 8601; without an offset it is meant in `zone`. None for an empty text."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValue(f"{column} is {text!r}, which is no date.") from error
    return at if at.tzinfo else at.replace(tzinfo=zone)


def end_of_day(text: str, column: str, zone: ZoneInfo) -> datetime | None:
    """A promised day lasts until its end where the customer lives; a time of its own is kept."""
    at = moment(text, column, zone)
    if at is None or at.timetz().replace(tzinfo=None) != time():
        return at
    return at.replace(hour=23, minute=59, second=59)


def amount(text: str, column: str) -> Decimal:
    """Money with a point for decimals, not negative, rounded to cents."""
    try:
        value = Decimal(text).quantize(Decimal("0.01"))
        is_payable = 0 <= value <= LARGEST_AMOUNT
    except InvalidOperation as error:
        raise BadValue(f"{column} is {text!r}, which is no amount.") from error
    if not is_payable:
        raise BadValue(f"{column} is {text!r}, which is no amount to pay.")
    return value


def whole(text: str, column: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 100_000:
        raise BadValue(f"{column} is {text!r}, which is no number of pieces.")
    return int(text)


def measure(text: str, column: str, *, low: float = 0.0, high: float = 1e9) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise BadValue(f"{column} is {text!r}, which is no number.") from error
    if not low <= value <= high:
        raise BadValue(f"{column} is {text!r}, which is out of range.")
    return value

"""What a message mentions: order numbers, email addresses, telephone numbers, postcodes, days, sums
and the customer's own items, in the notations people type.

Pure functions over text. Every pattern is bounded, so the time grows with the length of the text
and with nothing else; a shop's own order patterns are trusted to be as tame.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from ml.types import Entity, EntityKind, Known
from ml.understanding.amounts import find_amounts
from ml.understanding.dates import find_dates
from ml.understanding.phones import find_phones
from ml.understanding.products import find_products

# The shops we import (a letter and seven digits; 32 hex digits) and our own demo.
DEFAULT_ORDER_PATTERNS: tuple[str, ...] = (r"#W\d{7}", r"[0-9a-f]{32}", r"DS-\d{5}")

_DASHES = frozenset("‐‑‒–—―−﹘﹣－")

# Cues that make a bare number an order number or a postcode: read from what stands just before it.
_REACH = 28
_ORDER_CUE = re.compile(
    r"(?:\border\b|#|\bparcel\b|\bpackage\b|(?<!phone )(?<!card )(?<!house )\bnumber\b)[^\d]{0,24}$", re.I
)
_POSTCODE_CUE = re.compile(
    r"(?:\bzip\b|post ?code|\bpostal\b|\bpost code\b|\bcep\b|\bplz\b)[^\d]{0,18}$", re.I
)
_STATE_CUE = re.compile(r"(?:^|[\s,])[A-Z]{2},? $")

_EMAIL = re.compile(
    r"(?<![\w.%+'-])[\w%+-][\w.%+'-]{0,63}@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
# "amara at example dot com", "amara [at] example.com": written so that robots do not read them
_SPOKEN_EMAILS = tuple(
    re.compile(
        rf"(?<![\w.%+'-])([\w%+-][\w.%+-]{{0,63}}){at}([A-Za-z0-9-]{{1,63}}(?:{dot}[A-Za-z0-9-]{{1,63}}){{0,3}}{dot}"
        r"[A-Za-z]{2,24})(?![A-Za-z0-9])",
        re.I,
    )
    for at, dot in ((" at ", " dot "), (r" ?(?:@|\(at\)|\[at\]) ?", r"(?: dot | ?\. ?)"))
)
_SPOKEN = re.compile(r" dot |@|\(at\)|\[at\]", re.I)
_AT = re.compile(r" at | ?(?:@|\(at\)|\[at\]) ?", re.I)
_DOT = re.compile(r" dot | ?\. ?", re.I)
_PREFIXED = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=order))(?:#\s?)?"
    r"([A-Za-z]{1,4})([ \-_./:#]{0,3})(\d(?:[ \-]?\d){3,15})(?![A-Za-z0-9])",
    re.I,
)
_BARE_NUMBER = re.compile(r"(?<![A-Za-z0-9+£$€.,])\d{4,16}(?![A-Za-z0-9])")
_UK = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z]{1,2}\d[A-Za-z0-9]?)\s?(\d[ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2})(?![A-Za-z0-9])"
)
_ZIP_PLUS = re.compile(r"(?<![\w-])\d{5}-\d{4}(?![\w-])")
_CEP = re.compile(r"(?<![\w-])\d{5}-\d{3}(?![\w-])")
_DIGITS = re.compile(r"(?<![\w#+£$€.,-])\d{5}(?:\d{3})?(?![\w-]|[.,]\d)")
Span = tuple[int, int, str | None]  # start, end, order number; None where it is surely something else

_NOTHING = Known()
_TAKEN = "\x00"  # stands where an order number was read
_META = frozenset(r"\[(.?*+{|^$")


def find(
    text: str, *, order_patterns: Sequence[str], pending: str | None = None, known: Known = _NOTHING
) -> tuple[Entity, ...]:
    """All entities in reading order, values as the shop writes them.

    `pending` is what we just asked. A bare five-digit number that answers "identity" may be an
    order number or a postcode; it then yields both, with the same span, and the caller takes the
    one that is missing. A word that fits several of the customer's items yields each of them.
    """
    plain = _plain(text)
    emails = list(_emails(text, plain))
    plain = _blank(plain, emails)
    orders = list(_orders(text, plain, order_patterns, pending))
    plain = _blank(plain, orders)
    codes = list(_postcodes(text, plain, None))
    plain = _blank(plain, codes)
    others = list(_others(text, plain, known, pending))
    # a bare number beside an order number, with no email, is what goes with the order
    beside = "identity" if orders and not emails else pending
    codes += _postcodes(text, _blank(plain, others), beside)
    if pending == "identity" and not codes:
        codes += [_as_postcode(order) for order in orders if order.text.isdecimal() and len(order.text) == 5]
    return tuple(sorted(emails + orders + others + codes, key=lambda entity: (entity.start, entity.kind)))


def _others(text: str, plain: str, known: Known, pending: str | None) -> Iterator[Entity]:
    """Sums, telephone numbers, days and products; what one has taken the next does not see."""

    def taken(kind: EntityKind, found: Iterable[tuple[int, int, object]]) -> list[Entity]:
        nonlocal plain
        entities = [Entity(kind, str(value), text[start:end], start, end) for start, end, value in found]
        plain = _blank(plain, entities)
        return entities

    yield from taken("amount", find_amounts(plain, country=known.country))
    yield from taken("phone", find_phones(plain, country=known.country))
    if known.today:
        yield from taken("date", find_dates(plain, today=known.today, country=known.country))
    yield from taken("product", find_products(plain, known.items, asked_which=pending == "which_order"))


def _plain(text: str) -> str:
    """The same length as `text`, with every digit, dash and space in its ASCII form."""
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    if character < "\x80":
        return character
    if character in _DASHES:
        return "-"
    if character == "№":
        return "#"
    if character.isspace() or unicodedata.category(character) == "Cf":  # also zero-width and direction marks
        return " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def _blank(plain: str, taken: Iterable[Entity]) -> str:
    """Spans already understood, overwritten so that nothing else is read into them."""
    for entity in taken:
        plain = plain[: entity.start] + "\n" * (entity.end - entity.start) + plain[entity.end :]
    return plain


def find_emails(plain: str) -> Iterator[tuple[int, int]]:
    """Where email addresses stand, plainly or with "at" and "dot" spelled out."""
    spans = [match.span() for match in _EMAIL.finditer(plain)]
    yield from spans
    if not _SPOKEN.search(plain):
        return
    for pattern in _SPOKEN_EMAILS:
        for match in pattern.finditer(plain):
            if not any(start < match.end() and match.start() < end for start, end in spans):
                spans.append(match.span())
                yield match.span()


def _emails(text: str, plain: str) -> Iterator[Entity]:
    for start, end in find_emails(plain):
        value = _DOT.sub(".", _AT.sub("@", plain[start:end].strip("'"))).lower()
        yield Entity("email", value, text[start:end], start, end)


def _orders(text: str, plain: str, patterns: Sequence[str], pending: str | None) -> Iterator[Entity]:
    """What matches a pattern as it stands, then people's notations of it, then bare numbers."""
    for read in (_in_full, _with_letters, _bare):
        for start, end, value in list(read(plain, patterns, pending)):
            if value:
                yield Entity("order_number", value, text[start:end], start, end)
            plain = plain[:start] + _TAKEN * (end - start) + plain[end:]


def _in_full(plain: str, patterns: Sequence[str], _: str | None) -> Iterator[Span]:
    end_of_last = 0
    whole = "|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)"
    for match in re.finditer(rf"(?<![A-Za-z0-9])(?:{whole})(?![A-Za-z0-9])", plain, re.I):
        if match.start() >= end_of_last and (value := _canonical(patterns, [match.group()])):
            end_of_last = match.end()
            yield match.start(), match.end(), value


def _with_letters(plain: str, patterns: Sequence[str], _: str | None) -> Iterator[Span]:
    for match in _PREFIXED.finditer(plain):
        letters, gap, written = match.groups()
        digits = re.sub(r"\D", "", written)
        value = _canonical(patterns, [letters + digits, f"{letters}-{digits}"])
        if value or (
            gap == "" and written.isdecimal()
        ):  # "X2611340" is another shop's: take it off the table
            yield match.start(), match.end(), value


def _bare(plain: str, patterns: Sequence[str], pending: str | None) -> Iterator[Span]:
    for match in _BARE_NUMBER.finditer(plain):
        if _bare_is_order(plain, match, pending):
            candidates = [prefix + match.group() for prefix in ("", *_prefixes(patterns))]
            if value := _canonical(patterns, candidates):
                yield match.start(), match.end(), value


def _canonical(patterns: Sequence[str], candidates: Iterable[str]) -> str | None:
    """The first form of a candidate that the shop would write."""
    for candidate in candidates:
        for form in (candidate, candidate.upper(), candidate.lower()):
            for written in (form, f"#{form}", form.lstrip("#")):
                if any(re.fullmatch(pattern, written) for pattern in patterns):
                    return written
    return None


def _prefixes(patterns: Sequence[str]) -> list[str]:
    """The literal beginning of each pattern: "#W" of "#W\\d{7}", which people leave out."""
    literal = []
    for pattern in patterns:
        cut = next((i for i, character in enumerate(pattern) if character in _META), len(pattern))
        if 0 < cut < len(pattern):
            literal.append(pattern[:cut])
    return literal


def _bare_is_order(plain: str, match: re.Match[str], pending: str | None) -> bool:
    """Six digits and more are hardly anything else; fewer need a cue or a question of ours."""
    before = plain[max(0, match.start() - _REACH) : match.start()]
    if _POSTCODE_CUE.search(before):
        return False
    if len(match.group()) >= 6 or _ORDER_CUE.search(before):
        return True
    return pending in ("identity", "which_order") and _stands_alone(plain, match)


def _stands_alone(plain: str, match: re.Match[str]) -> bool:
    return not re.search(rf"[\w{_TAKEN}]", plain[: match.start()] + plain[match.end() :])


def _postcodes(text: str, plain: str, pending: str | None) -> Iterator[Entity]:
    for match in _UK.finditer(plain):
        value = f"{match.group(1)} {match.group(2)}".upper()
        yield Entity("postcode", value, text[match.start() : match.end()], match.start(), match.end())
    for pattern in (_ZIP_PLUS, _CEP):
        for match in pattern.finditer(plain):
            yield _postcode(text, match, match.group())
    for match in _DIGITS.finditer(plain):
        if _digits_are_postcode(plain, match, pending):
            digits = match.group()
            yield _postcode(text, match, digits if len(digits) == 5 else f"{digits[:5]}-{digits[5:]}")


def _postcode(text: str, match: re.Match[str], value: str) -> Entity:
    return Entity("postcode", value, text[match.start() : match.end()], match.start(), match.end())


def _as_postcode(order: Entity) -> Entity:
    return Entity("postcode", order.text, order.text, order.start, order.end)


def _digits_are_postcode(plain: str, match: re.Match[str], pending: str | None) -> bool:
    before = plain[max(0, match.start() - _REACH) : match.start()]
    if _POSTCODE_CUE.search(before) or _STATE_CUE.search(before):
        return True
    return pending in ("identity", "address") and len(match.group()) == 5

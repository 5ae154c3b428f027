"""Free text addresses, as people type them into a chat."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orders.errors import AddressError

LONGEST = 240

# Postcodes are looked for from the most telling shape to the least, and the last match wins: a house
# number comes first, a postcode last.
_POSTCODES = (
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b", re.I),  # LS1 4DY
    re.compile(r"\b\d{5}-\d{3,4}\b"),  # 04534-011, 78784-1234
    re.compile(r"\b\d{4} ?[A-Z]{2}\b"),  # 1012 AB
    re.compile(r"\b\d{3} \d{2}\b"),  # 113 47
    re.compile(r"\b\d{4,5}\b"),  # 78784, 1050
)
_STATE = re.compile(r"^(?P<city>.*?)[ ,]+(?P<state>[A-Z]{2})$")


@dataclass(frozen=True, slots=True)
class Address:
    line1: str
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""


def parse_address(text: str) -> Address:
    """Split "4 Mill Lane, Leeds LS1 4DY" into its parts, as far as they can be told apart.

    What cannot be told apart stays in `line1`, so nothing that the customer wrote is lost.
    Raises AddressError where the text cannot be an address.
    """
    parts = [part for part in (re.sub(r"\s+", " ", p).strip(" .") for p in re.split(r"[,;\n]", text)) if part]
    whole = ", ".join(parts)
    if len(whole) > LONGEST:
        raise AddressError(f"The address is longer than {LONGEST} characters; please shorten it.")
    if not re.search(r"\d", whole) or len(re.findall(r"[^\W\d_]{2,}", whole)) < 2:
        raise AddressError("The address needs a street with its number and a town or postcode.")
    at, postcode = _find_postcode(parts)
    if not postcode:
        return Address(*_lines(parts))
    rest = " ".join(parts[at].replace(postcode, " ").split())
    street = parts[:at]
    if not rest and len(street) > 1:  # "12 Elm Street, Springfield, 62704"
        rest = street.pop()
    if _is_state(rest) and len(street) > 1:  # "12 Elm Street, Springfield, IL 62704"
        rest = f"{street.pop()} {rest}"
    city, region = _city(rest)
    line1, line2 = _lines(street or [rest])
    return Address(line1, line2, city if street else "", region, postcode.upper())


def _find_postcode(parts: list[str]) -> tuple[int, str]:
    for pattern in _POSTCODES:
        for index in range(len(parts) - 1, -1, -1):
            found = [m for m in pattern.finditer(parts[index]) if index or m.start()]
            if found:
                return index, found[-1].group()
    return -1, ""


def _is_state(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z]{2}", text))


def _city(text: str) -> tuple[str, str]:
    match = _STATE.match(text)
    return (match["city"][:120], match["state"]) if match and match["city"] else (text[:120], "")


def _lines(parts: list[str]) -> tuple[str, str]:
    """All of the text in two fields of 120 characters, cut between words."""
    text = ", ".join(parts)
    if len(text) <= 120:
        return text, ""
    cut = text.rfind(" ", 0, 121)
    cut = cut if cut > 0 else 120
    return text[:cut].rstrip(), text[cut:].strip()[:120]

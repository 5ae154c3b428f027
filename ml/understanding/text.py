"""What the encoder gets to read: entities replaced by one stand-in each, noise taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ml.types import Entity

_STAND_IN = {"order_number": "#12345", "email": "me@example.com", "postcode": "LS1 1AA"}

# "Where is order no. W2611340" asks what "where is my order" asks; "it's W2611340" only gives a number.
_NAMED = re.compile(r"(?:\b(?:my|the)\s+)?(?:\border\s*)?(?:\b(?:number|no|nr)\b\.?\s*)?[#:]?\s*$", re.I)
_REACH = 40  # characters before a number in which it may be called an order number
_GIVING = frozenset(
    re.findall(
        r"\S+",
        "a address an and at code email for from go have hello here hi i id is it it's its mail my no nr "
        "number of ok on order ordered please postal postcode ref reference s sorry sure that that's "
        "thats the then think this under was with yes you zip",
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:'\w+)?")
_DETERMINER = re.compile(r"\b(?:my|the|that|this|our) (?:\w+ )?$", re.I)
_TAG = re.compile(r"<[^<>]{0,200}>")
_HANDLE = re.compile(r"(?<!\w)@\w{2,30}:?")
_URL = re.compile(r"https?://\S{1,300}")
_SPACE = re.compile(r"\s+")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")  # "helloooo"
_MARKS = re.compile(r"([!?.,])[!?.,]*\1")

# The encoder sees 256 word pieces. A question stands at the start or at the end of a long message.
_HEAD, _TAIL = 600, 400


def prepare(text: str, entities: Sequence[Entity] = ()) -> str:
    """At most about a thousand characters, on one line."""
    return _tidied(_replaced(text, entities, _STAND_IN))


def _tidied(text: str) -> str:
    text = _HANDLE.sub(" ", _URL.sub("link", _TAG.sub(" ", text)))
    text = _SPACE.sub(" ", text).strip()
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]} {text[-_TAIL:]}"
    return _MARKS.sub(r"\1", _REPEATED.sub(r"\1\1", text))


def asking(text: str, entities: Sequence[Entity]) -> str:
    """What a message asks, without what it gives: "cancel my order" for "cancel DS-10023, jo@example.com"."""
    return _replaced(text, entities, dict.fromkeys(_STAND_IN, ""))


def as_item(text: str, entities: Sequence[Entity]) -> str:
    """What is asked about a thing the customer has ordered, whatever it is called: "where is my item"."""
    return _tidied(_replaced(text, entities, _STAND_IN | {"product": "my item"}))


def _replaced(text: str, entities: Sequence[Entity], stand_in: Mapping[str, str]) -> str:
    asks = any(word.lower() not in _GIVING for word in _WORD.findall(without(text, entities)))
    begun = len(text)
    for entity in sorted(entities, key=lambda found: found.start, reverse=True):
        if entity.kind in stand_in and entity.end <= begun:  # two readings of one number are one stand-in
            before, after, begun = text[: entity.start], text[entity.end :], entity.start
            if asks and entity.kind == "order_number":
                text = f"{before[:-_REACH]}{_NAMED.sub(' ', before[-_REACH:])}my order{after}"
            else:
                before = _DETERMINER.sub("", before) if entity.kind == "product" else before
                text = f"{before}{stand_in[entity.kind]}{after}"
    return text


def without(text: str, entities: Sequence[Entity]) -> str:
    """The text with its entities taken out."""
    for entity in sorted(entities, key=lambda found: found.start, reverse=True):
        text = f"{text[: entity.start]} {text[entity.end :]}"
    return text


def is_readable(text: str) -> bool:
    """Whether the encoder, which knows English, can make anything of it: letters, mostly Latin."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(character < "ɐ" for character in letters)
    return bool(letters) and latin * 2 >= len(letters)

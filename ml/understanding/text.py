"""What the encoder gets to read: entities replaced by one stand-in each, noise taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ml.types import Entity

# Every order number reads alike to the encoder, so "where is <number>" is learned once.
_STAND_IN = {"order_number": "#12345", "email": "me@example.com", "postcode": "LS1 1AA"}
_TAG = re.compile(r"<[^<>]{0,200}>")
_URL = re.compile(r"https?://\S{1,300}")
_SPACE = re.compile(r"\s+")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")  # "helloooo"
_MARKS = re.compile(r"([!?.,])[!?.,]*\1")

# The encoder sees 256 word pieces. A question stands at the start or at the end of a long message.
_HEAD, _TAIL = 600, 400


def prepare(text: str, entities: Sequence[Entity] = ()) -> str:
    """At most about a thousand characters, on one line."""
    begun = len(text)
    for entity in sorted(entities, key=lambda found: found.start, reverse=True):
        if entity.end <= begun:  # two readings of one number are one stand-in
            text = f"{text[: entity.start]}{_STAND_IN[entity.kind]}{text[entity.end :]}"
            begun = entity.start
    text = _URL.sub("link", _TAG.sub(" ", text))
    text = _SPACE.sub(" ", text).strip()
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]} {text[-_TAIL:]}"
    return _MARKS.sub(r"\1", _REPEATED.sub(r"\1\1", text))


def is_readable(text: str) -> bool:
    """Whether the encoder, which knows English, can make anything of it: letters, mostly Latin."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(character < "ɐ" for character in letters)
    return bool(letters) and latin * 2 >= len(letters)

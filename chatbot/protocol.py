"""The websocket protocol, typed both ways. Parsing knows no database.

browser → server
  {"type": "hello", "conversation": uuid | "", "token": str, "last_seq": int, "identity": str, "page": str}
  {"type": "message", "id": str, "text": str, "value": str}   value: the button pressed, else ""
  {"type": "typing"}
  {"type": "ping"}

server → browser
  welcome  conversation, token, seq, state, shop, verified     then the messages after last_seq
  ack      id, seq                                       the message is stored
  message  seq, author, name, text, at, quick_replies, card, reply_to (seq or null), id (own messages)
  delta    reply_to, index, text                         piece `index` of the reply to message `reply_to`
  typing   author                                        shown for a few seconds, or until a message comes
  state    state                                         bot | waiting | staff | closed
  error    code, text, id                                the socket stays open
  pong     seq      the last of the conversation: a browser behind it says hello again
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

MAX_FRAME_BYTES = 64 * 1024
MAX_ID_CHARS = 64
MAX_VALUE_CHARS = 120


class FrameError(Exception):
    """A frame that cannot be used. `text` is what the customer reads."""

    def __init__(self, code: str, text: str, *, id: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.id = code, text, id


@dataclass(frozen=True, slots=True)
class Hello:
    conversation: UUID | None
    token: str
    last_seq: int
    identity: str
    page: str


@dataclass(frozen=True, slots=True)
class Said:
    id: str
    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Typing:
    pass


@dataclass(frozen=True, slots=True)
class Ping:
    pass


Frame = Hello | Said | Typing | Ping


def parse(raw: str | bytes | None, *, max_chars: int) -> Frame:
    """One frame from the wire. Raises FrameError with a sentence for the customer."""
    if raw is None or isinstance(raw, bytes):
        raise FrameError("not_text", "That could not be read. Please send text.")
    if len(raw.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise FrameError("too_large", _too_long(max_chars))
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FrameError("not_json", "That could not be read. Please try again.") from error
    if not isinstance(data, dict):
        raise FrameError("not_json", "That could not be read. Please try again.")
    match data.get("type"):
        case "hello":
            return _hello(data)
        case "message":
            return _said(data, max_chars)
        case "typing":
            return Typing()
        case "ping":
            return Ping()
    raise FrameError("unknown_type", "This page is out of date. Please reload it.", id=_own_id(data))


def _hello(data: dict[str, Any]) -> Hello:
    last_seq = data.get("last_seq", 0)
    if not isinstance(last_seq, int) or isinstance(last_seq, bool) or not 0 <= last_seq < 2**31:
        raise FrameError("bad_hello", "This page is out of date. Please reload it.")
    try:
        conversation = UUID(_text(data, "conversation", 64)) if data.get("conversation") else None
    except ValueError as error:
        raise FrameError("bad_hello", "This page is out of date. Please reload it.") from error
    return Hello(
        conversation,
        _text(data, "token", 200),
        last_seq,
        _text(data, "identity", 1000),
        _text(data, "page", 500),
    )


def _said(data: dict[str, Any], max_chars: int) -> Said:
    own_id = _own_id(data)
    if not own_id:
        raise FrameError("no_id", "This page is out of date. Please reload it.")
    text = data.get("text")
    if not isinstance(text, str):
        raise FrameError("no_text", "There was no text in that message.", id=own_id)
    text = clean(text)
    if not text:
        raise FrameError("empty", "There was no text in that message.", id=own_id)
    if len(text) > max_chars:
        raise FrameError("too_long", _too_long(max_chars), id=own_id)
    return Said(own_id, text, _text(data, "value", MAX_VALUE_CHARS))


def clean(text: str) -> str:
    """Text that Postgres can hold and a screen can show: no control characters, no lone surrogates,
    composed form, no blank ends."""
    text = text.encode("utf-8", "ignore").decode()
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    return unicodedata.normalize("NFC", text).strip()


def _own_id(data: dict[str, Any]) -> str:
    value = data.get("id")
    return clean(value) if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS else ""


def _text(data: dict[str, Any], key: str, limit: int) -> str:
    value = data.get(key, "")
    return clean(value)[:limit] if isinstance(value, str) else ""


def _too_long(max_chars: int) -> str:
    return f"That message is too long to read here. Please keep it under {max_chars:,} characters."

"""Frames from the wire: each bad one gets one clear sentence."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.protocol import FrameError, Hello, Ping, Said, Typing, clean, parse


def parsed(frame: object) -> object:
    return parse(json.dumps(frame), max_chars=4000)


def test_the_frames_a_browser_sends():
    conversation = uuid4()
    assert parsed({"type": "hello", "conversation": str(conversation), "token": "t", "last_seq": 3}) == Hello(
        conversation, "t", 3, "", ""
    )
    assert parsed({"type": "message", "id": "a", "text": " hi\x00 ", "value": "yes"}) == Said(
        "a", "hi", "yes"
    )
    assert parsed({"type": "typing"}) == Typing()
    assert parsed({"type": "ping"}) == Ping()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x00\x01", "not_text"),
        (None, "not_text"),
        ("{", "not_json"),
        ("[1]", "not_json"),
        ("[" * 100_000, "too_large"),
        ("[" * 30_000, "not_json"),
        ('"hello"', "not_json"),
        ('{"type": "drop_tables"}', "unknown_type"),
        ('{"type": 7}', "unknown_type"),
        ('{"type": "hello", "last_seq": -1}', "bad_hello"),
        ('{"type": "hello", "last_seq": true}', "bad_hello"),
        ('{"type": "hello", "conversation": "me"}', "bad_hello"),
        ('{"type": "message", "text": "hi"}', "no_id"),
        ('{"type": "message", "id": "a", "text": 7}', "no_text"),
        ('{"type": "message", "id": "a", "text": " \\n "}', "empty"),
        (json.dumps({"type": "message", "id": "a", "text": "x" * 4001}), "too_long"),
        (json.dumps({"type": "message", "id": "a", "text": "x" * 70_000}), "too_large"),
    ],
)
def test_bad_frames(raw, code):
    with pytest.raises(FrameError) as caught:
        parse(raw, max_chars=4000)
    assert caught.value.code == code
    assert caught.value.text.endswith(".")


@given(st.text(max_size=300))
def test_any_text_in_a_frame_is_a_message_or_a_clear_error(text):
    try:
        frame = parsed({"type": "message", "id": "a", "text": text})
    except FrameError as error:
        assert error.code == "empty"
        assert not clean(text)
    else:
        assert isinstance(frame, Said)
        frame.text.encode()  # no lone surrogate is left
        assert "\x00" not in frame.text


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_noise_never_raises_anything_else(raw):
    try:
        parse(raw, max_chars=100)
    except FrameError as error:
        assert error.text

"""Personal data is found and masked: what people type, and the public sets."""

from __future__ import annotations

import pytest

from benchmarks.long_messages import MESSAGES
from benchmarks.pii import measure
from ml.understanding.pii import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("my card is 4111 1111 1111 1111, thanks", "my card is [card], thanks"),
        ("card 4111-1111-1111-1111", "card [card]"),
        ("378282246310005", "[card]"),
        ("pay to GB82 WEST 1234 5698 7654 32 please", "pay to [iban] please"),
        ("de89370400440532013000", "[iban]"),
        ("Jo@Example.com or jo at mail dot example", "[email] or [email]"),
        ("call 07700 900123 or +1 (212) 555-0123", "call [phone] or [phone]"),
        ("ring me on 5550123", "ring me on [phone]"),
        ("send it to 12 Mill Lane, York YO1 7LZ", "send it to [address]"),
        ("flat 4, 27 Canal Street", "[address]"),
        ("I live at 18 maple avenue", "I live at [address]"),
        ("Musterstraße 12, Berlin", "[address]"),
    ],
)
def test_personal_data_is_masked(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "my order is #W2611340",
        "see you at 5 on the 3rd",
        "DS-10023 and order 2611340",
        "e481f51cbdc54678b7cc49136f2d6af7",
        "4111 1111 1111 1112",  # no card: its check digit is wrong
        "on 2026-11-23 09:15:00",
        "30.11.2026",
        "it cost £1,536.65",
        "127.0.0.1:8000",
        "3 days late and on the way",
        "models loaded in 2.4 s",
        "conversation 8f14e45f-ceea-467f-a5f2-0e6b1c2d3e4f not answered",
    ],
)
def test_what_is_nobodys_stays(text):
    assert mask(text) == text


@pytest.mark.parametrize("text", MESSAGES)
def test_what_was_masked_holds_nothing_to_mask(text):
    masked = mask(text)
    assert mask(masked) == masked


def test_the_public_sets(shared_data):
    shares = measure(shared_data)
    assert shares["recall"]["all"] >= 0.99
    assert shares["precision"]["all"] >= 0.95

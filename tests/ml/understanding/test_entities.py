from __future__ import annotations

import time

import pytest

from ml.understanding.entities import DEFAULT_ORDER_PATTERNS, find

HEX = "e481f51cbdc54678b7cc49136f2d6af7"


def values(text, kind, *, pending=None, patterns=DEFAULT_ORDER_PATTERNS):
    return [
        entity.value for entity in find(text, order_patterns=patterns, pending=pending) if entity.kind == kind
    ]


@pytest.mark.parametrize(
    "written",
    [
        "#W2611340",
        "W2611340",
        "w2611340",
        "w 2611340",
        "W-2611340",
        "W‑2611340",  # a non-breaking hyphen
        "W – 2611340",
        "W\u00a02611340",  # a no-break space
        "W\u200b2611340",  # a zero-width space
        "W 261 1340",
        "# W2611340",
        "#w-2611340",
        "№ W2611340",
        "order no. W2611340",
        "order number: W2611340",
        "Order#W2611340",
        "orderW2611340",
        "my order is #W2611340!",
        "where is (W2611340)?",
        "it's W2611340, thanks",
        "W2611340.",
        "2611340",
        "#2611340",
        "order 2611340 please",
        "w٢٦١١٣٤٠",  # Arabic digits, as some keyboards type them
        "Ｗ２６１１３４０",  # full width
        "<b>W2611340</b>",
        "https://shop.example/orders/W2611340?lang=en",
    ],
)
def test_an_order_number_is_found_in_every_notation(written):
    assert values(written, "order_number") == ["#W2611340"]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("DS-10023", "DS-10023"),
        ("ds10023", "DS-10023"),
        ("ds 10023", "DS-10023"),
        ("is DS–10023 sent?", "DS-10023"),
        ("order 10023", "DS-10023"),
        (HEX, HEX),
        (HEX.upper(), HEX),
        (f"where is {HEX}?", HEX),
    ],
)
def test_other_shops_patterns_are_normalised_too(written, number):
    assert values(written, "order_number") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "X2611340",  # another shop's
        "#W26113401",
        "#W261134",
        "call me on 07700 900123",
        "+442611340000",
        "it cost £2611340",
        "in 2024 I bought 12345 of them",
        "on 2026-11-23",
        "w2611340@example.com",
        HEX[:31],
        "track 1Z999AA10123456784",
    ],
)
def test_numbers_of_other_things_are_no_orders(text):
    assert values(text, "order_number") == []


def test_two_orders_in_reading_order():
    found = values("W2611340 and also ds-10023", "order_number")
    assert found == ["#W2611340", "DS-10023"]


def test_the_span_is_what_was_written():
    text = "hello, about w 2611340 then"
    (entity,) = find(text, order_patterns=DEFAULT_ORDER_PATTERNS)
    assert text[entity.start : entity.end] == entity.text == "w 2611340"


def test_a_shop_brings_its_own_pattern():
    assert values("about inv/000123", "order_number", patterns=[r"INV/\d{6}"]) == ["INV/000123"]
    assert values("nothing here 2611340", "order_number", patterns=[]) == []


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("jo@example.com", "jo@example.com"),
        ("JO@EXAMPLE.COM", "jo@example.com"),
        ("it's jo@example.com.", "jo@example.com"),
        ("(jo@example.com)", "jo@example.com"),
        ("<jo@example.com>", "jo@example.com"),
        ("jo@example.com!!", "jo@example.com"),
        ("mailto:jo@example.com", "jo@example.com"),
        ("Jo.O'Neil+shop@mail.example.co.uk, hi", "jo.o'neil+shop@mail.example.co.uk"),
        ("email:jo_99@example.org;", "jo_99@example.org"),
        ("zoë@example.com", "zoë@example.com"),
    ],
)
def test_an_email_is_found_and_lowered(text, email):
    assert values(text, "email") == [email]


@pytest.mark.parametrize("text", ["jo@", "@example.com", "jo@localhost", "jo at example", "a@b"])
def test_half_an_email_is_none(text):
    assert values(text, "email") == []


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("LS1 4DY", "LS1 4DY"),
        ("ls14dy", "LS1 4DY"),
        ("it's sw1a 1aa.", "SW1A 1AA"),
        ("my zip is 75034", "75034"),
        ("postcode: 75034", "75034"),
        ("post code 75034-1234", "75034-1234"),
        ("Austin, TX 78701", "78701"),
        ("01310-100", "01310-100"),
        ("meu CEP 01310100", "01310-100"),
    ],
)
def test_a_postcode_is_found(text, postcode):
    assert values(text, "postcode") == [postcode]


@pytest.mark.parametrize(
    "text", ["12345", "I paid 12345", "between 3 and 5pm", "at 5 2am", "I bought 2 4th of May"]
)
def test_not_every_number_is_a_postcode(text):
    assert values(text, "postcode") == []


def test_a_bare_number_that_answers_who_are_you_can_be_either():
    assert values("10023", "order_number", pending="identity") == ["DS-10023"]
    assert values("10023", "postcode", pending="identity") == ["10023"]


def test_beside_an_order_number_five_digits_are_the_postcode():
    assert values("W2611340, 75034", "order_number", pending="identity") == ["#W2611340"]
    assert values("W2611340, 75034", "postcode", pending="identity") == ["75034"]


def test_everything_in_one_message():
    text = "Order no. w-2611340, Jo@Example.com, postcode ls1 4dy"
    assert values(text, "order_number") == ["#W2611340"]
    assert values(text, "email") == ["jo@example.com"]
    assert values(text, "postcode") == ["LS1 4DY"]


@pytest.mark.parametrize(
    "text",
    [
        "W " * 5000,
        "1" * 10_000,
        "1 " * 5000,
        "1-" * 5000,
        "a@" * 5000,
        "a." * 5000 + "@",
        "a@" + "b." * 5000,
        "order " * 1600,
        "w1 " * 3300,
        "f" * 10_000,
        "ab12" * 2500,
        "٣" * 10_000,
        "<" * 10_000,
    ],
)
def test_hostile_text_costs_no_time(text):
    begun = time.perf_counter()
    find(text, order_patterns=DEFAULT_ORDER_PATTERNS, pending="identity")
    assert time.perf_counter() - begun < 0.5

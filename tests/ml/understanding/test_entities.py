from __future__ import annotations

from datetime import date

import pytest

from benchmarks.long_messages import MESSAGES
from ml.types import Known
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS, find

TODAY = date(2026, 11, 26)
KETTLE, CHAIR = "Blue enamel kettle", "Garden chair"
AT_HOME = Known(TODAY, "GB", (KETTLE, CHAIR, "Cotton duvet set", "Feather pillow (2 pack)", "Phone case"))
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
        "order no. w 2611340",
        "the number is 2611340",
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
        ("it's number 10023", "DS-10023"),
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
        ("amara at example dot com", "amara@example.com"),
        ("it's amara.o at mail dot example dot com thanks", "amara.o@mail.example.com"),
        ("jo (at) example.com", "jo@example.com"),
        ("jo @ example . com", "jo@example.com"),
    ],
)
def test_an_email_is_found_and_lowered(text, email):
    assert values(text, "email") == [email]


@pytest.mark.parametrize(
    "text",
    [
        "jo@",
        "@example.com",
        "jo@localhost",
        "jo at example",
        "a@b",
        "look at example.com",
        "I was at home. dot",
    ],
)
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


@pytest.mark.parametrize("text", MESSAGES)
def test_of_a_message_made_to_cost_time_only_what_stands_in_it_is_found(text):
    for entity in find(text, order_patterns=DEFAULT_ORDER_PATTERNS, pending="identity", known=AT_HOME):
        assert entity.text == text[entity.start : entity.end] != ""


def found(text, kind, *, known=None, pending=None):
    entities = find(text, order_patterns=DEFAULT_ORDER_PATTERNS, known=known or AT_HOME, pending=pending)
    return [entity.value for entity in entities if entity.kind == kind]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("will it come today", "2026-11-26"),
        ("tomorow?", "2026-11-27"),
        ("the courier came yesterday", "2026-11-25"),
        ("the day after tomorrow", "2026-11-28"),
        ("tuesday?", "2026-12-01"),
        ("is it here by sat", "2026-11-28"),
        ("it was due on Tuesday", "2026-11-24"),
        ("I've waited since monday", "2026-11-23"),
        ("it should have come on wednesday", "2026-11-25"),
        ("next friday", "2026-12-04"),
        ("this friday", "2026-11-27"),
        ("last friday", "2026-11-20"),
        ("friday next week", "2026-12-04"),
        ("in two days", "2026-11-28"),
        ("in a week's time", "2026-12-03"),
        ("ordered 10 days ago", "2026-11-16"),
        ("a fortnight ago", "2026-11-12"),
        ("before the 3rd please", "2026-12-03"),
        ("I ordered on the 3rd", "2026-11-03"),
        ("3 December", "2026-12-03"),
        ("on Monday 30th November", "2026-11-30"),
        ("Nov 20th", "2026-11-20"),
        ("on 5 january", "2027-01-05"),
        ("2026-11-23", "2026-11-23"),
        ("30.11.2026", "2026-11-30"),
        ("3/12", "2026-12-03"),
        ("3/12/26", "2026-12-03"),
        ("11/20", "2026-11-20"),
    ],
)
def test_a_day_is_seen_from_today_which_is_a_thursday(text, day):
    assert found(text, "date") == [day]


def test_an_american_writes_the_month_first():
    assert found("will it come 12/3", "date", known=Known(TODAY, "US")) == ["2026-12-03"]
    assert found("will it come 12/3", "date", known=Known(TODAY, "GB")) == ["2027-03-12"]


@pytest.mark.parametrize(
    "text",
    [
        "do you deliver on sundays",
        "every friday",
        "within three days",
        "the 2nd one",
        "on the 3rd floor",
        "1/2 price",
        "open 24/7",
        "31/2",
        "I sat and waited",
        "the sun is out",
        "you may ask 3 times",
        "DS-10023",
        "my order 3/12345",
        "version 2.10.3",
    ],
)
def test_what_only_looks_like_a_day(text):
    assert found(text, "date") == []


def test_without_today_no_day_is_read():
    assert found("tomorrow", "date", known=Known(country="GB")) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("it cost £24.10", "24.10 GBP"),
        ("24,10 €", "24.10 EUR"),
        ("$1,536.65", "1536.65 USD"),
        ("1.536,65 euro", "1536.65 EUR"),
        ("20 quid", "20.00 GBP"),
        ("USD 30", "30.00 USD"),
        ("R$ 128,45", "128.45 BRL"),
        ("i paid 30 bucks", "30.00 USD"),
    ],
)
def test_a_sum_has_its_currency(text, value):
    assert found(text, "amount") == [value]


def test_dollars_are_those_of_the_customers_country():
    assert found("$20", "amount", known=Known(TODAY, "CA")) == ["20.00 CAD"]


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("call me on 07700 900123", "GB", "+447700900123"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("ring 0151 496 0123 please", "GB", "+441514960123"),
    ],
)
def test_a_telephone_number_can_be_dialled(text, country, number):
    assert found(text, "phone", known=Known(TODAY, country)) == [number]


@pytest.mark.parametrize(
    "text", ["W2611340", "order 2611340", "2611340 62704", "01310-100", "2026-11-23", "£2611340"]
)
def test_not_every_number_is_a_telephone(text):
    assert found(text, "phone") == []


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("where is the blue kettle", KETTLE),
        ("the blue ketle", KETTLE),
        ("my kettels!", KETTLE),
        ("blue one", KETTLE),
        ("has the chair been sent", CHAIR),
        ("garden chairs", CHAIR),
        ("duvet", "Cotton duvet set"),
        ("one of the pillows is ripped", "Feather pillow (2 pack)"),
        ("my phone case", "Phone case"),
    ],
)
def test_a_product_is_one_of_the_customers_own_items(text, item):
    assert found(text, "product") == [item]


@pytest.mark.parametrize(
    "text",
    [
        "where is my sofa",
        "my phone number",
        "is it the second one",
        "the set",
        "garden",
        "how about this one",
        "charm",
        "I feel blue",
    ],
)
def test_what_is_no_item_of_theirs(text):
    assert found(text, "product") == []


def test_words_that_fit_two_items_name_both_and_a_colour_decides():
    two = Known(TODAY, "GB", (KETTLE, "Red kettle"))
    assert sorted(found("the kettle", "product", known=two)) == [KETTLE, "Red kettle"]
    assert found("the red kettle", "product", known=two) == ["Red kettle"]


def test_two_things_in_one_message():
    assert found("where's the kettle and the garden chair", "product") == [KETTLE, CHAIR]


def test_a_colour_answers_which_order():
    assert found("blue", "product", pending="which_order") == [KETTLE]

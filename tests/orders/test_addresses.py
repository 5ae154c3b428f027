from __future__ import annotations

import pytest

from orders.addresses import Address, parse_address
from orders.errors import AddressError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 Mill Lane, Leeds LS1 4DY", Address("4 Mill Lane", city="Leeds", postcode="LS1 4DY")),
        ("4 Mill Lane\nLeeds\nls1 4dy", Address("4 Mill Lane", city="Leeds", postcode="LS1 4DY")),
        (
            "Flat 2, 4 Mill Lane, Leeds, LS14DY.",
            Address("Flat 2, 4 Mill Lane", city="Leeds", postcode="LS14DY"),
        ),
        (
            "12 Elm Street, Springfield, IL 62704",
            Address("12 Elm Street", city="Springfield", region="IL", postcode="62704"),
        ),
        (
            "12345 Elm Street, Austin TX 78784-1234",
            Address("12345 Elm Street", city="Austin", region="TX", postcode="78784-1234"),
        ),
        (
            "Rua das Flores 12, 04534-011 São Paulo",
            Address("Rua das Flores 12", city="São Paulo", postcode="04534-011"),
        ),
        ("Damrak 70, 1012 LM Amsterdam", Address("Damrak 70", city="Amsterdam", postcode="1012 LM")),
        ("Lindenweg 5; 50667 Köln", Address("Lindenweg 5", city="Köln", postcode="50667")),
        ("12345 Elm Street", Address("12345 Elm Street")),
        ("the blue house at 7 Harbour Row", Address("the blue house at 7 Harbour Row")),
    ],
)
def test_addresses_as_people_type_them(text, expected):
    assert parse_address(text) == expected


def test_a_long_street_is_kept_in_two_lines():
    parsed = parse_address(
        "Flat 12 on the third floor of the house behind the old mill, " * 2 + "4 Mill Lane, Leeds LS1 4DY"
    )
    assert len(parsed.line1) <= 120
    assert parsed.line1 + " " + parsed.line2 == (
        "Flat 12 on the third floor of the house behind the old mill, "
        "Flat 12 on the third floor of the house behind the old mill, 4 Mill Lane"
    )


@pytest.mark.parametrize(
    "text", ["", ",;\n", "no", "somewhere nice", "123 456", "<b>1</b>", "1 " + "a" * 300]
)
def test_what_cannot_be_an_address_is_refused_in_one_sentence(text):
    with pytest.raises(AddressError, match=r"^The address .+\.$"):
        parse_address(text)

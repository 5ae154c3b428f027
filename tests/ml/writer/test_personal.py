"""An email that could have had its reader's name and item in it."""

from __future__ import annotations

from ml.writer.personal import PATIENCE, Personal


def test_a_greeting_has_the_name_where_there_is_one():
    assert not Personal({"first_name"})("Hello,")
    assert Personal({"first_name"})("Hi {first_name},")
    assert Personal(())("Hello,")


def test_the_item_is_asked_for_after_the_greeting_until_it_is_told():
    judge = Personal({"item"})
    assert judge("Order {order}: on its way")  # the subject
    assert judge("Hello,")
    assert not judge("It is on its way.")
    assert judge("Your {item} is on its way.")
    assert judge("It should be with you on {likely_day}.")


def test_patience_ends():
    judge = Personal({"item"})
    judge("Hello,")
    assert [judge("It is on its way.") for _ in range(PATIENCE + 1)] == [False] * PATIENCE + [True]

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders import lookups
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return factories.customer(email="Ada.Lovell@mail.example", postcode="LS1 4DY")


@pytest.fixture
def order(ada):
    return factories.order(of=ada, number="#W2611340", postcode="YO31 7EA")


@pytest.mark.parametrize("number", ["#W2611340", "w 2611340", "W-26 11340", "#w2611340 "])
@pytest.mark.parametrize(
    "proof", ["ada.lovell@mail.example", " ADA.LOVELL@MAIL.EXAMPLE ", "LS1 4DY", "ls14dy", "yo31 7ea"]
)
def test_number_and_proof_that_belong_together_open_the_order(ada, order, number, proof):
    assert lookups.verify(order_number=number, proof=proof) == ada


@pytest.mark.parametrize(
    ("number", "proof"),
    [
        ("#W2611340", "someone@else.example"),
        ("#W2611340", "LS1 4DZ"),
        ("#W2611340", ""),
        ("#W2611340", "   "),
        ("#W9999999", "ada.lovell@mail.example"),
        ("", "ada.lovell@mail.example"),
        ("???", "nobody"),
        ("#W2611340' OR 1=1 --", "x"),
        ("#W2611340" * 1000, "LS1 4DY" * 1000),
        ("\x00", "\x00"),
    ],
)
def test_every_pair_that_does_not_belong_together_gets_the_same_answer(order, number, proof):
    assert lookups.verify(order_number=number, proof=proof) is None


def test_unknown_numbers_and_wrong_proofs_cost_the_same_queries(order, django_assert_num_queries):
    for number, proof in [("#W2611340", "wrong@mail.example"), ("#W0000001", "wrong@mail.example")]:
        with django_assert_num_queries(1):
            assert lookups.verify(order_number=number, proof=proof) is None


def test_another_customers_proof_opens_nothing(order):
    stranger = factories.customer(email="ben@mail.example", postcode="M1 2AB")
    factories.order(of=stranger)
    assert lookups.verify(order_number=order.number, proof=stranger.email) is None
    assert lookups.verify(order_number=order.number, proof=stranger.postcode) is None


def test_a_customer_without_email_and_postcode_cannot_be_proven_by_nothing():
    blank = factories.customer(email="", postcode="")
    order = factories.order(of=blank, postcode="")
    for proof in ("", " ", "0", "00000", "-"):
        assert lookups.verify(order_number=order.number, proof=proof) is None


@pytest.mark.parametrize("proof", ["04534", "4534", "04534-011", "04534011"])
def test_a_postcode_is_the_same_without_leading_zeros_and_with_more_digits(proof):
    customer = factories.customer(email="", postcode="04534", country="BR")
    order = factories.order(of=customer, postcode="04534", country="BR")
    assert lookups.verify(order_number=order.number, proof=proof) == customer
    assert lookups.verify(order_number=order.number, proof="04535-011") is None


def test_a_signed_email_finds_whoever_ordered_last():
    now = timezone.now()
    old, new, never = (factories.customer(email="Twin@mail.example") for _ in range(3))
    factories.order(of=old, placed_at=now - timedelta(days=30))
    factories.order(of=new, placed_at=now - timedelta(days=2))
    assert never
    assert lookups.customer_by_email(email="twin@MAIL.example") == new
    assert lookups.customer_by_email(email="nobody@mail.example") is None
    assert lookups.customer_by_email(email="") is None


def test_orders_come_newest_first_with_all_that_belongs_to_them(ada, order, django_assert_max_num_queries):
    newer = factories.order(of=ada, placed_at=timezone.now() - timedelta(hours=1))
    undated = factories.order(of=ada, placed_at=None, shipped=False)
    factories.order()
    with django_assert_max_num_queries(5):
        found = lookups.orders_of(ada)
        assert [o.pk for o in found] == [newer.pk, order.pk, undated.pk]
        for each in found:
            assert [item.seller for item in each.items.all()] == [None]
            assert all(list(s.events.all()) for s in each.shipments.all())
            assert list(each.refunds.all()) == []
            assert each.customer.first_name == "Ada"


def test_at_most_fifty_orders_are_read(ada):
    for _ in range(52):
        factories.order(of=ada, shipped=False)
    assert len(lookups.orders_of(ada)) == lookups.SHOWN_ORDERS


def test_other_peoples_orders_do_not_exist(ada, order):
    stranger = factories.customer()
    assert lookups.order_of(ada, number="w2611340") == order
    assert lookups.order_by_id(ada, order.pk) == order
    assert lookups.order_of(stranger, number=order.number) is None
    assert lookups.order_by_id(stranger, order.pk) is None
    assert lookups.order_by_id(ada, 999_999_999) is None

"""A marketplace's 43,538 orders: imported, asked about, answered with facts only."""

from __future__ import annotations

import pytest

from orders.models import Order, Status
from tests.flows.conftest import ask, imported, unsupported

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module", autouse=True)
def shop(shared_data, django_db_setup, django_db_blocker, models):
    with imported("olist", shared_data / "orders" / "olist", django_db_blocker):
        yield


def some_orders(count: int, **conditions) -> list[Order]:
    rows = Order.objects.select_related("customer").filter(**conditions).order_by("number_key")
    return list(rows[:: max(1, rows.count() // count)][:count])


def question(n: int, order: Order) -> str:
    proof = order.customer.postcode
    return (
        f"where is my order {order.number}? my postcode is {proof}",
        f"Hi, order no. {order.number.upper()}, postcode {proof}. When will it arrive??",
        f"has {order.number} been delivered yet, zip code {proof}",
        f"still waiting for order {order.number}!! postcode {proof}",
    )[n % 4]


def test_the_import_is_whole():
    assert Order.objects.count() > 43_000
    assert not Order.objects.filter(status=Status.DELIVERED, items__isnull=True).exists()


def test_fifty_questions_get_fifty_answers_with_facts_only():
    orders = some_orders(50)
    answers = ask(*({"conversation": o.number, "text": question(n, o)} for n, o in enumerate(orders)))
    assert [a["conversation"] for a in answers] == [o.number for o in orders]
    assert {tuple(unsupported(a)) for a in answers} == {()}
    tracked = [a for a in answers if a["skill"] == "tracking"]
    assert len(tracked) >= 48, [a for a in answers if a["skill"] != "tracking"]
    assert len({a["reply"] for a in answers}) > 40


def test_a_delivered_order_is_told_with_its_own_day():
    order = some_orders(1, status=Status.DELIVERED)[0]
    answer = ask({"conversation": "a", "text": question(0, order)})[0]
    delivered = order.delivered_at.astimezone(order.customer.zone)
    assert f"{delivered:%A} {delivered.day} {delivered:%B}" in answer["reply"]


def test_a_strangers_postcode_opens_nothing():
    first, second = some_orders(2, customer__postcode__gt="")
    answer = ask(
        {"conversation": "a", "text": f"where is {first.number}, postcode {second.customer.postcode}"}
    )[0]
    assert answer["situation"] == "identity_failed"
    assert answer["facts"] == {}

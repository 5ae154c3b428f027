"""The τ-bench shop: all of its 1,000 orders, and a customer's whole visit in the terminal."""

from __future__ import annotations

import gzip
import json

import pytest
from django.core.management import call_command

from emails.models import Draft
from orders.models import OPEN, Order, Refund, Status
from tests.flows.conftest import ask, imported, unsupported

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module", autouse=True)
def shop(shared_data, django_db_setup, django_db_blocker, models):
    with imported("tau_retail", shared_data / "orders" / "tau_retail", django_db_blocker):
        yield


def test_every_order_is_there_with_its_items_and_total(shared_data):
    path = shared_data / "orders" / "tau_retail" / "orders.json.gz"
    source = json.loads(gzip.decompress(path.read_bytes()))
    rows = {o.number: o for o in Order.objects.prefetch_related("items")}
    assert len(rows) == len(source) == 1000
    for number, given in source.items():
        assert len(rows[number].items.all()) == len(given["items"])


def test_every_order_can_be_asked_for_and_no_reply_holds_a_fact_of_its_own():
    orders = list(Order.objects.select_related("customer").order_by("number_key")[::10])
    answers = ask(
        *({"conversation": o.number, "text": f"where is {o.number}? {o.customer.email}"} for o in orders)
    )
    assert len(answers) == len(orders) == 100
    assert {tuple(unsupported(a)) for a in answers} == {()}
    assert {a["skill"] for a in answers} == {"tracking"}
    assert all(a["facts"].get("order", a["facts"].get("delivered_day")) for a in answers)


@pytest.mark.parametrize("written", ["#{}", "{}", "{} ", "order no. {}", "w {digits}", "W-{digits}"])
def test_the_number_in_any_notation(written):
    order = Order.objects.select_related("customer").get(number="#W2611340")
    text = written.format("W2611340", digits="2611340")
    answer = ask({"conversation": "a", "text": f"where is {text}, email {order.customer.email}"})[0]
    assert answer["skill"] == "tracking"


def test_a_visit_ends_with_a_cancelled_order_and_one_email():
    order = Order.objects.select_related("customer").filter(status__in=OPEN).first()
    answers = ask(
        {"conversation": "a", "text": "hello"},
        {"conversation": "a", "text": "i want to cancel my order"},
        {"conversation": "a", "text": order.number},
        {"conversation": "a", "text": order.customer.email},
        {"conversation": "a", "text": "yes"},
        {"conversation": "a", "text": "email me the timeline please"},
        {"conversation": "a", "text": "email me the timeline"},
        {"conversation": "a", "text": "thanks, bye"},
    )
    assert [a["situation"] for a in answers[:7]] == [
        "greeting",
        "ask_identity",
        "ask_proof",
        "cancel_confirm",
        "cancel_done",
        "email_queued",
        "email_already",
    ]
    order.refresh_from_db()
    assert order.status == Status.CANCELLED
    assert Draft.objects.filter(order=order).count() == 1
    assert not Refund.objects.filter(order=order, state=Refund.State.PAID).exists()
    assert {tuple(unsupported(a)) for a in answers} == {()}


def test_importing_again_changes_nothing(shared_data, capsys):
    before = Order.objects.order_by("pk").values_list("pk", "updated_at")
    known = list(before)
    call_command(
        "import_orders", str(shared_data / "orders" / "tau_retail"), format="tau_retail", verbosity=0
    )
    assert list(before.all()) == known

"""The shop's rows in the admin: found, shown, and not to be forged."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chatbot import knowledge
from chatbot.models import EMBEDDING_DIMENSIONS, Article, Passage
from orders.models import Refund
from tests import factories

pytestmark = pytest.mark.django_db


def text(response):
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("search", ["#W2611340", "w 2611340", "ada@mail.example", "Lovell", "LS1 4DY"])
def test_an_order_is_found(as_nina, search):
    ada = factories.customer(email="ada@mail.example")
    factories.order(of=ada, number="#W2611340")
    other = factories.customer(first_name="Bo", last_name="Ek", email="bo@mail.example", postcode="11122")
    factories.order(of=other, number="DS-77777", postcode="11122")
    page = text(as_nina.get("/desk/orders/order/", {"q": search}))
    assert "#W2611340" in page
    assert "DS-77777" not in page


def test_an_order_shows_items_parcels_events_and_refunds(as_nina):
    order = factories.order(items=("kettle", "lamp"), status="delivered")
    Refund.objects.create(order=order, amount=Decimal("9.90"), reason="chipped")
    page = text(as_nina.get(f"/desk/orders/order/{order.pk}/change/"))
    for shown in ("kettle", "lamp", "Northline", "hand-over to the carrier, Leeds", "chipped"):
        assert shown in page
    assert 'name="status"' not in page  # the rules of the order decide it


@pytest.mark.parametrize(("status", "may"), [("placed", True), ("shipped", False)])
def test_an_address_is_edited_only_while_the_order_allows_it(as_nina, status, may):
    page = text(as_nina.get(f"/desk/orders/order/{factories.order(status=status).pk}/change/"))
    assert ('name="line1"' in page) == may


def test_a_customer_with_orders(as_nina):
    ada = factories.customer()
    order = factories.order(of=ada)
    page = text(as_nina.get("/desk/orders/customer/", {"q": order.number}))
    assert str(ada) in page
    assert order.number in text(as_nina.get(f"/desk/orders/customer/{ada.pk}/change/"))


@pytest.mark.parametrize("model", ["orders/order", "orders/customer", "chatbot/conversation"])
def test_lists_cost_the_same_for_a_hundred_rows(as_nina, nina, django_assert_max_num_queries, model):
    for _ in range(100):
        order = factories.order(status="placed")
        factories.message(factories.conversation(of=order.customer, assignee=nina, state="staff"))
    with django_assert_max_num_queries(14):
        text(as_nina.get(f"/desk/{model}/"))


def test_a_conversation_opens_at_the_desk(as_nina):
    conversation = factories.conversation()
    answer = as_nina.get(f"/desk/chatbot/conversation/{conversation.pk}/change/")
    assert answer["Location"] == f"/desk/conversations/{conversation.pk}/"


def test_an_article_shows_its_passages_and_no_embedding(as_nina):
    article = Article.objects.create(
        slug="returns", title="Returns", body="Thirty days.", intents=["get_refund"]
    )
    Passage.objects.create(
        article=article, position=0, text="You have thirty days.", embedding=[0.125] * EMBEDDING_DIMENSIONS
    )
    page = text(as_nina.get(f"/desk/chatbot/article/{article.pk}/change/"))
    assert "You have thirty days." in page
    assert "0.125" not in page


def test_an_edited_article_is_no_longer_quoted_and_waits_to_be_indexed(as_nina):
    article = Article.objects.create(slug="returns", title="Returns", body="Thirty days.")
    Passage.objects.create(
        article=article, position=0, text="Thirty days.", embedding=[0.1] * EMBEDDING_DIMENSIONS
    )
    assert knowledge.unindexed() == []
    form = {
        "title": "Returns", "slug": "returns", "body": "Sixty days.", "intents": "get_refund",
        "passages-TOTAL_FORMS": 0, "passages-INITIAL_FORMS": 0,
    }  # fmt: skip
    as_nina.post(f"/desk/chatbot/article/{article.pk}/change/", form)
    article.refresh_from_db()
    assert article.body == "Sixty days."
    assert not article.passages.exists()
    assert knowledge.unindexed() == [article]


@pytest.mark.parametrize("path", ["orders/order/add/", "orders/customer/add/", "chatbot/conversation/add/"])
def test_rows_of_the_shop_are_not_made_by_hand(as_nina, path):
    assert as_nina.get(f"/desk/{path}").status_code == 403


@pytest.mark.parametrize("path", ["orders/seller/", "chatbot/article/", "auth/user/", "auth/user/add/"])
def test_other_pages_open(as_nina, path):
    factories.order()
    text(as_nina.get(f"/desk/{path}"))


def test_staff_without_permission_have_the_desk_but_not_the_records(as_tom):
    factories.message(factories.conversation())
    page = text(as_tom.get("/desk/conversations/"))
    assert "/desk/orders/order/" not in page
    assert as_tom.get("/desk/orders/order/").status_code == 403

"""The list: who comes first, who is found, and what it costs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories

pytestmark = pytest.mark.django_db
URL = "/desk/conversations/"


def names(response) -> list[str]:
    return re.findall(r'<span class="dk-name">(.*?)</span>', response.content.decode())


def talking(name, **fields):
    conversation = factories.conversation(of=factories.customer(first_name=name, last_name="Hale"), **fields)
    factories.message(conversation, f"It is {name} here")
    return conversation


def test_most_urgent_then_longest_waiting_come_first_then_staff_then_assistant(as_nina, nina):
    now = timezone.now()
    talking("Bot", state="bot")
    talking("Held", state="staff", assignee=nina)
    talking("Late", state="waiting", waiting_since=now - timedelta(minutes=2))
    talking("Early", state="waiting", waiting_since=now - timedelta(minutes=9))
    talking("Angry", state="waiting", waiting_since=now, priority=2)
    talking("Done", state="closed")

    assert names(as_nina.get(URL)) == [f"{n} Hale" for n in ("Angry", "Early", "Late", "Held", "Bot")]
    assert names(as_nina.get(URL, {"show": "closed"})) == ["Done Hale"]
    assert names(as_nina.get(URL, {"show": "all"}))[-1] == "Done Hale"


def test_mine_are_those_i_hold(as_nina, as_tom, nina):
    talking("Held", state="staff", assignee=nina)
    assert names(as_nina.get(URL, {"show": "mine"})) == ["Held Hale"]
    assert "You hold no conversation" in as_tom.get(URL, {"show": "mine"}).content.decode()


def test_a_conversation_in_which_nothing_was_said_is_not_listed(as_nina):
    factories.conversation()
    assert names(as_nina.get(URL)) == []


@pytest.mark.parametrize("search", ["rosa", "Rosa Q", "rosa.quill@", "#W2611340", "w 2611340", "2611340"])
def test_found_by_name_email_or_number_closed_ones_too(as_nina, search):
    rosa = factories.customer(first_name="Rosa", last_name="Quill", email="rosa.quill@mail.example")
    factories.order(of=rosa, number="#W2611340")
    factories.message(factories.conversation(of=rosa, state="closed"))
    talking("Other")

    assert names(as_nina.get(URL, {"q": search})) == ["Rosa Quill"]


@pytest.mark.parametrize("search", ["nobody such", "%", "\0", "<script>alert(1)</script>", "'; --"])
def test_a_search_that_finds_nobody_says_so_and_escapes_it(as_nina, search):
    talking("Other")
    page = as_nina.get(URL, {"q": search, "show": "all"})
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


def test_an_unknown_tab_or_page_shows_the_open_ones(as_nina):
    talking("Other")
    assert names(as_nina.get(URL, {"show": "nonsense", "page": "x9"})) == ["Other Hale"]


def test_htmx_gets_the_list_alone(as_nina):
    talking("Other")
    part = as_nina.get(URL, headers={"HX-Request": "true"})
    assert names(part) == ["Other Hale"]
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part["Vary"]


def test_words_of_customers_are_escaped(as_nina):
    customer = factories.customer(first_name="<img src=x onerror=alert(1)>", last_name="")
    factories.message(factories.conversation(of=customer, state="waiting"), "<script>alert(2)</script>")
    page = as_nina.get(URL).content.decode()
    assert "<img src=x" not in page
    assert "<script>alert(2)" not in page
    assert "&lt;script&gt;alert(2)" in page


def test_the_sidebar_and_the_counts_tell_how_many_wait(as_nina):
    talking("One", state="waiting")
    talking("Two", state="waiting")
    factories.draft()
    assert as_nina.get("/desk/counts/").json() == {"waiting": 2, "drafts": 1}
    assert re.search(r'data-count="waiting">2<', as_nina.get(URL).content.decode())


def test_a_hundred_conversations_cost_no_more_queries_than_ten(as_nina, nina, django_assert_max_num_queries):
    for number in range(100):
        conversation = talking(f"N{number}", state=["waiting", "staff", "bot"][number % 3], assignee=nina)
        factories.message(conversation, "Looking", author="bot", trace={"intent": "track_order"})
        factories.message(conversation, "Me too", author="staff", staff=nina)
    with django_assert_max_num_queries(10):
        page = as_nina.get(URL)
    assert len(names(page)) == 50
    assert "Page 1 of 2" in page.content.decode()


@pytest.mark.parametrize("url", [URL, "/desk/counts/", "/desk/"])
def test_only_staff_get_in(client, as_stranger, url):
    for visitor in (client, as_stranger):
        answer = visitor.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/desk/login/")

"""Taking over, writing, handing back and closing: by one, by two at once, and by somebody who may not."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test import Client

from chatbot.models import Conversation, Message
from tests import factories
from tests.chatbot.desk.conftest import logged_in

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def conversation():
    row = factories.conversation(of=factories.customer(), state="waiting")
    factories.message(row, "Can I talk to somebody?", open=True)
    return row


def post(client, conversation, action, follow=True, **data):
    return client.post(f"/desk/conversations/{conversation.pk}/{action}/", data, follow=follow)


def test_take_over_say_hand_back_close(as_nina, nina, conversation):
    page = post(as_nina, conversation, "take-over").content.decode()
    conversation.refresh_from_db()
    assert (conversation.state, conversation.assignee) == ("staff", nina)
    assert not conversation.messages.filter(open=True).exists()
    assert "Held by you" in page

    page = post(as_nina, conversation, "say", text="  Hello Ada,\nI'm looking into it. ").content.decode()
    said = conversation.messages.get(author=Message.Author.STAFF)
    assert (said.text, said.staff) == ("Hello Ada,\nI'm looking into it.", nina)
    assert "looking into it" in page

    post(as_nina, conversation, "hand-back")
    conversation.refresh_from_db()
    assert (conversation.state, conversation.assignee) == ("bot", None)

    post(as_nina, conversation, "close")
    conversation.refresh_from_db()
    assert conversation.state == "closed"


def test_the_second_to_take_over_is_told_who_was_first(as_nina, as_tom, nina, conversation):
    post(as_nina, conversation, "take-over")
    answer = post(as_tom, conversation, "take-over")
    assert answer.status_code == 409
    assert "Nina is already talking to this customer." in answer.content.decode()
    assert Conversation.objects.get(pk=conversation.pk).assignee == nina


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_over_at_the_same_moment_one_holds_it(conversation):
    nina, tom = (logged_in(factories.staff_user(name)) for name in ("Nina", "Tom"))
    start, statuses = threading.Barrier(2), []

    def take(client: Client) -> None:
        start.wait()
        statuses.append(post(client, conversation, "take-over", follow=False).status_code)
        connection.close()

    threads = [threading.Thread(target=take, args=[client]) for client in (nina, tom)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302, 409]


def test_what_cannot_be_sent_stays_in_the_box(as_nina, as_tom, conversation):
    post(as_nina, conversation, "take-over")
    answer = post(as_tom, conversation, "say", text="Half an hour <of> work")
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "hold this conversation" in shown
    assert "Half an hour &lt;of&gt; work</textarea>" in shown
    assert not conversation.messages.filter(author=Message.Author.STAFF).exists()


def test_htmx_gets_the_sentence_alone_and_keeps_its_own_text(as_nina, as_tom, conversation):
    post(as_nina, conversation, "take-over")
    answer = as_tom.post(f"/desk/conversations/{conversation.pk}/say/", {"text": "Hello"}, headers=HTMX)
    assert (answer.status_code, answer["HX-Trigger"]) == (409, "desk-refused")
    assert "<html" not in answer.content.decode()
    done = as_nina.post(f"/desk/conversations/{conversation.pk}/say/", {"text": "Hello"}, headers=HTMX)
    assert (done.status_code, done["HX-Trigger"]) == (204, "desk-done")


@pytest.mark.parametrize("text", ["", "   \n", "\0\x07"])
def test_an_empty_reply_is_not_sent(as_nina, conversation, text):
    post(as_nina, conversation, "take-over")
    assert "There is no text to send." in post(as_nina, conversation, "say", text=text).content.decode()


def test_a_reply_too_long_is_not_sent_and_kept(as_nina, conversation, settings):
    settings.MESSAGE_MAX_CHARS = 100
    post(as_nina, conversation, "take-over")
    answer = post(as_nina, conversation, "say", text="a" * 101)
    assert "under 100 characters" in answer.content.decode()
    assert "a" * 101 in answer.content.decode()


def test_what_a_colleague_holds_cannot_be_handed_back_or_closed(as_nina, as_tom, conversation):
    post(as_nina, conversation, "take-over")
    for action in ("hand-back", "close"):
        assert post(as_tom, conversation, action).status_code == 409
    page = as_tom.get(f"/desk/conversations/{conversation.pk}/").content.decode()
    assert "Held by Nina" in page
    assert "Nina holds this conversation." in page
    assert page.count("disabled") >= 4  # three buttons and the box


def test_a_closed_conversation_is_not_taken_over(as_nina, conversation):
    post(as_nina, conversation, "close")
    answer = post(as_nina, conversation, "take-over")
    assert "This conversation is closed." in answer.content.decode()


@pytest.mark.parametrize("action", ["take-over", "hand-back", "close", "say"])
def test_writing_needs_staff_a_post_and_a_token(client, as_stranger, nina, conversation, action):
    url = f"/desk/conversations/{conversation.pk}/{action}/"
    for visitor in (client, as_stranger):
        assert visitor.post(url, {"text": "Hello"})["Location"].startswith("/desk/login/")
    assert logged_in(nina).get(url).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(nina)
    assert careful.post(url, {"text": "Hello"}).status_code == 403
    conversation.refresh_from_db()
    assert conversation.state == "waiting"

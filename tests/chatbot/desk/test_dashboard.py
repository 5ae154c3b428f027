"""The first page: figures that a person can check against the rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chatbot.desk import dashboard
from chatbot.models import Conversation
from tests import factories

pytestmark = pytest.mark.django_db


def week():
    return timezone.now() - timedelta(days=7)


def test_an_empty_desk_counts_nothing(as_nina):
    page = as_nina.get("/desk/").content.decode()
    assert "nobody has to wait" in page
    assert "Nobody is waiting for a person." in page
    assert "No email is waiting for you." in page


def test_who_waits_and_which_emails_wait(as_nina):
    ada = factories.customer(first_name="Ada", last_name="Lovell")
    since = timezone.now() - timedelta(minutes=12)
    waiting = factories.conversation(of=ada, state="waiting", waiting_since=since)
    factories.message(waiting, "A person, please")
    factories.draft(of=ada, subject="Your kettle will be late")
    factories.draft(of=ada, subject="Long gone", state="sent")
    page = as_nina.get("/desk/").content.decode()
    for text in ("the first for", "12 min", "A person, please", "Your kettle will be late"):
        assert text in page
    assert "Long gone" not in page


def test_settled_by_the_assistant_means_no_colleague_was_needed(nina):
    for state in ("bot", "closed", "waiting", "staff"):
        factories.message(factories.conversation(state=state))
    joined = factories.conversation(state="closed")
    factories.message(joined, "I had a look", author="staff", staff=nina)
    old = factories.conversation()
    factories.message(old)
    Conversation.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    factories.conversation()  # opened, nothing said
    share = dashboard.bot_share(week())
    assert (share.part, share.whole, share.percent) == (2, 5, 40)


def test_share_of_replies_worded_by_templates():
    conversation = factories.conversation()
    for source in ("model", "model", "template", "staff"):
        factories.message(conversation, "Hello.", author="bot", trace={"source": source})
    share = dashboard.template_share(week())
    assert (share.part, share.whole, share.percent) == (1, 3, 33)
    assert dashboard.Share(0, 0).percent is None


def test_days_are_counted_and_split(nina):
    for state in ("bot", "bot", "staff"):
        factories.message(factories.conversation(state=state))
    today = dashboard.days(timezone.localdate())[-1]
    assert (today.bot, today.people, today.height, today.split) == (2, 1, 100, 33)


def test_what_was_asked_leaves_small_talk_out():
    conversation = factories.conversation()
    for intent in ("track_order", "track_order", "greeting", "get_refund"):
        factories.message(conversation, "Hello.", author="bot", trace={"intent": intent})
    assert [(row.intent, row.count) for row in dashboard.asked(week())] == [
        ("track order", 2),
        ("get refund", 1),
    ]


def test_its_cost_is_bounded(as_nina, django_assert_max_num_queries):
    for number in range(100):
        conversation = factories.conversation(of=factories.customer(), state=["waiting", "bot"][number % 2])
        factories.message(conversation)
        factories.message(
            conversation, "Hello.", author="bot", trace={"intent": "track_order", "source": "model"}
        )
    factories.draft()
    with django_assert_max_num_queries(20):
        assert as_nina.get("/desk/").status_code == 200


def test_logging_in_leads_here(client, nina):
    form = client.get("/desk/login/")
    assert "Welcome back" in form.content.decode()
    answer = client.post(
        "/desk/login/", {"username": nina.username, "password": factories.PASSWORD}, follow=True
    )
    assert "Waiting for a person" in answer.content.decode()

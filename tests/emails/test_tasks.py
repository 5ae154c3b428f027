"""Nudges may be lost or doubled: the rows are found again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from emails import drafts, outbox, queue, tasks
from emails.models import Draft


@pytest.fixture(autouse=True)
def clean_cache():
    cache.clear()


@pytest.fixture
def old(draft):
    Draft.objects.update(requested_at=timezone.now() - timedelta(minutes=5))
    return Draft.objects.get()


def change(**fields):
    Draft.objects.update(**fields)
    tasks.sweep_emails()


def test_from_the_request_to_the_inbox(
    order, told, writer, mail_server, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tasks, "mail_tools", lambda: (writer, None))
    run = {"emails.draft": tasks.draft_email, "emails.deliver": tasks.deliver_email}
    monkeypatch.setattr(queue, "send", lambda task, draft_id: run[task](draft_id))
    with django_capture_on_commit_callbacks(execute=True):
        drafts.request(kind="delivery_timeline", customer=order.customer, order=order, facts=told)
    assert Draft.objects.get().state == "sent"
    assert "Wednesday 25 November" in mail_server.messages[0].get_body(("plain",)).get_content()


@pytest.mark.parametrize(("state", "task"), [("requested", "emails.draft"), ("approved", "emails.deliver")])
def test_what_was_left_behind_is_nudged(old, nudges, state, task):
    change(state=state)
    assert nudges == [(task, old.pk)]


def test_a_reminder_is_given_once_a_minute(old, nudges):
    change(state="approved")
    change(state="approved")
    assert len(nudges) == 1


def test_a_fresh_row_has_its_own_nudge(draft, nudges):
    tasks.sweep_emails()
    assert nudges == []


def test_a_retry_waits_for_its_time(old, nudges):
    change(state="approved", next_try_at=timezone.now() + timedelta(minutes=1))
    assert nudges == []
    change(next_try_at=timezone.now())
    assert nudges == [("emails.deliver", old.pk)]


def test_what_is_being_written_is_left_alone(old, nudges):
    change(state="requested", claimed_at=timezone.now())
    assert nudges == []
    change(claimed_at=timezone.now() - drafts.LEASE * 2)
    assert nudges == [("emails.draft", old.pk)]


def test_what_hangs_in_flight_becomes_uncertain(old, nudges):
    change(state="sending", claimed_at=timezone.now() - outbox.IN_FLIGHT * 2)
    old.refresh_from_db()
    assert old.state == "uncertain"
    assert nudges == []


def test_a_broker_that_is_away_loses_nothing(order, told, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.undo()

    def away(*args, **kwargs):
        raise ConnectionError("no broker")

    monkeypatch.setattr("celery.app.base.Celery.send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        draft, created = drafts.request(
            kind="delivery_timeline", customer=order.customer, order=order, facts=told
        )
    assert created
    assert draft.state == "requested"


def test_listeners_hear_of_every_change(order, told, django_capture_on_commit_callbacks):
    heard = []

    def listen(draft_id, **kwargs):
        heard.append(draft_id)

    queue.draft_changed.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        draft, _ = drafts.request(kind="delivery_timeline", customer=order.customer, order=order, facts=told)
    queue.draft_changed.disconnect(listen)
    assert heard == [draft.pk]

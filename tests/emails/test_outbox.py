"""A draft goes out once, over a real SMTP conversation, or somebody is told why not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from emails import outbox
from emails.models import Draft, Suppression
from tests.emails.conftest import MailServer


def test_an_approved_draft_is_sent_once(draft, mail_server):
    sent = outbox.deliver(draft.pk)
    assert (sent.state, sent.error, sent.tries) == ("sent", "", 1)
    assert sent.sent_at
    outbox.deliver(draft.pk)
    assert len(mail_server.messages) == 1
    assert mail_server.envelopes[0].rcpt_tos == ["amara@example.com"]
    assert mail_server.envelopes[0].mail_from == "care@doorstep.example"


@pytest.mark.parametrize("state", [s for s in Draft.State if s != "approved"])
def test_nothing_else_is_sent(draft, mail_server, state):
    Draft.objects.update(state=state)
    assert outbox.deliver(draft.pk).state == state
    assert mail_server.messages == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_mail(draft, mail_server):
    gate = threading.Barrier(2)

    def once(_):
        gate.wait()
        try:
            outbox.deliver(draft.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(once, range(2)))
    draft.refresh_from_db()
    assert draft.state == "sent"
    assert len(mail_server.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_while_the_server_thinks(draft, mail_server: MailServer):
    seen = []

    def look():
        try:
            seen.append(Draft.objects.get(pk=draft.pk).state)
            Draft.objects.filter(pk=draft.pk).update(preheader="changed meanwhile")
        finally:
            connection.close()

    mail_server.before_reply = look
    assert outbox.deliver(draft.pk).state == "sent"
    assert seen == ["sending"]


# --- refusals -----------------------------------------------------------------------------------


def test_a_temporary_refusal_is_tried_again_later(draft, mail_server):
    mail_server.rcpt_reply = "451 mailbox busy"
    before = timezone.now()
    waiting = outbox.deliver(draft.pk)
    assert waiting.state == "approved"
    assert "451 mailbox busy" in waiting.error
    assert waiting.next_try_at
    assert waiting.next_try_at >= before + timedelta(minutes=1)

    mail_server.rcpt_reply = ""
    outbox.deliver(draft.pk)  # a nudge that comes too early
    assert mail_server.messages == []
    Draft.objects.update(next_try_at=timezone.now())
    assert outbox.deliver(draft.pk).state == "sent"
    assert len(mail_server.messages) == 1


def test_waiting_grows_and_ends(draft, mail_server):
    mail_server.data_reply = "452 disk full"
    waits = []
    for _ in range(outbox.MAX_TRIES):
        Draft.objects.filter(state="approved").update(next_try_at=None)
        tried = outbox.deliver(draft.pk)
        waits.append(
            round((tried.next_try_at - timezone.now()) / timedelta(minutes=1)) if tried.next_try_at else 0
        )
    assert waits[:5] == [1, 4, 16, 64, 256]
    assert (tried.state, tried.tries) == ("failed", 6)
    assert "452 disk full" in tried.error


@pytest.mark.parametrize("where", ["rcpt_reply", "data_reply"])
def test_a_final_refusal_is_not_argued_with(draft, mail_server, where):
    setattr(mail_server, where, "550 no such user here")
    failed = outbox.deliver(draft.pk)
    assert (failed.state, failed.tries) == ("failed", 1)
    assert "550 no such user here" in failed.error


def test_a_server_that_is_away_is_tried_again(draft, mail_server, settings):
    settings.EMAIL_PORT = 1
    waiting = outbox.deliver(draft.pk)
    assert waiting.state == "approved"
    assert waiting.error.startswith("Could not connect to the mail server at 127.0.0.1:1")


# --- what may have been sent --------------------------------------------------------------------


def test_a_line_that_breaks_after_the_message_is_uncertain(draft, mail_server):
    mail_server.hangs_up_after_data = True
    assert outbox.deliver(draft.pk).state == "uncertain"
    outbox.deliver(draft.pk)
    assert len(mail_server.messages) == 1


def test_a_line_that_breaks_before_the_message_is_tried_again(draft, mail_server):
    mail_server.rcpt_reply = "421 closing"
    assert outbox.deliver(draft.pk).state == "approved"


def test_a_worker_that_dies_in_flight_leaves_an_uncertain_draft(draft, mail_server, monkeypatch):
    class Killed(BaseException):
        pass

    def die(message):
        raise Killed

    monkeypatch.setattr(outbox, "send", die)
    with pytest.raises(Killed):
        outbox.deliver(draft.pk)
    monkeypatch.undo()
    draft.refresh_from_db()
    assert draft.state == "sending"

    outbox.deliver(draft.pk)  # the broker hands the task out again
    assert outbox.give_up_stale() == 0
    Draft.objects.update(claimed_at=timezone.now() - outbox.IN_FLIGHT - timedelta(seconds=1))
    assert outbox.give_up_stale() == 1
    draft.refresh_from_db()
    assert draft.state == "uncertain"
    assert "may have arrived" in draft.error
    assert outbox.deliver(draft.pk).state == "uncertain"
    assert mail_server.messages == []


@pytest.mark.django_db(transaction=True)
def test_a_slow_success_is_a_success(draft, mail_server):
    def called_uncertain_meanwhile():
        Draft.objects.update(state="uncertain", error="may have")
        connection.close()

    mail_server.before_reply = called_uncertain_meanwhile
    sent = outbox.deliver(draft.pk)
    assert (sent.state, sent.error) == ("sent", "")


def test_a_draft_without_words_fails_before_it_is_sent(draft, mail_server):
    Draft.objects.update(body="  ")
    failed = outbox.deliver(draft.pk)
    assert (failed.state, failed.error) == ("failed", "It has no subject or no text.")
    assert mail_server.messages == []


# --- who wants no such mail ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "stopped", "state"),
    [
        ("delay_notice", "", "discarded"),
        ("delay_notice", "delay_notice", "discarded"),
        ("delay_notice", "invoice", "sent"),
        ("delivery_timeline", "", "sent"),
        ("cancellation", "", "sent"),
    ],
)
def test_a_suppression_holds_back_what_was_not_asked_for(draft, mail_server, kind, stopped, state):
    Draft.objects.update(kind=kind)
    Suppression.objects.create(email="Amara@Example.com", kind=stopped)
    assert outbox.deliver(draft.pk).state == state


def test_somebody_elses_wish_holds_back_nothing(draft, mail_server):
    Draft.objects.update(kind="delay_notice")
    Suppression.objects.create(email="ben@example.com")
    assert outbox.deliver(draft.pk).state == "sent"

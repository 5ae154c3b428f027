"""One click stops unasked emails, from a mailbox provider or from a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from emails import outbox, unsubscribe
from emails.models import Draft, Suppression


@pytest.fixture
def path(draft, mail_server):
    """The link as it arrives in the mail."""
    outbox.deliver(draft.pk)
    return re.findall(r"//[^/]+(/[^>]+)>", mail_server.messages[0]["List-Unsubscribe"])[0]


def test_a_mailbox_provider_stops_it_with_one_post(path, draft, mail_server):
    provider = Client(enforce_csrf_checks=True)
    body = "List-Unsubscribe=One-Click"
    answer = provider.post(path, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert Suppression.objects.get().email == "amara@example.com"

    Draft.objects.update(kind="delay_notice", state="approved")
    assert outbox.deliver(draft.pk).state == "discarded"
    assert len(mail_server.messages) == 1


def test_opening_the_link_stops_nothing(path, client):
    page = client.get(path)
    assert not Suppression.objects.exists()
    assert "Stop delivery emails?" in page.content.decode()
    assert "amara@example.com" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]


def test_pressing_the_button_twice_is_once(path, client):
    for _ in range(2):
        assert "Stopped" in client.post(path).content.decode()
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("token", ["1", "1.abc.def", "x" * 2000, "%00", "'; drop table"])
def test_a_forged_link_stops_nothing(db, client, token):
    answer = client.post(reverse("unsubscribe", args=[token]))
    assert answer.status_code == 404
    assert "This link is no longer valid." in answer.content.decode()
    assert not Suppression.objects.exists()


def test_another_drafts_signature_opens_nothing(path, client):
    first = path.split("/")[-2]
    assert client.post(path.replace(first, "999" + first)).status_code == 404


def test_an_old_link_says_so(path, client, monkeypatch):
    later = datetime.now(UTC) + unsubscribe.VALID_FOR + timedelta(days=1)
    monkeypatch.setattr("django.core.signing.time.time", later.timestamp)
    assert "no longer valid" in client.get(path).content.decode()


def test_other_methods_are_refused(path, client):
    assert client.put(path).status_code == 405

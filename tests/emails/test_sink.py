"""The demo's mail sink, and the check of the mail server, as an operator starts them."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from io import StringIO
from types import SimpleNamespace

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from emails.management.commands import sink
from emails.models import CaughtMail


def mail(subject="Hello", body="Hi there"):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "care@shop.example", "amara@example.com"
    message["Message-ID"] = "<1@shop.example>"
    message.set_content(body)
    return message


def envelope(raw: bytes):
    return SimpleNamespace(content=raw, mail_from="care@shop.example", rcpt_tos=["amara@example.com"])


@pytest.mark.django_db
def test_a_mail_is_kept_as_it_came():
    sink.keep(envelope(mail(subject="Grüße 📦").as_bytes()))
    kept = CaughtMail.objects.get()
    assert (kept.subject, kept.sender, kept.recipients) == (
        "Grüße 📦",
        "care@shop.example",
        ["amara@example.com"],
    )
    assert kept.message_id == "<1@shop.example>"
    assert bytes(kept.raw) == mail(subject="Grüße 📦").as_bytes()


@pytest.mark.django_db
@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"Subject: " + b"x" * 5000 + b"\r\n\r\n"])
def test_anything_can_be_kept(raw):
    sink.keep(envelope(raw))
    assert CaughtMail.objects.count() == 1


@pytest.mark.django_db
def test_only_the_last_ones_are_kept(monkeypatch):
    monkeypatch.setattr(sink, "KEPT", 3)
    for n in range(5):
        sink.keep(envelope(mail(subject=f"mail {n}").as_bytes()))
    assert list(CaughtMail.objects.order_by("pk").values_list("subject", flat=True)) == [
        "mail 2",
        "mail 3",
        "mail 4",
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running_sink():
    """`manage.py sink` in a process of its own, on the test database's server but its own database."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sink"],
        cwd=project.BASE_DIR,
        env=os.environ | {"SINK_PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield process, port
    process.kill()
    process.communicate()


def test_the_command_takes_mail_and_stops_when_told(running_sink):
    process, port = running_sink
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        assert client.noop()[0] == 250
        assert (
            int(client.esmtp_features.get("size", 0) or (client.ehlo() and client.esmtp_features["size"]))
            == sink.MAX_BYTES
        )
    threading.Timer(0, process.send_signal, [signal.SIGTERM]).start()
    assert process.wait(timeout=20) == 0


def test_a_taken_port_is_said_so(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings.SINK_PORT = taken.getsockname()[1]
        with pytest.raises(CommandError, match="Set SINK_PORT to a free one"):
            call_command("sink")


def test_check_mail_with_a_server(mail_server, settings):
    out = StringIO()
    call_command("check_mail", stdout=out)
    assert "127.0.0.1" in out.getvalue()
    for record in ("SPF", "DKIM", "DMARC", "_dmarc.doorstep.example"):
        assert record in out.getvalue()


def test_check_mail_without_one(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with pytest.raises(CommandError, match="Could not connect to the mail server"):
        call_command("check_mail", stdout=StringIO())

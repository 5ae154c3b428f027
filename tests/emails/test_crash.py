"""A worker is killed while the mail server has the message but has not answered yet."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.db import connection
from django.utils import timezone

from emails import outbox
from emails.models import Draft

DELIVER = "import django; django.setup(); from emails import outbox; outbox.deliver({pk})"


def worker(pk: int, port: int) -> subprocess.Popen[bytes]:
    database = urlsplit(project.DATABASE_URL)._replace(path="/" + connection.settings_dict["NAME"]).geturl()
    return subprocess.Popen(
        [sys.executable, "-c", DELIVER.format(pk=pk)],
        cwd=project.BASE_DIR,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database,
            "REDIS_URL": project.REDIS_URL,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        },
    )


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_makes_nobody_get_it_twice(draft, mail_server, settings):
    arrived, answered = threading.Event(), threading.Event()

    def hold():
        arrived.set()
        answered.wait(30)

    mail_server.before_reply = hold
    process = worker(draft.pk, settings.EMAIL_PORT)
    try:
        assert arrived.wait(60), "the worker never handed the message over"
    finally:
        process.kill()
        process.wait()
        answered.set()

    draft.refresh_from_db()
    assert draft.state == "sending"
    mail_server.before_reply = lambda: None
    outbox.deliver(draft.pk)  # the broker hands the task to another worker
    Draft.objects.update(claimed_at=timezone.now() - outbox.IN_FLIGHT - timedelta(seconds=1))
    outbox.give_up_stale()
    outbox.deliver(draft.pk)
    draft.refresh_from_db()
    assert draft.state == "uncertain"
    assert len(mail_server.messages) == 1

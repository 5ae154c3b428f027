"""The Celery application. Tasks are nudges: each takes a row's id, and a lost one is swept up."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready
from threadpoolctl import threadpool_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("doorstep")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _role(hostname: str) -> str:
    return hostname.partition("@")[0]


@worker_init.connect  # type: ignore[untyped-decorator]
def load_models(sender: Any, **_: Any) -> None:
    """The models are there before the first message is taken."""
    role = _role(sender.hostname)
    if role == "chat":
        from chatbot.assistant import assistant

        assistant()
    elif role == "mail":
        from emails.assistant import mail_tools

        mail_tools()
    # OpenBLAS's threads spin for a while after each product of matrices: as much of a core as a reply takes.
    threadpool_limits(1, user_api="blas")


@worker_ready.connect  # type: ignore[untyped-decorator]
def mark_ready(sender: Any, **_: Any) -> None:
    """Tell `manage.py up`, which waits for it."""
    from django.conf import settings

    folder = Path(settings.VAR_DIR) / "run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{_role(sender.hostname)}.ready").touch()


# The writer's engine needs the interpreter for a moment after every token. Threads that compute would make it
# wait five milliseconds each time, ten times what a token takes.
sys.setswitchinterval(0.0005)

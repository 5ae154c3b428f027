"""Nudges for the mail workers. A lost one does no harm: the sweep finds the row."""

from __future__ import annotations

import logging
from functools import partial
from typing import Literal

from celery import current_app
from django.db import transaction
from django.dispatch import Signal

Task = Literal["emails.draft", "emails.deliver"]

logger = logging.getLogger(__name__)

# Sent with draft_id after every change of a draft, so that the desk can be told.
draft_changed = Signal()


def send(task: Task, draft_id: int) -> None:
    try:
        current_app.send_task(task, args=[draft_id], retry=False)
    except Exception:  # whatever a broker's client raises when it is away
        logger.warning("could not queue %s for draft %s; the sweep will", task, draft_id, exc_info=True)


def send_on_commit(task: Task, draft_id: int) -> None:
    transaction.on_commit(partial(send, task, draft_id), robust=True)


def announce(draft_id: int) -> None:
    """Tell whoever listens that this draft changed, once that is true for everybody."""
    transaction.on_commit(partial(draft_changed.send_robust, sender="emails", draft_id=draft_id), robust=True)

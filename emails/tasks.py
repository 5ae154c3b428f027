"""What the mail workers are nudged to do. Each task takes a row's id; doing one twice does no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from emails import delays, drafts, outbox, sweep
from emails.assistant import hindsight, mail_tools
from orders.hindsight import look_back

logger = logging.getLogger(__name__)


@shared_task(name="emails.draft")  # type: ignore[untyped-decorator]
def draft_email(draft_id: int) -> None:
    writer, model = mail_tools()
    drafts.write(draft_id, writer=writer, model=model, now=timezone.now())


@shared_task(name="emails.deliver")  # type: ignore[untyped-decorator]
def deliver_email(draft_id: int) -> None:
    outbox.deliver(draft_id)


@shared_task(name="emails.sweep")  # type: ignore[untyped-decorator]
def sweep_emails() -> None:
    sweep.run()


def _look_back() -> None:
    model = hindsight()
    if model is None:
        return
    try:
        look_back(model, now=timezone.now())
    except Exception:  # figures of the past: no reason not to watch what is waited for
        logger.exception("past deliveries were not looked back on")


@shared_task(name="emails.watch")  # type: ignore[untyped-decorator]
def watch_estimates() -> None:
    _look_back()  # first: what is watched from now on is not looked back on
    _, model = mail_tools()
    if model is not None:
        delays.run(model=model, now=timezone.now())

"""What the mail workers are nudged to do. Each task takes a row's id; doing one twice does no harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from emails import delays, drafts, outbox, sweep
from emails.assistant import hindsight, mail_tools
from orders.hindsight import look_back


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


@shared_task(name="emails.watch")  # type: ignore[untyped-decorator]
def watch_estimates() -> None:
    looks_back = hindsight()
    if looks_back is not None:
        # first: what is watched from now on is not looked back on
        look_back(looks_back, now=timezone.now())
    _, model = mail_tools()
    if model is not None:
        delays.run(model=model, now=timezone.now())

"""Finds what a lost nudge or a dead worker left behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils import timezone

from emails import outbox, queue
from emails.drafts import LEASE
from emails.models import Draft

PATIENCE = timedelta(seconds=20)  # a fresh row's own nudge may still be on its way
NUDGE_AGAIN = 60  # seconds; a worker that is behind gets no more reminders than this
AT_ONCE = 500

State = Draft.State


def run() -> None:
    now = timezone.now()
    outbox.give_up_stale()
    for draft_id in _unwritten(now).values_list("pk", flat=True)[:AT_ONCE]:
        _nudge("emails.draft", draft_id)
    for draft_id in _unsent(now).values_list("pk", flat=True)[:AT_ONCE]:
        _nudge("emails.deliver", draft_id)


def _unwritten(now: datetime) -> QuerySet[Draft]:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    return _due(now).filter(free, state=State.REQUESTED, requested_at__lt=now - PATIENCE)


def _unsent(now: datetime) -> QuerySet[Draft]:
    return _due(now).filter(state=State.APPROVED, requested_at__lt=now - PATIENCE)


def _due(now: datetime) -> QuerySet[Draft]:
    return Draft.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=now)).order_by("requested_at")


def _nudge(task: queue.Task, draft_id: int) -> None:
    if cache.add(f"{task}:{draft_id}", True, timeout=NUDGE_AGAIN):
        queue.send(task, draft_id)

"""Sending. A draft is claimed under its lock, sent outside of any transaction, then marked.

What is found in flight later may be out already: it is called uncertain and left to staff.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from emails import message, queue
from emails.models import Draft, Suppression
from emails.policy import POLICIES
from emails.transport import Refused, Unclear, send

MAX_TRIES = 6
FIRST_DELAY = timedelta(minutes=1)
IN_FLIGHT = timedelta(minutes=10)  # far more than a conversation with a server may take

State = Draft.State


def deliver(draft_id: int) -> Draft:
    """Send an approved email once; one in any other state is returned as it is."""
    draft = _claim(draft_id)
    if draft is None:
        return Draft.objects.get(pk=draft_id)
    try:
        send(message.build(draft))
    except message.BadMessage as error:
        return _mark(draft, state=State.FAILED, error=str(error))
    except Refused as error:
        return _mark(draft, **_after_refusal(draft, error))
    except Unclear as error:
        return _mark(draft, state=State.UNCERTAIN, error=str(error))
    return _mark(draft, state=State.SENT, sent_at=timezone.now(), error="")


def delay(tries: int) -> timedelta:
    """How long to wait after this many failed tries: 1, 4, 16, 64 and 256 minutes."""
    return FIRST_DELAY * (1 << 2 * (tries - 1))


def give_up_stale() -> int:
    """Call uncertain what has been in flight for too long; returns how many there were."""
    stale = Draft.objects.filter(state=State.SENDING, claimed_at__lt=timezone.now() - IN_FLIGHT)
    ids = list(stale.values_list("pk", flat=True))
    lost = "The worker stopped while this was being sent. It may have arrived; ask before sending it again."
    changed = stale.filter(pk__in=ids).update(state=State.UNCERTAIN, error=lost)
    for draft_id in ids:
        queue.announce(draft_id)
    return changed


def _claim(draft_id: int) -> Draft | None:
    now = timezone.now()
    with transaction.atomic():
        draft = (
            Draft.objects.select_for_update(of=("self",)).select_related("customer", "order").get(pk=draft_id)
        )
        if draft.state != State.APPROVED or (draft.next_try_at and draft.next_try_at > now):
            return None
        if is_suppressed(draft):
            draft.state, draft.error = State.DISCARDED, "The customer asked for no more such emails."
        else:
            draft.state, draft.claimed_at, draft.tries = State.SENDING, now, draft.tries + 1
            draft.message_id = message.message_id(draft)
        draft.save(update_fields=["state", "error", "claimed_at", "tries", "message_id"])
        queue.announce(draft.pk)
    return draft if draft.state == State.SENDING else None


def is_suppressed(draft: Draft) -> bool:
    wishes = Suppression.objects.filter(email__iexact=draft.to, kind__in=("", draft.kind))
    return POLICIES[draft.kind].is_unasked and wishes.exists()


def _after_refusal(draft: Draft, error: Refused) -> dict[str, object]:
    if error.is_final or draft.tries >= MAX_TRIES:
        return {"state": State.FAILED, "error": str(error)}
    return {
        "state": State.APPROVED,
        "error": str(error),
        "next_try_at": timezone.now() + delay(draft.tries),
    }


def _mark(draft: Draft, **changes: object) -> Draft:
    # the sweep may have called it uncertain meanwhile; whoever sent it knows better
    mine = Draft.objects.filter(
        pk=draft.pk, claimed_at=draft.claimed_at, state__in=(State.SENDING, State.UNCERTAIN)
    )
    with transaction.atomic():
        if mine.update(**changes):
            queue.announce(draft.pk)
    draft.refresh_from_db()
    return draft

"""From a request to a written email. The row is the truth; tasks only nudge."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from emails import context, queue
from emails.errors import NoAddress
from emails.facts import Row, day, order_slots
from emails.gather import Gathered, gather, news
from emails.models import Draft
from emails.policy import POLICIES
from ml import types
from ml.types import Facts
from ml.writer.situations import SITUATIONS
from orders import record
from orders.estimates import Forecaster, outlook
from orders.models import Customer, GivenEstimate, Order

LEASE = timedelta(minutes=2)  # writing takes seconds; an older claim belongs to a worker that died
MAX_WRITES = 3

State = Draft.State


class Writer(Protocol):
    def write(self, facts: Facts, *, seed: int | None = None) -> types.Draft: ...


def request(
    *,
    kind: str,
    customer: Customer,
    order: Order | None = None,
    facts: Facts | None = None,
    timeline: list[Row] | None = None,
    conversation: UUID | None = None,
) -> tuple[Draft, bool]:
    """Ask for an email; the same request finds the row that the first one made.

    `facts`, if given, are those the customer was told, under a situation of the mail channel; the
    email then tells the same days. An email that failed, or was discarded and is asked for again, is
    taken up again and counts as created. Raises NoAddress where the customer cannot be written to.
    """
    if order is not None and order.customer_id != customer.pk:
        raise ValueError("an email about an order goes to the one who placed it")
    draft = Draft(
        kind=kind,
        key=_key(kind, customer, order, facts, timeline, conversation),
        customer=customer,
        order=order,
        conversation=conversation,
        to=address_of(customer),
        context=context.pack(facts) if facts else {},
        timeline=timeline or [],
    )
    with transaction.atomic():
        stored, created = _store_once(draft)
        if created:
            queue.send_on_commit("emails.draft", stored.pk)
            queue.announce(stored.pk)
    return stored, created


def write(draft_id: int, *, writer: Writer, model: Forecaster | None, now: datetime) -> Draft:
    """Write a requested email, and let it go where its kind's policy says so.

    A draft that was written, or that another worker is writing, is returned as it is. The writer runs
    outside of any transaction; what it raises is noted on the row and passed on.
    """
    draft = _claim(draft_id, now)
    if draft is None:
        return Draft.objects.get(pk=draft_id)
    try:
        written = _written(draft, writer=writer, model=model, now=now)
    except Exception as error:
        _give_back(draft, error)
        raise
    return _store(draft, written)


def address_of(customer: Customer) -> str:
    """Where to write to. Raises NoAddress."""
    try:
        validate_email(customer.email)
    except ValidationError as error:
        raise NoAddress(f"We hold no email address for {customer}.") from error
    return customer.email


def _key(
    kind: str,
    customer: Customer,
    order: Order | None,
    facts: Facts | None,
    timeline: list[Row] | None,
    conversation: UUID | None,
) -> str:
    """One key for one piece of news to one customer; a complaint is answered once a conversation."""
    parts: list[Any] = [customer.pk, order.pk if order else None]
    if kind == Draft.Kind.COMPLAINT:
        parts.append(str(conversation or ""))
    if facts is not None:
        parts += [facts.situation, news(kind, facts.slots)]
        parts += [] if POLICIES[kind].is_unasked else [timeline or []]
    elif order is not None and POLICIES[kind].news:
        parts += _news_of_today(kind, order)
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{kind}:{digest[:40]}"


def _news_of_today(kind: str, order: Order) -> list[Any]:
    """Where no estimate is at hand, the state of the order, and the day, since estimates move by it."""
    now = timezone.now()
    slots = order_slots(order, outlook(order, model=None, now=now))
    today = [day(now, order.customer.zone)] if POLICIES[kind].has_timeline else []
    return [news(kind, slots), *today]


def _store_once(draft: Draft) -> tuple[Draft, bool]:
    new = {
        "customer": draft.customer,
        "order": draft.order,
        "conversation": draft.conversation,
        "to": draft.to,
        "context": draft.context,
        "timeline": draft.timeline,
    }
    stored, created = Draft.objects.get_or_create(key=draft.key, defaults={"kind": draft.kind, **new})
    if created:
        return stored, True
    again = {"state": State.REQUESTED, "error": "", "tries": 0, "next_try_at": None, "claimed_at": None}
    states = (State.FAILED,) if POLICIES[draft.kind].is_unasked else (State.FAILED, State.DISCARDED)
    over = Draft.objects.filter(pk=stored.pk, state__in=states)
    revived = over.update(**again, **new)
    stored.refresh_from_db()
    return stored, bool(revived)


@dataclass(frozen=True, slots=True)
class _Written:
    state: Draft.State
    gathered: Gathered
    text: types.Draft | None = None
    error: str = ""
    ms: float = 0.0


def _claim(draft_id: int, now: datetime) -> Draft | None:
    with transaction.atomic():
        draft = Draft.objects.select_for_update(of=("self",)).select_related("customer").get(pk=draft_id)
        is_taken = draft.claimed_at is not None and draft.claimed_at > now - LEASE
        if draft.state != State.REQUESTED or is_taken:
            return None
        draft.claimed_at = now
        draft.tries += 1
        draft.save(update_fields=["claimed_at", "tries"])
        return draft


def _written(draft: Draft, *, writer: Writer, model: Forecaster | None, now: datetime) -> _Written:
    started = time.perf_counter()
    gathered = gather(draft, model=model, now=now)
    ms = (time.perf_counter() - started) * 1000
    if not gathered.is_true:
        return _Written(
            State.DISCARDED, gathered, error="The order's rows do not say that this was done.", ms=ms
        )
    if gathered.missing:
        names = ", ".join(gathered.missing).replace("_", " ")
        return _Written(
            State.DRAFT, gathered, error=f"These facts are missing, so it needs your words: {names}.", ms=ms
        )
    text = writer.write(gathered.facts, seed=draft.pk)
    return _Written(
        State.APPROVED if POLICIES[draft.kind].sends_itself else State.DRAFT, gathered, text, ms=ms
    )


def _give_back(draft: Draft, error: Exception) -> None:
    """Leave it to the sweep, a few times; then to staff, who can write it themselves."""
    is_over = draft.tries >= MAX_WRITES
    mine = Draft.objects.filter(pk=draft.pk, state=State.REQUESTED, claimed_at=draft.claimed_at)
    mine.update(
        state=State.DRAFT if is_over else State.REQUESTED,
        error=f"It could not be written ({error})."[:1000],
        claimed_at=None,
        next_try_at=None if is_over else timezone.now() + draft.tries * LEASE,
    )


def _store(draft: Draft, written: _Written) -> Draft:
    """Keep what was written, unless another worker took the draft over meanwhile."""
    with transaction.atomic():
        row = Draft.objects.select_for_update().get(pk=draft.pk)
        if row.state != State.REQUESTED or row.claimed_at != draft.claimed_at:
            return row
        row.state, row.error = written.state, written.error
        row.tries, row.claimed_at, row.next_try_at = 0, None, None
        row.context = context.pack(written.gathered.facts) | {
            "invoice": written.gathered.invoice,
            "link": written.gathered.link,
        }
        row.timeline = written.gathered.timeline
        row.trace = _trace(written)
        if written.text:
            row.subject, row.preheader = one_line(written.text.subject), one_line(written.text.preheader)
            row.body, row.written_by = written.text.text.strip(), written.text.source
        row.save()
        if written.gathered.told and written.text:
            record.note(*written.gathered.told, channel=GivenEstimate.Channel.MAIL)
        queue.announce(row.pk)
        if row.state == State.APPROVED:
            queue.send_on_commit("emails.deliver", row.pk)
        return row


def one_line(text: str) -> str:
    """Text that fits a header and its column."""
    return " ".join(text.split())[:200]


def _trace(written: _Written) -> dict[str, Any]:
    packed = context.pack(written.gathered.facts)
    sources = (fact["source"] for fact in packed["slots"].values())
    delivery = next((s.removeprefix("delivery:") for s in sources if s.startswith("delivery:")), "")
    allowed = sorted(set(SITUATIONS[packed["situation"]].slots) & packed["slots"].keys())
    trace = {
        "situation": packed["situation"],
        "facts": {slot: packed["slots"][slot] for slot in allowed},
        "ms": {"facts": round(written.ms, 1)},
    }
    if text := written.text:
        trace |= {
            "source": text.source,
            "delexicalised": text.delexicalised,
            "rejected": list(text.rejected),
            "models": {"delivery": delivery, "writer": text.model},
        }
        trace["ms"]["write"] = round(text.timing.total, 1)
    return trace

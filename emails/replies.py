"""Emails that people stood behind, as what a writer can learn from.

Only mail that was released counts, and only where somebody of the shop changed it or let it go: what a
model wrote and the kind's policy sent by itself would teach the model its own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from emails import context
from emails.models import Draft
from ml.writer.pairs import Written
from orders.models import Customer

_RELEASED = (Draft.State.APPROVED, Draft.State.SENDING, Draft.State.SENT)
_FIELDS = ("subject", "preheader", "body")


def approved_emails() -> Iterator[Written]:
    """Newest first."""
    rows = Draft.objects.filter(state__in=_RELEASED).exclude(context={}).exclude(body="")
    for draft in rows.select_related("customer", "edited_by").order_by("-requested_at").iterator(500):
        if _was_looked_at(draft):
            yield _written(draft)


def changed_fields(draft: Draft) -> tuple[str, ...]:
    """What staff changed of the text that they were first shown (`emails.review.edit` keeps it)."""
    if draft.written_by != "staff":
        return ()
    first: dict[str, str] = draft.trace.get("first", {})
    return tuple(name for name in _FIELDS if getattr(draft, name) != first.get(name, ""))


def private_words(customer: Customer | None, *staff: User | None) -> frozenset[str]:
    """Names, addresses and numbers that belong to these people."""
    words: set[str] = {name for each in staff if each for name in (each.first_name, each.last_name)}
    if customer:
        words |= {customer.first_name, customer.last_name, customer.email, customer.postcode, customer.city}
        for known in customer.orders.values_list("number", "line1", "city", "postcode"):
            words |= set(known)
    return frozenset(word for word in (" ".join(each.split()) for each in words) if word)


def _was_looked_at(draft: Draft) -> bool:
    history: list[dict[str, Any]] = draft.trace.get("history", [])
    return draft.written_by == "staff" or any(entry["what"] == "approved it" for entry in history)


def _written(draft: Draft) -> Written:
    return Written(
        id=f"mail:{draft.pk}",
        facts=context.unpack(draft.context),
        text=draft.body,
        subject=draft.subject,
        preheader=draft.preheader,
        began=str(draft.trace.get("delexicalised", "")),
        changed=changed_fields(draft),
        private=private_words(draft.customer, draft.edited_by),
    )

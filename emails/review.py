"""What staff do with a draft. Each action locks the row and asks whether its state still allows it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from emails import drafts, queue
from emails.errors import NotPossible
from emails.models import Draft
from emails.outbox import is_suppressed

State = Draft.State

MAX_BODY = 10_000

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_CLAIM = re.compile(  # what only a fact may state: links, dates, amounts and other numbers, days
    "|".join(
        (
            r"https?://[^\s<>\"]+",
            rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTHS})\b(?: \d{{4}}\b)?",
            r"(?:R\$ ?|[£$€])?\d(?:[\d.,:/]*\d)?%?",
            r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b",
            rf"\b(?!March|May)(?:{_MONTHS})\b",
            r"\b(?:in|by|until|since) (?:March|May)\b",  # on their own they are verbs as well
            r"\b[Tt](?:oday|omorrow|onight)\b|\b[Yy]esterday\b",
        )
    )
)


@dataclass(frozen=True, slots=True)
class Text:
    subject: str
    preheader: str
    body: str

    @property
    def digest(self) -> str:
        """Says whether two people looked at the same text."""
        return hashlib.sha256("\0".join((self.subject, self.preheader, self.body)).encode()).hexdigest()[:16]


def text_of(draft: Draft) -> Text:
    return Text(draft.subject, draft.preheader, draft.body)


def edit(*, draft: Draft, staff: User, text: Text, seen: str) -> Draft:
    """Keep a changed text. `seen` is the digest of the text that the change was made on."""
    new = Text(
        drafts.one_line(text.subject),
        drafts.one_line(text.preheader),
        text.body.replace("\r\n", "\n").strip(),
    )
    with _locked(draft) as row:
        old = text_of(row)
        if new == old:
            return row
        _require(row, row.is_editable, "cannot be changed any more")
        if seen != old.digest:
            raise NotPossible(
                "A colleague changed this email meanwhile. Yours is still here; saving it replaces theirs."
            )
        if len(new.body) > MAX_BODY:
            raise NotPossible(f"Please keep the text under {MAX_BODY:,} characters.")
        first = {"subject": old.subject, "preheader": old.preheader, "body": old.body}
        row.trace = {"first": first} | row.trace  # what it was before anybody changed it
        row.subject, row.preheader, row.body = new.subject, new.preheader, new.body
        row.written_by, row.edited_by = "staff", staff
        _note(row, staff, "changed the text")
        return row


def approve(*, draft: Draft, staff: User) -> Draft:
    with _locked(draft) as row:
        _require(row, row.state == State.DRAFT, "cannot be approved")
        _release(row, staff, "approved it")
        return row


def send_again(*, draft: Draft, staff: User) -> Draft:
    """Send what failed, or what may have arrived already: the one who asks has decided that.

    It goes to the customer's address of today, which may be why it failed.
    """
    with _locked(draft) as row:
        _require(row, row.state in (State.FAILED, State.UNCERTAIN), "cannot be sent again")
        row.to = drafts.address_of(row.customer)
        _release(row, staff, "had it sent again")
        return row


def discard(*, draft: Draft, staff: User) -> Draft:
    with _locked(draft) as row:
        _require(row, row.is_editable, "cannot be discarded any more")
        row.state = State.DISCARDED
        _note(row, staff, "discarded it")
        return row


def unsupported(draft: Draft) -> list[str]:
    """Dates, numbers, amounts and links in a text of staff's that no fact of this email holds."""
    if draft.written_by != "staff":
        return []
    known = " ".join(_known(draft))
    found = _CLAIM.findall("\n".join((draft.subject, draft.preheader, draft.body)))
    return [claim for claim in dict.fromkeys(found) if not _is_known(claim, known)]


def _is_known(claim: str, known: str) -> bool:
    """Whether it stands there whole: "£48.20" supports neither "£48" nor "20"."""
    return bool(re.search(rf"(?<!\w)(?<!\d[.,:/]){re.escape(claim)}(?!\w|[.,:/]\d)", known))


def _known(draft: Draft) -> Iterator[str]:
    yield from (fact["display"] for fact in draft.context.get("slots", {}).values())
    yield from (f"{row['label']} {row['day']}" for row in draft.timeline)
    yield from (f"{line['label']} {line['amount']}" for line in draft.context.get("invoice", []))
    yield draft.context.get("link", "")


@contextmanager
def _locked(draft: Draft) -> Iterator[Draft]:
    with transaction.atomic():
        row = (
            Draft.objects.select_for_update(of=("self",)).select_related("customer", "order").get(pk=draft.pk)
        )
        yield row
        row.save()
        queue.announce(row.pk)


def _require(draft: Draft, allowed: bool, refusal: str) -> None:
    if not allowed:
        raise NotPossible(f"This email is {draft.get_state_display()} and {refusal}.")


def _release(draft: Draft, staff: User, what: str) -> None:
    if not (draft.subject and draft.body):
        raise NotPossible("Please write a subject and a text first.")
    if is_suppressed(draft):
        raise NotPossible(f"{draft.to} asked for no more such emails.")
    draft.state, draft.tries, draft.next_try_at, draft.claimed_at, draft.error = (
        State.APPROVED,
        0,
        None,
        None,
        "",
    )
    _note(draft, staff, what)
    queue.send_on_commit("emails.deliver", draft.pk)


def _note(draft: Draft, staff: User, what: str) -> None:
    entry = {
        "at": timezone.now().isoformat(),
        "who": staff.get_full_name() or staff.get_username(),
        "what": what,
    }
    draft.trace = draft.trace | {"history": [*draft.trace.get("history", []), entry]}

"""Which conversations the desk lists, in the order in which they want somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Concat, JSONObject, Left

from chatbot.models import Conversation, Message
from emails.models import Draft
from orders.models import Order, number_key

State = Conversation.State
Author = Message.Author
SHOWN_CHARS = 160
SHORTEST_NUMBER = 3  # digits of an order number that are worth searching for

TABS = {
    "open": "Open",
    "mine": "Mine",
    "closed": "Closed",
    "all": "Everything",
}


@dataclass(frozen=True, slots=True)
class Counts:
    waiting: int
    drafts: int


def counts() -> Counts:
    """What the sidebar's badges and the page title show."""
    return Counts(
        waiting=Conversation.objects.filter(state=State.WAITING).count(),
        drafts=drafts_to_decide().count(),
    )


def oldest_waiting() -> dict[str, Any]:
    """How many wait (`count`) and since when the first of them does (`since`)."""
    return Conversation.objects.filter(state=State.WAITING).aggregate(
        count=Count("pk"), since=Min("waiting_since")
    )


def drafts_to_decide() -> QuerySet[Draft]:
    """Emails that move no further without a person."""
    return Draft.objects.filter(state__in=[Draft.State.DRAFT, Draft.State.UNCERTAIN, Draft.State.FAILED])


def listed(*, tab: str, search: str, staff: AbstractBaseUser) -> QuerySet[Conversation]:
    """Conversations of one tab: waiting first (most urgent, then longest), then those with a
    colleague, then those with the assistant, closed ones last. Empty ones are left out."""
    rows = Conversation.objects.exclude(last_seq=0)
    if tab == "open":
        rows = rows.exclude(state=State.CLOSED)
    elif tab == "mine":
        rows = rows.filter(state=State.STAFF, assignee_id=staff.pk)
    elif tab == "closed":
        rows = rows.filter(state=State.CLOSED)
    if search:
        rows = _found(rows, search)
    return in_order(with_last_words(rows))


def in_order(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    rank = Case(
        When(state=State.WAITING, then=0),
        When(state=State.STAFF, then=1),
        When(state=State.BOT, then=2),
        default=3,
    )
    urgency = Case(When(state__in=[State.WAITING, State.BOT], then=F("priority")), default=0)
    since = Case(When(state=State.WAITING, then=F("waiting_since")), default=None)
    return rows.order_by(rank, urgency.desc(), since.asc(nulls_last=True), "-updated_at")


def with_last_words(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Adds `last` (what was said last, by whom, when), `asked` (the customer's own last words) and
    `read` (what the assistant made of them)."""
    said = Message.objects.filter(conversation=OuterRef("pk")).order_by("-seq")
    last = said.exclude(author=Author.SYSTEM).values(
        found=JSONObject(
            text=Left("text", SHOWN_CHARS), author="author", at="created_at", staff="staff__first_name"
        )
    )
    asked = said.filter(author=Author.CUSTOMER).values(
        found=JSONObject(text=Left("text", SHOWN_CHARS), seq="seq")
    )
    read = said.filter(author=Author.BOT).values(found=JSONObject(intent="trace__intent", mood="trace__mood"))
    return rows.select_related("customer", "assignee").annotate(
        last=Subquery(last[:1]), asked=Subquery(asked[:1]), read=Subquery(read[:1])
    )


def _found(rows: QuerySet[Conversation], search: str) -> QuerySet[Conversation]:
    rows = rows.annotate(customer_name=Concat("customer__first_name", Value(" "), "customer__last_name"))
    wanted = Q(customer_name__icontains=search) | Q(customer__email__icontains=search)
    key = number_key(search)
    if len(key) >= SHORTEST_NUMBER and any(c.isdigit() for c in key):
        wanted |= Q(Exists(Order.objects.filter(customer=OuterRef("customer"), number_key__contains=key)))
    return rows.filter(wanted)

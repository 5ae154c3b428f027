"""The figures on the desk's first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

from chatbot.desk import queue
from chatbot.desk.why import words
from chatbot.models import Conversation, Message

SHOWN = 6  # rows in each of the short lists
CHART_DAYS = 14
SHARE_DAYS = 7
# intents that say nothing about what customers need
SMALL_TALK = {"greeting", "thanks", "goodbye", "affirm", "deny", "inform"}


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole; `percent` is None while there is nothing to count."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.part / self.whole) if self.whole else None


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    bot: int
    people: int
    height: int  # of the whole column, in percent of the tallest
    split: int  # of the part that people answered, in percent of the column


@dataclass(frozen=True, slots=True)
class Asked:
    intent: str
    count: int
    width: int  # percent of the most frequent one


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: what the index page shows."""
    now = timezone.now()
    today = timezone.localdate(now)
    recent = Conversation.objects.exclude(last_seq=0)
    waiting = queue.oldest_waiting()
    drafts = queue.drafts_to_decide().select_related("customer")
    return context | {
        "title": _greeting(timezone.localtime(now), request),
        "now": now,
        "waiting": waiting["count"],
        "oldest": waiting["since"],
        "drafts_count": drafts.count(),
        "active_today": recent.filter(updated_at__gte=_midnight(today)).count(),
        "by_bot": bot_share(now - timedelta(days=SHARE_DAYS)),
        "by_template": template_share(now - timedelta(days=SHARE_DAYS)),
        "share_days": SHARE_DAYS,
        "days": days(today),
        "asked": asked(now - timedelta(days=SHARE_DAYS)),
        "waiting_rows": queue.in_order(
            queue.with_last_words(recent.filter(state=Conversation.State.WAITING))
        )[:SHOWN],
        "drafts": drafts.order_by("requested_at")[:SHOWN],
    }


def bot_share(since: datetime) -> Share:
    """Conversations that no colleague had to join."""
    rows = _by_people(Conversation.objects.filter(created_at__gte=since).exclude(last_seq=0))
    found = rows.aggregate(whole=Count("pk"), part=Count("pk", filter=Q(by_people=False)))
    return Share(**found)


def template_share(since: datetime) -> Share:
    """Replies of the assistant for which a plain template had to answer."""
    rows = Message.objects.filter(
        author=Message.Author.BOT, created_at__gte=since, trace__source__in=["model", "template"]
    )
    found = rows.aggregate(whole=Count("pk"), part=Count("pk", filter=Q(trace__source="template")))
    return Share(**found)


def days(today: date) -> list[Day]:
    """Conversations begun on each of the last days, oldest first, split by who answered."""
    first = today - timedelta(days=CHART_DAYS - 1)
    rows = (
        _by_people(Conversation.objects.filter(created_at__gte=_midnight(first)).exclude(last_seq=0))
        .annotate(day=TruncDate("created_at"))
        .values_list("day", "by_people")
        .annotate(n=Count("pk"))
        .order_by()
    )
    found = {(day, by_people): n for day, by_people, n in rows}
    counted = [
        (day, found.get((day, False), 0), found.get((day, True), 0))
        for day in (first + timedelta(days=n) for n in range(CHART_DAYS))
    ]
    tallest = max(bot + people for _, bot, people in counted) or 1
    return [
        Day(
            day,
            bot,
            people,
            round(100 * (bot + people) / tallest),
            round(100 * people / ((bot + people) or 1)),
        )
        for day, bot, people in counted
    ]


def asked(since: datetime) -> list[Asked]:
    """What customers wanted most, as the assistant understood it."""
    rows = (
        Message.objects.filter(author=Message.Author.BOT, created_at__gte=since, trace__intent__isnull=False)
        .exclude(trace__intent__in=SMALL_TALK)
        .values_list("trace__intent")
        .annotate(n=Count("pk"))
        .order_by("-n", "trace__intent")[:SHOWN]
    )
    most = max((n for _, n in rows), default=1)
    return [Asked(words(intent), n, round(100 * n / most)) for intent, n in rows]


def _by_people(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Adds `by_people`: a colleague wrote in it, holds it, or is waited for."""
    State = Conversation.State
    spoke = Exists(Message.objects.filter(conversation=OuterRef("pk"), author=Message.Author.STAFF))
    return rows.annotate(
        by_people=Case(
            When(state__in=[State.WAITING, State.STAFF], then=Value(True)),
            When(spoke, then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _greeting(now: datetime, request: HttpRequest) -> str:
    part = "morning" if now.hour < 12 else "afternoon" if now.hour < 18 else "evening"
    name = request.user.get_short_name() if request.user.is_authenticated else ""
    return f"Good {part}, {name}" if name else f"Good {part}"

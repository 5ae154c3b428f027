"""How the desk's pages show times, people and states."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from chatbot.desk.why import words
from orders.models import TrackingEvent

register = template.Library()
register.filter("words", words)

Kind = TrackingEvent.Kind
HAPPENED: dict[str, str] = {
    Kind.LABEL: "Label made",
    Kind.HANDED_OVER: "Handed to the carrier",
    Kind.ARRIVED: "Arrived",
    Kind.DEPARTED: "Left",
    Kind.OUT_FOR_DELIVERY: "Out for delivery",
    Kind.ATTEMPTED: "Delivery tried",
    Kind.DELIVERED: "Delivered",
    Kind.HELD: "Held",
    Kind.LOST: "Reported lost",
    Kind.DAMAGED: "Reported damaged",
    Kind.SENT_BACK: "Sent back",
}

TONES = 6  # avatar colours in static/desk/desk.css


@register.filter
def percent(share: float | None) -> str:
    """0.814 as "81"; a dash where nothing is known."""
    return "–" if share is None else f"{100 * share:.0f}"


@register.filter
def signed(days: float | None) -> str:
    """0.314 as "+0.31", with a true minus below zero; a dash where nothing is known."""
    return "–" if days is None else f"{days:+.2f}".replace("-", "−")


@register.filter
def since(moment: datetime | str | None) -> str:
    """How long ago, as short as a list allows: "now", "4 min", "2 h", "3 d"."""
    when = parse_datetime(moment) if isinstance(moment, str) else moment
    if not when:
        return ""
    seconds = max(0, int((timezone.now() - when).total_seconds()))
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


@register.filter
def iso(moment: datetime | str | None) -> str:
    return moment if isinstance(moment, str) else moment.isoformat() if moment else ""


@register.filter
def initials(name: object) -> str:
    """The first letters of the first and last word: "AL"; a question mark for nobody."""
    parts = [part for part in str(name or "").split() if part[0].isalnum()]
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper() or "?"


@register.filter
def tone(name: object) -> int:
    """The same small number for the same name, for its colour."""
    return sum(str(name).encode()) % TONES


@register.filter
def happened(event: TrackingEvent) -> str:
    """The event as the head of a line, where the model's own labels fit inside a sentence."""
    return HAPPENED.get(event.kind, event.kind)

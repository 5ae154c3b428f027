"""Why the assistant said what it said: kept with every reply, shown at the desk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.skills.base import Reply, Turn
from ml.types import Draft, Entity, EntityKind, Fact, Facts
from ml.understanding.pii import mask

PERSONAL: frozenset[EntityKind] = frozenset({"email", "phone", "postcode"})

# for a reply that no skill made, with the keys that readers of a trace count on
FAULT_TRACE: dict[str, Any] = {
    "intent": "",
    "confidence": 0.0,
    "entities": [],
    "sentiment": {"label": "neutral", "score": 0.0},
    "skill": "fault",
    "situation": "not_understood",
    "facts": {},
    "source": "template",
    "ms": {},
}


@dataclass(frozen=True, slots=True)
class Written:
    """One part of a reply: what to say, with which facts, in which words."""

    reply: Reply
    facts: Facts
    draft: Draft


def trace_of(turn: Turn, written: Sequence[Written], clock: Clock) -> dict[str, Any]:
    """The last part is the reply's own; `parts` holds those that were said before it."""
    said = turn.understanding
    *before, last = written
    return {
        "intent": said.intent,
        "confidence": round(said.confidence, 4),
        "margin": round(said.margin, 4),
        "ranking": [[name, round(p, 4)] for name, p in said.ranking[:5]],
        "requests": list(said.requests),
        "entities": [_told(entity) for entity in said.entities],
        "sentiment": {"label": said.sentiment.label, "score": round(said.sentiment.score, 3)},
        "mood": said.mood,
        "urgency": round(said.urgency, 3),
        "flags": {name: round(getattr(said.flags, name), 3) for name in said.flags.raised},
        **_part(last),
        "parts": [_part(part) for part in before],
        "hand_over": last.reply.hand_over,
        "models": {
            "understanding": said.model,
            "delivery": getattr(turn.assistant.delivery, "version", ""),
            "writer": last.draft.model,
        },
        "ms": {**clock.laps, "first": _until_first(written, clock), "total": clock.total},
    }


def _part(part: Written) -> dict[str, Any]:
    return {
        "skill": part.reply.skill,
        "situation": part.reply.situation,
        "order": _order_of(part.reply),
        "facts": {name: _shown(fact) for name, fact in part.facts.slots.items()},
        "source": part.draft.source,
        "delexicalised": part.draft.delexicalised,
        "rejected": [mask(reason) for reason in part.draft.rejected],
    }


def _until_first(written: Sequence[Written], clock: Clock) -> float:
    """Milliseconds until the first words could be shown."""
    writing = sum(part.draft.timing.total for part in written)
    return clock.total - writing + written[0].draft.timing.first


def _told(entity: Entity) -> dict[str, Any]:
    """What a message mentioned. Personal data is masked; where it stands in the message is told."""
    if entity.kind in PERSONAL:
        hidden = f"[{entity.kind}]"
        return {
            "kind": entity.kind,
            "value": hidden,
            "text": hidden,
            "start": entity.start,
            "end": entity.end,
        }
    return {"kind": entity.kind, "value": entity.value, "text": entity.text}


def _shown(fact: Fact) -> dict[str, str]:
    return {"display": fact.display, "source": fact.source}


def _order_of(reply: Reply) -> int | None:
    """The order a reply spoke of, read from where its facts came from."""
    source = reply.slots["order"].source if "order" in reply.slots else ""
    parts = source.split(":")[-1].split(".")[0]
    return int(parts) if parts.isdigit() else None


class Clock:
    """Milliseconds of each lap, and in all."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 1)
        self._last = now

    @property
    def total(self) -> float:
        return round((self._last - self._started) * 1000, 1)

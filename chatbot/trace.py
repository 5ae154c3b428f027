"""Why the assistant said what it said: kept with every reply, shown at the desk."""

from __future__ import annotations

import time
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


def trace_of(turn: Turn, reply: Reply, facts: Facts, draft: Draft, clock: Clock) -> dict[str, Any]:
    said = turn.understanding
    order = _order_of(reply)
    return {
        "intent": said.intent,
        "confidence": round(said.confidence, 4),
        "margin": round(said.margin, 4),
        "ranking": [[name, round(p, 4)] for name, p in said.ranking[:5]],
        "entities": [_told(entity) for entity in said.entities],
        "sentiment": {"label": said.sentiment.label, "score": round(said.sentiment.score, 3)},
        "mood": said.mood,
        "skill": reply.skill,
        "situation": reply.situation,
        "order": order,
        "hand_over": reply.hand_over,
        "facts": {name: _shown(fact) for name, fact in facts.slots.items()},
        "source": draft.source,
        "delexicalised": draft.delexicalised,
        "rejected": [mask(reason) for reason in draft.rejected],
        "models": {
            "understanding": said.model,
            "delivery": getattr(turn.assistant.delivery, "version", ""),
            "writer": draft.model,
        },
        "ms": {
            **clock.laps,
            "first": clock.total - draft.timing.total + draft.timing.first,
            "total": clock.total,
        },
    }


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

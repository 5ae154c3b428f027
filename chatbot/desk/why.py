"""What a trace says, as a person wants to read it. Traces outlive the code that wrote them, so every
part may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# the order in which an answer comes about
STEPS = {
    "understand": "Understood",
    "act": "Looked up",
    "write": "Written",
    "first": "First words after",
    "total": "Whole answer",
}


@dataclass(frozen=True, slots=True)
class FactRow:
    slot: str
    display: str
    source: str
    used: bool  # stands in the text


@dataclass(frozen=True, slots=True)
class Why:
    intent: str
    confidence: int | None  # percent
    runner_up: str
    runner_up_confidence: int | None
    mood: str
    sentiment: str
    urgency: int | None  # percent
    flags: list[str]
    requests: list[str]  # where a message asked for several things
    skill: str
    situation: str
    parts: list[str]  # what the reply said before
    facts: list[FactRow]
    entities: list[str]
    source: str
    delexicalised: str
    rejected: list[str]
    models: list[tuple[str, str]]
    timings: list[tuple[str, str]]
    total: str


def why(trace: dict[str, Any]) -> Why | None:
    """None where there is nothing to tell."""
    if not trace:
        return None
    ranking = _pairs(trace.get("ranking"))
    second = next((pair for pair in ranking if pair[0] != trace.get("intent")), None)
    ms = _dict(trace.get("ms"))
    return Why(
        intent=words(trace.get("intent")),
        confidence=_percent(trace.get("confidence")),
        runner_up=words(second[0]) if second else "",
        runner_up_confidence=_percent(second[1]) if second else None,
        mood=words(trace.get("mood")),
        sentiment=words(_dict(trace.get("sentiment")).get("label")),
        urgency=_percent(trace.get("urgency")),
        flags=[_flag(name, chance) for name, chance in _dict(trace.get("flags")).items()],
        requests=[words(name) for name in asked] if len(asked := _list(trace.get("requests"))) > 1 else [],
        skill=words(trace.get("skill")),
        situation=words(trace.get("situation")),
        parts=[words(_dict(part).get("situation")) for part in _list(trace.get("parts"))],
        facts=[
            row
            for part in (*_list(trace.get("parts")), trace)
            for row in _facts(_dict(_dict(part).get("facts")), str(_dict(part).get("delexicalised") or ""))
        ],
        entities=[_entity(found) for found in _list(trace.get("entities"))],
        source=str(trace.get("source") or ""),
        delexicalised=_texts(trace),
        rejected=[
            _attempt(given)
            for part in (*_list(trace.get("parts")), trace)
            for given in _list(_dict(part).get("rejected"))
        ],
        models=[
            (words(name), str(version)) for name, version in _dict(trace.get("models")).items() if version
        ],
        timings=[(label, _duration(ms[key])) for key, label in STEPS.items() if _is_number(ms.get(key))],
        total=_duration(ms["total"]) if _is_number(ms.get("total")) else "",
    )


# what a flag says to a colleague
FLAGS = {
    "toxicity": "abusive words",
    "injection": "tries to steer the assistant",
    "leaving": "threatens to leave",
}


def _flag(name: str, chance: object) -> str:
    sure = _percent(chance)
    return FLAGS.get(name, words(name)) + (f" {sure}%" if sure is not None else "")


def _texts(trace: dict[str, Any]) -> str:
    parts = [*_list(trace.get("parts")), trace]
    return " ".join(str(_dict(part).get("delexicalised") or "") for part in parts).strip()


def words(name: object) -> str:
    """`track_order` as it is read: "track order"."""
    return str(name or "").replace("_", " ").strip()


def _facts(facts: dict[str, Any], text: str) -> list[FactRow]:
    """In the order in which the text uses them, then those that it did without."""
    rows = []
    for slot in sorted(facts, key=lambda slot: (_place(slot, text), slot)):
        fact = facts[slot] if isinstance(facts[slot], dict) else {"display": facts[slot]}
        used = _place(slot, text) < len(text)
        rows.append(FactRow(words(slot), str(fact.get("display", "")), str(fact.get("source", "")), used))
    return rows


def _place(slot: str, text: str) -> int:
    found = text.find("{" + slot + "}")
    return found if found >= 0 else len(text)


def _entity(found: object) -> str:
    if isinstance(found, dict):
        kind = words(found.get("kind") or found.get("label"))
        return f"{kind}: {found.get('value') or found.get('text') or ''}"
    return str(found)


def _attempt(given: object) -> str:
    if isinstance(given, dict):
        text, reason = given.get("text", ""), given.get("reason", "")
        return f"{text} ({reason})" if reason else str(text)
    return str(given)


def _pairs(ranking: object) -> list[tuple[str, Any]]:
    return [
        (str(pair[0]), pair[1])
        for pair in _list(ranking)
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def _percent(value: object) -> int | None:
    return round(100 * float(value)) if _is_number(value) else None  # type: ignore[arg-type]


def _duration(ms: float) -> str:
    if ms >= 1000:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

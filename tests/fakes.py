"""Stands in for the models, so that a test says what they answer."""

from __future__ import annotations

from collections.abc import Callable

from ml.types import Draft, Facts, Timing

NAMED = (
    "order",
    "status",
    "promised_day",
    "window_start",
    "window_end",
    "likely_day",
    "delivered_day",
    "amount",
)


class FakeWriter:
    """Names the facts one after the other. `calls` holds what it was given; set `error` to make it
    fail, `before` to have something happen while it writes."""

    version = "fake writer"

    def __init__(self) -> None:
        self.calls: list[Facts] = []
        self.error: Exception | None = None
        self.before: Callable[[], object] = lambda: None

    def write(self, facts: Facts, *, seed: int | None = None) -> Draft:
        self.calls.append(facts)
        self.before()
        if self.error:
            raise self.error
        told = [f"{slot}: {{{slot}}}" for slot in NAMED if slot in facts.slots]
        delexicalised = f"About {facts.situation}. " + ", ".join(told) + "."
        is_mail = facts.channel == "mail"
        return Draft(
            text=_fill(("Hello {first_name},\n\n" if is_mail else "") + delexicalised, facts),
            delexicalised=delexicalised,
            source="model",
            model=self.version,
            timing=Timing(first=1.0, total=2.0),
            tokens=len(delexicalised.split()),
            subject=_fill("Your {item}: news of {order}", facts) if is_mail else "",
            preheader=_fill("It is {status}.", facts) if is_mail else "",
        )


def _fill(text: str, facts: Facts) -> str:
    for slot, fact in facts.slots.items():
        text = text.replace(f"{{{slot}}}", fact.display)
    return text

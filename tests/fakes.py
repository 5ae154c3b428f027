"""Stands in for the models, so that a test says what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ml.types import Consignment, DeliveryStage, Draft, Facts, Forecast, Reason, Timing

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


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Days from a reference moment until delivery, at the 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float


@dataclass
class FakeForecaster:
    """Gives every parcel the same days from its hand-over or placing, those left over at `now`; None:
    nothing honest can be said. `asked` holds the rows of the last call."""

    days: Quantiles | None = field(default_factory=lambda: Quantiles(1.5, 3.0, 5.0))
    reasons: tuple[Reason, ...] = ()
    version: str = "fake-1"
    asked: list[Consignment] = field(default_factory=list)

    def forecast_many(
        self, rows: Sequence[Consignment], *, now: datetime, confidence: float = 0.8
    ) -> list[Forecast | None]:
        self.asked = list(rows)
        return [self._forecast(row, now, confidence) for row in rows]

    def _forecast(self, row: Consignment, now: datetime, confidence: float) -> Forecast | None:
        if self.days is None:
            return None
        elapsed = (now - (row.handed_over_at or row.placed_at)).total_seconds() / 86_400
        low, median, high = (
            max(0.0, days - elapsed) for days in (self.days.low, self.days.median, self.days.high)
        )
        stage: DeliveryStage = "handed_over" if row.handed_over_at else "placed"
        # nothing happens between the ends of a window that leans to one side and one that does not
        tail, lean = (1 - confidence) / 2, (1 - confidence) * 0.2
        levels, days = (lean, tail, 0.5, lean + confidence, 1 - tail), (low, low, median, high, high)
        spread = max(0.1, median - low), max(0.1, high - median)
        return Forecast(
            stage, now, levels, days, confidence, False, self.reasons, self.version, median, *spread
        )


def _fill(text: str, facts: Facts) -> str:
    for slot, fact in facts.slots.items():
        text = text.replace(f"{{{slot}}}", fact.display)
    return text

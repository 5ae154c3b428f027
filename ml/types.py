"""The typed values that cross packages. Plain data: no Django, no models, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Mood = Literal["neutral", "worried", "angry", "cheerful", "curt"]
SentimentLabel = Literal["negative", "neutral", "positive"]
EntityKind = Literal["order_number", "email", "postcode"]
Flag = Literal["toxicity", "injection", "leaving"]
Channel = Literal["chat", "mail"]
Source = Literal["model", "template"]

MOODS: tuple[Mood, ...] = ("neutral", "worried", "angry", "cheerful", "curt")


@dataclass(frozen=True, slots=True)
class Entity:
    """Something a message mentions. `value` is normalised, `text[start:end]` is what was written."""

    kind: EntityKind
    value: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentiment:
    """`score` runs from -1 (negative) to 1 (positive)."""

    label: SentimentLabel
    score: float


@dataclass(frozen=True, slots=True)
class Flags:
    """How likely a message is abusive, tries to steer the assistant, or threatens to leave: 0 to 1.
    `raised` names those beyond their level. They inform people; no flag ever refuses an answer."""

    toxicity: float = 0.0
    injection: float = 0.0
    leaving: float = 0.0
    raised: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one message is about. `ranking` holds (intent, probability), best first; the margin is
    the gap between its first two. An `intent` of "out_of_scope" means: not something this desk does.
    `requests` are all the intents asked for, in the order of the message where there are several;
    `intent` is its first. `urgency`, 0 to 1, says how soon a person should look."""

    text: str
    intent: str
    confidence: float
    margin: float
    ranking: tuple[tuple[str, float], ...]
    entities: tuple[Entity, ...]
    sentiment: Sentiment
    mood: Mood = "neutral"
    model: str = ""
    requests: tuple[str, ...] = ()
    urgency: float = 0.0
    flags: Flags = Flags()

    def first(self, kind: EntityKind) -> str | None:
        """The normalised value of the first entity of this kind."""
        return next((entity.value for entity in self.entities if entity.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is known of an order when its arrival is estimated; None and "" mean unknown.

    Times are aware and in the customer's zone, because weekdays and hours are read off them.
    `delivered_at` is set for finished deliveries only, the ones a model learns from. `extra` holds
    whatever else a shop knows; a model uses the names it was trained with.
    """

    placed_at: datetime
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None
    promised_at: datetime | None = None
    origin_lat: float | None = None
    origin_lng: float | None = None
    destination_lat: float | None = None
    destination_lng: float | None = None
    origin_region: str = ""
    region: str = ""
    seller: str = ""
    carrier: str = ""
    service: str = ""
    weight_g: float | None = None
    volume_cm3: float | None = None
    price: float | None = None
    freight: float | None = None
    items: float | None = None
    extra: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Days from a reference moment until delivery, at the 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """When a parcel arrives: aware datetimes at the 5th, 50th and 95th percentile."""

    earliest: datetime
    likely: datetime
    latest: datetime
    stage: str
    model: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One slot's display value and where it came from ("orders.Order:17.promised_at")."""

    display: str
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a text may say. `situation` names an entry of `ml.writer.situations`; the writer
    phrases it and fills the slots. `committed` names acts that are already stored ("cancelled"),
    the only ones a text may claim. `told` counts how often this situation was told before in the
    same conversation; `customer_text` is what the customer wrote, for tone only."""

    situation: str
    slots: Mapping[str, Fact] = field(default_factory=dict)
    mood: Mood = "neutral"
    channel: Channel = "chat"
    told: int = 0
    committed: frozenset[str] = frozenset()
    customer_text: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds from the call until the first text could be shown, and until the end."""

    first: float
    total: float


@dataclass(frozen=True, slots=True)
class Draft:
    """A finished text. `delexicalised` still has its `{slots}`; `rejected` lists why earlier
    attempts were refused. For mail, `subject` and `preheader` are set as well."""

    text: str
    delexicalised: str
    source: Source
    model: str
    timing: Timing
    tokens: int = 0
    rejected: tuple[str, ...] = ()
    subject: str = ""
    preheader: str = ""

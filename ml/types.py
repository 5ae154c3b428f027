"""The typed values that cross packages. Plain data: no Django, no models, no I/O."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

Mood = Literal["neutral", "worried", "angry", "cheerful", "curt"]
SentimentLabel = Literal["negative", "neutral", "positive"]
EntityKind = Literal["order_number", "email", "phone", "postcode", "date", "amount", "product"]
Flag = Literal["toxicity", "injection", "leaving"]
Channel = Literal["chat", "mail"]
Source = Literal["model", "template"]

MOODS: tuple[Mood, ...] = ("neutral", "worried", "angry", "cheerful", "curt")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a message is read. `today` is the day where the customer is (without it
    no date is read), `country` two letters, `items` the names of what they ordered, newest first."""

    today: date | None = None
    country: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """Something a message mentions. `value` is normalised, `text[start:end]` is what was written.

    Values: an order number as the shop writes it; "+447700900123"; "2026-12-03"; "24.10 GBP"; the
    name of a product as `Known.items` has it."""

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
    `intent` is its first. `wordings`, in parallel, are the words in which each is asked. `urgency`,
    0 to 1, says how soon a person should look."""

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
    wordings: tuple[str, ...] = ()
    urgency: float = 0.0
    flags: Flags = Flags()

    def first(self, kind: EntityKind) -> str | None:
        """The normalised value of the first entity of this kind."""
        return next((entity.value for entity in self.entities if entity.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Spell:
    """Something that took `days` and was over at `ended_at`."""

    days: float
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Leg:
    """A kind of finished spell that shows how fast things go just now.

    Among deliveries that agree with an order in the fields `keys` (all of them known; no keys: every
    delivery of the shop) those are taken that have both `start` and `end`; the `latest` so many whose
    `end` lies before the moment of the estimate are what may be known then. Where `known` names another
    time, such as for promises, which end in the future, that one decides instead, and is `Spell.ended_at`.
    """

    name: str
    start: str
    end: str
    keys: tuple[str, ...]
    latest: int
    known: str = ""


# What whoever serves estimates looks up for `Consignment.past`, newest first. Keys are fields of Consignment.
LEGS: tuple[Leg, ...] = (
    Leg("shop", "placed_at", "delivered_at", (), 100),
    Leg("shop_transit", "handed_over_at", "delivered_at", (), 100),
    Leg("region", "placed_at", "delivered_at", ("region",), 30),
    Leg("seller", "placed_at", "delivered_at", ("seller",), 20),
    Leg("seller_handling", "placed_at", "handed_over_at", ("seller",), 20),
    Leg("route_transit", "handed_over_at", "delivered_at", ("origin_region", "region"), 30),
    Leg("carrier_transit", "handed_over_at", "delivered_at", ("carrier", "service"), 30),
    Leg("promise", "placed_at", "promised_at", ("region",), 30, known="handed_over_at"),
)


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is known of an order when its arrival is estimated; None and "" mean unknown.

    Times are aware and in the customer's zone, because weekdays and hours are read off them. A model
    ignores whatever lies after the moment it estimates at, so finished deliveries, the ones it learns
    from, may be given whole. `scans` are the carrier's scans between hand-over and the van, oldest first;
    `out_for_delivery_at` is the latest loading of a van. `country` and `origin_country` have two letters.
    `past` holds, by the name of a leg in LEGS, spells that had ended before the moment, newest first;
    a leg that is missing or empty is unknown. `seller_open` counts the seller's orders that are placed
    and neither handed over nor cancelled, `shop_open` those of the whole shop; None where not counted.
    `extra` holds whatever else a shop knows; a model uses the names it was trained with.
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
    paid_at: datetime | None = None
    scans: tuple[datetime, ...] = ()
    out_for_delivery_at: datetime | None = None
    country: str = ""
    origin_country: str = ""
    postcode: str = ""
    category: str = ""
    payment: str = ""
    sellers: float | None = None
    past: Mapping[str, tuple[Spell, ...]] = field(default_factory=dict)
    seller_open: float | None = None
    shop_open: float | None = None

    def known_by(self, moment: datetime) -> Consignment:
        """Without what happened at that moment or later."""

        def known(at: datetime | None) -> datetime | None:
            return at if at and at < moment else None

        return replace(
            self,
            paid_at=known(self.paid_at),
            handed_over_at=known(self.handed_over_at),
            scans=tuple(at for at in self.scans if at < moment),
            out_for_delivery_at=known(self.out_for_delivery_at),
            delivered_at=known(self.delivered_at),
        )


DeliveryStage = Literal["placed", "paid", "handed_over", "in_transit", "out_for_delivery"]


@dataclass(frozen=True, slots=True)
class Reason:
    """How many `days` one circumstance moves the likely arrival, against a typical order: positive is later.

    Codes: "seller", "route", "distance", "calendar", "holiday", "load", "goods", "promise", "carrier",
    "progress" (how far it has come, or how long it waits), "shop" (how everything goes just now), "other".
    """

    code: str
    days: float

    @property
    def direction(self) -> Literal["later", "sooner"]:
        return "later" if self.days > 0 else "sooner"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one estimate fell out, for `DeliveryModel.recalibrated`, or how it stands: `arrived_at` is None
    for a parcel that is still under way, and the score then that of arriving this moment. `score` is in
    spreads of its distribution before calibration: 0 is its median, 1 one spread later. See
    `Forecast.score`."""

    stage: DeliveryStage
    region: str
    given_at: datetime
    arrived_at: datetime | None
    score: float


EARLY = 0.2  # of the parcels outside a window, the share that comes before it


def window(confidence: float) -> tuple[float, float]:
    """The levels between which a window of this confidence lies. Times have a long tail to the late side,
    so the shortest window that holds as many leaves out more there than on the early side."""
    below = round((1 - confidence) * EARLY, 6)
    return below, round(below + confidence, 6)


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a parcel arrives, given that it has not by `at`; no moment of it lies before `at`.

    `days` are the days from `at` until delivery at each of `levels`; both increase, and 0.05, 0.1, 0.5,
    0.9 and 0.95 are among the levels. `confidence` is the share of parcels that `low` to `high` holds.
    `too_wide` says that the window is of no use to anybody: better say nothing and offer staff.
    `median`, `below` and `above` are days from `at` before calibration, to score it by.
    """

    stage: DeliveryStage
    at: datetime
    levels: tuple[float, ...]
    days: tuple[float, ...]
    confidence: float
    too_wide: bool
    reasons: tuple[Reason, ...]
    model: str
    median: float
    below: float
    above: float

    def quantile(self, level: float) -> datetime:
        """The moment by which it has arrived with chance `level`; between levels, on a straight line."""
        return self.at + timedelta(days=_between(level, self.levels, self.days))

    @property
    def low(self) -> datetime:
        return self.quantile(window(self.confidence)[0])

    @property
    def likely(self) -> datetime:
        return self.quantile(0.5)

    @property
    def high(self) -> datetime:
        return self.quantile(window(self.confidence)[1])

    def chance_by(self, moment: datetime) -> float:
        """How likely it has arrived by `moment`, such as the end of the promised day; 0 to 1."""
        days = (moment - self.at) / timedelta(days=1)
        if days <= 0:
            return 0.0
        return _between(days, (0.0, *self.days), (0.0, *self.levels))

    def score(self, arrived_at: datetime) -> float:
        """`Outcome.score` of this estimate, if its parcel arrives at that moment."""
        off = (arrived_at - self.at) / timedelta(days=1) - self.median
        return off / (self.above if off > 0 else self.below)


def _between(x: float, xs: tuple[float, ...], ys: tuple[float, ...]) -> float:
    """Linear interpolation; beyond the ends, the value at the end."""
    place = bisect_left(xs, x)
    if place == 0:
        return ys[0]
    if place == len(xs):
        return ys[-1]
    share = (x - xs[place - 1]) / (xs[place] - xs[place - 1])
    return ys[place - 1] + share * (ys[place] - ys[place - 1])


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
    same conversation, and `before` holds those texts, slots open, newest last; `customer_text` is what the
    customer wrote, for tone only; `verified` says whether we know who they are. `owner` names whose text
    it is (a conversation, an email): texts of one owner do not push in before those of others."""

    situation: str
    slots: Mapping[str, Fact] = field(default_factory=dict)
    mood: Mood = "neutral"
    channel: Channel = "chat"
    told: int = 0
    committed: frozenset[str] = frozenset()
    before: tuple[str, ...] = ()
    customer_text: str = ""
    verified: bool = True
    owner: str = ""


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

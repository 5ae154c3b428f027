"""How the estimates of parcels that have arrived fell out, beside the shop's own promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Avg, Case, Count, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Abs, TruncDay, TruncWeek

from orders.models import GivenEstimate

FEWEST = 5  # estimates that a row of its own takes
SHOWN = 12  # carriers or regions
WEEKS_FROM = 45  # days of history from which on points are weeks

STAGES: dict[str, tuple[str, ...]] = {
    "packing": ("placed", "paid"),
    "carrier": ("handed_over", "in_transit"),
    "van": ("out_for_delivery",),
}


@dataclass(frozen=True, slots=True)
class Score:
    """Of `count` estimates, `looked_back` of them told to nobody. Errors are days, the others shares; None
    where nothing is known.

    `error` is the mean distance from the moment called likely, `bias` its mean with a sign: above zero,
    parcels come later than we say. `coverage` is the share inside the window of days we told, `nominal`
    the share that should be. `late` of `promises` came after the promised day; `expected_late` is what
    our chances said. `promise_error` is the mean distance from the promised moment.
    """

    count: int
    looked_back: int
    error: float | None
    bias: float | None
    coverage: float | None
    nominal: float | None
    late: float | None
    expected_late: float | None
    promise_error: float | None
    promises: int


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    score: Score


@dataclass(frozen=True, slots=True)
class Point:
    day: date
    score: Score


def scored(*, since: datetime, stage: str = "") -> QuerySet[GivenEstimate]:
    """Dated estimates whose parcels have arrived since then; `stage` is a key of STAGES."""
    rows = GivenEstimate.objects.filter(arrived_at__gte=since, error_days__isnull=False)
    return rows.filter(stage__in=STAGES[stage]) if stage in STAGES else rows


def overall(rows: QuerySet[GivenEstimate]) -> Score:
    return Score(**rows.order_by().aggregate(**_SCORE))


def over_time(rows: QuerySet[GivenEstimate], *, days: int) -> list[Point]:
    """A point a day, or a week where there are many days, by when the parcels arrived."""
    step = TruncWeek if days >= WEEKS_FROM else TruncDay
    by_step = rows.order_by().annotate(step=step("arrived_at")).values("step").annotate(**_SCORE)
    return [Point(row["step"].date(), _score(row)) for row in by_step.order_by("step")]


def by(rows: QuerySet[GivenEstimate], field: str) -> list[Group]:
    """The groups with the most estimates; `field` is "carrier" or "region"."""
    groups = rows.order_by().exclude(**{field: ""}).values(field).annotate(**_SCORE)
    found = groups.filter(count__gte=FEWEST).order_by("-count", field)[:SHOWN]
    return [Group(row[field], _score(row)) for row in found]


def as_series(points: list[Point]) -> dict[str, list[Any]]:
    """Columns for the charts: a list of days, and one for each figure."""
    series: dict[str, list[Any]] = {"days": [point.day.isoformat() for point in points]}
    for name in ("error", "promise_error", "bias", "coverage", "nominal", "late", "expected_late", "count"):
        series[name] = [_rounded(asdict(point.score)[name]) for point in points]
    return series


def _share(condition: Q, known: Q) -> Avg:
    return Avg(
        Case(When(condition, then=Value(1.0)), default=Value(0.0), output_field=FloatField()), filter=known
    )


_PROMISED = Q(was_late__isnull=False)
_CHANCED = Q(promise_chance__isnull=False, was_late__isnull=False)
_SCORE: dict[str, Any] = {
    "count": Count("pk"),
    "looked_back": Count("pk", filter=Q(channel=GivenEstimate.Channel.PAST)),
    "error": Avg(Abs("error_days")),
    "bias": Avg("error_days"),
    "coverage": _share(Q(in_window=True), Q(in_window__isnull=False)),
    "nominal": Avg("confidence"),
    "late": _share(Q(was_late=True), _CHANCED),
    "expected_late": Avg(Value(1.0) - F("promise_chance"), filter=_CHANCED),
    "promise_error": Avg(Abs("promise_error_days")),
    "promises": Count("pk", filter=_PROMISED),
}


def _score(row: Mapping[str, Any]) -> Score:
    return Score(**{name: row[name] for name in _SCORE})


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value

"""Every estimate that is given is a row, and is scored when its parcel arrives. So are those that would have
been given before there was a record (`orders.hindsight`); they are told to nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from ml.types import Outcome
from orders.consignments import area
from orders.estimates import Outlook
from orders.models import MOVING, OPEN, GivenEstimate, Order, Shipment

Channel = GivenEstimate.Channel
DAY = timedelta(days=1)
LOOKED_BACK = timedelta(days=90)
LEARNED_FROM = 5000  # estimates that windows are set by, about


def note(order: Order, seen: Outlook, *, channel: Channel) -> GivenEstimate | None:
    """Keep what was said about an order, unless no model said anything."""
    rows = note_all([(order, seen)], channel=channel)
    return rows[0] if rows else None


def note_all(told: Iterable[tuple[Order, Outlook]], *, channel: Channel) -> list[GivenEstimate]:
    rows = [_row(order, seen, channel) for order, seen in told if seen.forecast is not None]
    return GivenEstimate.objects.bulk_create(rows)


def note_past(told: Iterable[tuple[Order, Outlook]]) -> int:
    """Keep what would have been said, scored where the parcel has arrived since; says how many rows. A stage
    of an order that is looked back on already stays as it is."""
    rows = []
    for order, seen in told:
        row = _row(order, seen, Channel.PAST)
        if order.delivered_at is not None:
            _score(row, order)
        rows.append(row)
    GivenEstimate.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def score_arrivals(orders: Sequence[Order]) -> int:
    """Score the estimates of those orders that have arrived; says how many rows were scored."""
    arrived = {order.pk: order for order in orders if order.delivered_at is not None}
    if not arrived:
        return 0
    rows = list(GivenEstimate.objects.filter(order__in=list(arrived), arrived_at=None))
    for row in rows:
        _score(row, arrived[row.order_id])
    GivenEstimate.objects.bulk_update(rows, _SCORED)
    return len(rows)


def outcomes(*, now: datetime, model: str) -> list[Outcome]:
    """How the estimates of late fell out, or how they stand, newest first, for the `model` of that version to
    set its windows by; evenly over the time where there are many. Orders that nobody waits for any more, or
    that a person has to look at, tell nothing; nor does what another model looked back on."""
    arrived = Q(arrived_at__isnull=False, score__isnull=False)
    under_way = Q(arrived_at=None, order__status__in=sorted(OPEN | MOVING))
    rows = GivenEstimate.objects.filter(arrived | under_way, given_at__lt=now, given_at__gt=now - LOOKED_BACK)
    rows = rows.exclude(~Q(model=model), channel=Channel.PAST)
    every = 1 + rows.count() // LEARNED_FROM
    chosen = rows.annotate(place=F("pk") % every).filter(place=0).order_by("-given_at")
    return [row.outcome(now=now) for row in chosen]


def latest_of(orders: Sequence[Order]) -> dict[int, GivenEstimate]:
    """By the order's id, the last estimate given of each that is still under way."""
    expected = [order.pk for order in orders if order.status in OPEN | MOVING]
    rows = GivenEstimate.objects.filter(order__in=expected).exclude(channel=Channel.PAST)
    latest = rows.order_by("order_id", "-given_at", "-pk").distinct("order_id")
    return {row.order_id: row for row in latest}


_SCORED = ["arrived_at", "score", "error_days", "in_window", "promise_error_days", "was_late"]


def _row(order: Order, seen: Outlook, channel: Channel) -> GivenEstimate:
    forecast = seen.forecast
    assert forecast is not None
    parcel = next((p for p in order.shipments.all() if _is_under_way(p, at=forecast.at)), None)
    return GivenEstimate(
        order=order,
        given_at=forecast.at,
        channel=channel,
        stage=forecast.stage,
        kind=seen.kind,
        model=forecast.model,
        confidence=forecast.confidence,
        levels=list(forecast.levels),
        days=list(forecast.days),
        median=forecast.median,
        below=forecast.below,
        above=forecast.above,
        reasons=[[reason.code, round(reason.days, 2)] for reason in forecast.reasons],
        first_day=seen.window_start,
        likely_day=seen.likely,
        last_day=seen.window_end,
        promised_day=seen.promised,
        promise_chance=seen.chance,
        carrier=parcel.carrier if parcel else "",
        region=area(order),
    )


def _is_under_way(parcel: Shipment, *, at: datetime) -> bool:
    sent, came = parcel.handed_over_at, parcel.delivered_at
    return sent is not None and sent <= at and (came is None or came > at)


def _score(row: GivenEstimate, order: Order) -> None:
    arrived = order.delivered_at
    assert arrived is not None
    row.arrived_at = arrived
    if arrived <= row.given_at:  # the news of it came later than it did: nothing to learn from
        return
    day = arrived.astimezone(order.customer.zone).date()
    row.score = row.forecast.score(arrived)
    if row.first_day and row.last_day:
        row.error_days = (arrived - row.forecast.likely) / DAY
        row.in_window = row.first_day <= day <= row.last_day
    if order.promised_at and row.promised_day:
        row.promise_error_days = (arrived - order.promised_at) / DAY
        row.was_late = day > row.promised_day

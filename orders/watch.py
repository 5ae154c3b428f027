"""Looks again at every order that somebody waits for: soon after news of it, and every few hours.

What changed is kept on record. What broke its promise is for the customer to be told; that is up to
the caller, inside the transaction in which it is kept, so that neither happens without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from orders import record
from orders.estimates import Forecaster, Outlook, outlooks
from orders.models import MOVING, OPEN, GivenEstimate, Order

EVERY = timedelta(hours=3)
AT_ONCE = 500  # orders; about half a second of work
WATCH = GivenEstimate.Channel.WATCH


@dataclass(frozen=True, slots=True)
class Seen:
    """One order as the watch found it. `before` is what the watch last kept of it."""

    order: Order
    outlook: Outlook
    before: GivenEstimate | None

    @property
    def is_news(self) -> bool:
        seen, before = self.outlook, self.before
        return before is None or (seen.kind, seen.window_start, seen.likely, seen.window_end) != (
            before.kind,
            before.first_day,
            before.likely_day,
            before.last_day,
        )

    @property
    def broke_promise(self) -> bool:
        """Whether this is the first estimate that misses this promise.

        An order that was never watched is measured by the promise itself while that is still to be kept;
        where it was missed before anybody looked, its customer knows.
        """
        seen, before = self.outlook, self.before
        if not (seen.likely and seen.promised and seen.likely > seen.promised):
            return False
        if before is None:
            return seen.chance is not None
        return not (before.promised_day == seen.promised and before.breaks_promise)


def look(*, model: Forecaster, now: datetime) -> list[Seen]:
    """The orders whose turn it is, at most AT_ONCE, those with news first."""
    orders = list(_due(now)[:AT_ONCE])
    before = _kept([order.pk for order in orders])
    found = outlooks(orders, model=model, now=now)
    return [Seen(order, seen, before.get(order.pk)) for order, seen in zip(orders, found, strict=True)]


def keep(found: Sequence[Seen], *, now: datetime) -> None:
    record.note_all(((seen.order, seen.outlook) for seen in found if seen.is_news), channel=WATCH)
    # what has moved on since we looked stays due
    looked_at = {seen.order.pk: seen.order.updated_at for seen in found}
    unchanged = Order.objects.select_for_update().filter(pk__in=looked_at).order_by("pk")
    same = [pk for pk, updated in unchanged.values_list("pk", "updated_at") if updated == looked_at[pk]]
    Order.objects.filter(pk__in=same).update(watched_at=now)


def _due(now: datetime) -> QuerySet[Order]:
    waiting = Q(watched_at=None) | Q(watched_at__lt=now - EVERY)
    return (
        Order.objects.filter(waiting, status__in=sorted(OPEN | MOVING))
        .select_related("customer")
        .prefetch_related("items__seller", "shipments__events")
        .order_by(F("watched_at").asc(nulls_first=True))
    )


def _kept(order_ids: Sequence[int]) -> dict[int, GivenEstimate]:
    rows = GivenEstimate.objects.filter(order__in=order_ids, channel=WATCH)
    latest = rows.order_by("order_id", "-given_at", "-pk").distinct("order_id")
    return {row.order_id: row for row in latest}

"""What the model in use would have said of the past, so that a record does not begin empty.

A shop that has just brought its orders has told nobody anything yet, but how its parcels came is known.
Of these the model is asked at the beginning of each stage, from what was known then; its answers go to
the record as looked back on, and are told to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet

from ml.types import Consignment, Forecast
from orders import record
from orders.consignments import consignment, to_learn_from
from orders.estimates import outlook_then
from orders.models import MOVING, OPEN, GivenEstimate, Order, Shipment, Status

RUN_UP = timedelta(days=30)  # before the record begins, for the windows of its first days
MOST_ASKED = 1500  # orders; more would not make the figures much surer
MOST_LATELY = 30_000  # orders of that time; of a larger shop it is shorter
EARLIER = 10_000  # orders before that time, for what the first of its estimates look back on
CHUNK = 500
LOCK = 0x1AC4B  # any number that nothing else locks in this database
_ARRIVED = frozenset({Status.DELIVERED, Status.RETURN_REQUESTED, Status.RETURNED})


class LooksBack(Protocol):
    """What this module needs of a model; `ml.delivery.hindsight.Hindsight` is one."""

    @property
    def unseen_since(self) -> datetime | None:
        """Of orders placed later it cannot have seen how they fell out; None: of none of this shop's."""

    def forecasts(
        self,
        rows: Iterable[tuple[int, Consignment]],
        *,
        asked: Collection[int],
        now: datetime,
        confidence: float,
    ) -> list[tuple[int, Forecast]]:
        """Of the rows whose ids are asked, what it would have said at the beginning of each stage."""


def look_back(model: LooksBack, *, now: datetime) -> int:
    """Put into the record what the model would have said of the deliveries of late; says how many estimates
    that are.

    Orders of which anything was said are left out, so doing it again adds nothing. Where another process is
    at it, nothing is done.
    """
    first = _first(now)
    asked = _asked(first, model.unseen_since)
    if not _arrived_unsaid(asked, now).exists():
        return 0
    with _alone() as alone:
        return _ask(model, first, asked, now) if alone else 0


@contextmanager
def _alone() -> Iterator[bool]:
    """Not a transaction, which would span the model. A process that dies lets go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _ask(model: LooksBack, first: datetime, asked: QuerySet[Order], now: datetime) -> int:
    unsaid = set(asked.filter(~_SAID).values_list("pk", flat=True))
    told = model.forecasts(
        _read(first),
        asked=list(asked.values_list("pk", flat=True)),
        now=now,
        confidence=settings.ESTIMATE_CONFIDENCE,
    )
    since = now - record.LOOKED_BACK
    count = _keep(((key, forecast) for key, forecast in told if key in unsaid), since=since)
    _in_vain.update(_arrived_unsaid(asked, now).values_list("pk", flat=True))
    return count


def _first(now: datetime) -> datetime:
    """When the orders begin that are asked about."""
    first = now - record.LOOKED_BACK - RUN_UP
    dated = Order.objects.filter(placed_at__gte=first).order_by("-placed_at")
    full = dated.values_list("placed_at", flat=True)[MOST_LATELY : MOST_LATELY + 1]
    return next((placed for placed in full if placed), first)


def _asked(first: datetime, unseen_since: datetime | None) -> QuerySet[Order]:
    """Orders that arrived or are waited for, evenly over the time where there are many. With every doubling
    of their number half of those chosen before stay chosen, and no others come in."""
    orders = Order.objects.filter(placed_at__gte=first, status__in=sorted(_ARRIVED | OPEN | MOVING))
    if unseen_since is not None:
        orders = orders.filter(placed_at__gt=unseen_since)
    every, count = 1, orders.count()
    while count > every * MOST_ASKED:
        every *= 2
    return orders.annotate(place=F("pk") % every).filter(place=0)


# Orders of which the model has nothing to say, such as one that arrived before it was placed. Each process
# asks about them once.
_in_vain: set[int] = set()
_SAID = Exists(GivenEstimate.objects.filter(order=OuterRef("pk")))


def _arrived_unsaid(asked: QuerySet[Order], now: datetime) -> QuerySet[Order]:
    """What is still under way will have estimates of its own soon, and is no reason to look back."""
    arrival = Shipment.objects.filter(order=OuterRef("pk"), delivered_at__gte=now - record.LOOKED_BACK)
    return asked.filter(~_SAID, Exists(arrival), status__in=sorted(_ARRIVED)).exclude(pk__in=_in_vain)


def _read(first: datetime) -> Iterator[tuple[int, Consignment]]:
    """Newest first, through a server-side cursor."""
    orders = to_learn_from().order_by("-placed_at", "-pk")
    count = orders.filter(placed_at__gte=first).count() + EARLIER
    for order in orders[:count].iterator(chunk_size=CHUNK):
        yield order.pk, consignment(order, finished=True)


def _keep(told: Iterable[tuple[int, Forecast]], *, since: datetime) -> int:
    """Those of parcels that have arrived since then or not at all, an order's own in one statement."""
    by_order: dict[int, list[Forecast]] = defaultdict(list)
    for key, forecast in told:
        by_order[key].append(forecast)
    keys, count = sorted(by_order), 0
    for start in range(0, len(keys), CHUNK):
        orders = to_learn_from().filter(pk__in=keys[start : start + CHUNK])
        count += record.note_past(
            (order, outlook_then(order, forecast))
            for order in orders
            if order.delivered_at is None or order.delivered_at >= since
            for forecast in by_order[order.pk]
        )
    return count

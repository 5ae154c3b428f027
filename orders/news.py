"""What follows from news of parcels: paces, scores, and another look at the estimate.

Called inside the transaction that stores the news, so that none of it can be lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from orders import paces, record
from orders.consignments import consignment
from orders.models import Order


def take_in(order_ids: Sequence[int]) -> None:
    if not order_ids:
        return
    orders = list(
        Order.objects.filter(pk__in=order_ids)
        .select_related("customer")
        .prefetch_related("items__seller", "shipments__events")
    )
    dated = [order for order in orders if order.placed_at is not None]
    paces.absorb((order.pk, consignment(order, finished=True)) for order in dated)
    record.score_arrivals(orders)
    Order.objects.filter(pk__in=order_ids).update(watched_at=None, updated_at=timezone.now())

"""Orders that someone who tries the demo can ask about."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Q, QuerySet, When
from django.utils import timezone

from orders.models import MOVING, Order, Status
from orders.simulator import EXAMPLE_EMAIL

SOURCE = "demo"


def examples(*, now: datetime | None = None) -> list[dict[str, str]]:
    """Up to four orders as {"number", "email", "what"}, the introduced customer's first."""
    now = now or timezone.now()
    wanted = (
        ("on its way", Q(status=Status.SHIPPED, promised_at__gt=now)),
        ("late", Q(status__in=MOVING, promised_at__lt=now)),
        ("just placed", Q(status__in=[Status.PLACED, Status.PAID])),
        ("delivered", Q(status=Status.DELIVERED)),
    )
    found = ((what, _demo_orders().filter(condition).first()) for what, condition in wanted)
    return [
        {"number": order.number, "email": order.customer.email, "what": what}
        for what, order in found
        if order
    ]


def _demo_orders() -> QuerySet[Order]:
    introduced_first = Case(When(customer__email=EXAMPLE_EMAIL, then=0), default=1)
    return (
        Order.objects.filter(source=SOURCE)
        .select_related("customer")
        .order_by(introduced_first, "-placed_at")
    )

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from ml.delivery.model import DeliveryModel, NotTrainable
from ml.delivery.training import card, train
from ml.types import Consignment
from orders.consignments import consignment, consignment_of
from orders.models import Order, Status
from orders.simulator import Plan, simulate

CHUNK = 2000
FINISHED = (Status.DELIVERED, Status.RETURN_REQUESTED, Status.EXCHANGE_REQUESTED, Status.RETURNED)


class Command(BaseCommand):
    help = "Learn when parcels arrive from finished deliveries, and write the model and its card."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", help="only orders of this source, such as demo or olist")
        parser.add_argument("--out", type=Path, default=settings.DELIVERY_MODEL)
        parser.add_argument("--before", type=datetime.fromisoformat, help="only deliveries before this date")
        parser.add_argument(
            "--simulated", type=int, help="learn from so many invented orders, not from the tables"
        )
        parser.add_argument("--seed", type=int, default=1911, help="of the invented orders")
        parser.add_argument("--now", type=datetime.fromisoformat, help="the invented orders' present time")

    def handle(self, *_: Any, **options: Any) -> None:
        before = _aware(options["before"])
        if options["simulated"]:
            count, seed = options["simulated"], options["seed"]
            rows = _simulated(count, seed, _aware(options["now"]) or timezone.now())
            data = f"{count} orders of the built-in simulator (seed {seed}), no real ones"
        else:
            rows = _stored(options["source"])
            data = f"finished deliveries of this shop{_of(options['source'])}"
        finished = [row for row in rows if before is None or (row.delivered_at and row.delivered_at < before)]
        try:
            model = train(finished, data=data)
        except NotTrainable as error:
            raise CommandError(str(error)) from error
        self._write(model, options["out"])

    def _write(self, model: DeliveryModel, out: Path) -> None:
        model.save(out)
        out.with_suffix(".md").write_text(card(model))
        for stage, scores in model.meta["scores"].items():
            self.stdout.write(
                "{stage}: mean absolute error {mae:.2f} days, {coverage90:.1%} inside a window of "
                "{width90:.1f} days ({test_orders} later orders)".format(stage=stage, **scores)
            )
        self.stdout.write(f"{model.version} written to {out}")


def _stored(source: str | None) -> Iterator[Consignment]:
    """Finished deliveries, oldest first, through a server-side cursor."""
    orders = Order.objects.filter(status__in=FINISHED, placed_at__isnull=False)
    if source:
        orders = orders.filter(source=source)
    rows = (
        orders.select_related("customer")
        .prefetch_related("items__seller", "shipments")
        .order_by("placed_at", "id")
        .iterator(chunk_size=CHUNK)
    )
    for order in tqdm(rows, total=orders.count(), desc="Reading orders", unit=" orders", mininterval=1):
        row = consignment(order, finished=True)
        if row.delivered_at is not None:
            yield row


def _simulated(count: int, seed: int, now: datetime) -> Iterator[Consignment]:
    # as many customers an order as in the demo shop; evenly over time, to see every season
    plan = Plan(customers=max(1, count * 2 // 5), orders=count, seed=seed, recent=0.0, with_example=False)
    for row in tqdm(
        simulate(plan, now=now), total=count, desc="Inventing orders", unit=" orders", mininterval=1
    ):
        invented = consignment_of(row, finished=True)
        if invented.delivered_at is not None:
            yield invented


def _of(source: str | None) -> str:
    return f" ({source})" if source else ""


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None

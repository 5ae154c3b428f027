from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from ml.delivery import plots
from ml.delivery.card import card
from ml.delivery.fitting import NotTrainable
from ml.delivery.model import DeliveryModel
from ml.delivery.table import Table
from ml.delivery.training import Trained, train
from ml.types import Consignment
from orders.consignments import consignment, consignment_of, to_learn_from
from orders.models import Status
from orders.simulator import Plan, simulate

CHUNK = 2000


class Command(BaseCommand):
    help = (
        "Learn when parcels arrive from finished deliveries, and write the model, its card and a picture "
        "of what it looks at. A model that is not better than the one in its place is not written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", help="only orders of this source, such as demo or olist")
        parser.add_argument("--out", type=Path, default=settings.DELIVERY_MODEL)
        parser.add_argument("--before", type=datetime.fromisoformat, help="only what was known by this date")
        parser.add_argument(
            "--simulated", type=int, help="learn from so many invented orders, not from the tables"
        )
        parser.add_argument("--seed", type=int, default=1911, help="of the invented orders")
        parser.add_argument("--now", type=datetime.fromisoformat, help="the invented orders' present time")
        parser.add_argument("--force", action="store_true", help="write it though the gate refuses")

    def handle(self, *_: Any, **options: Any) -> None:
        before = _aware(options["before"])
        if options["simulated"]:
            count, seed = options["simulated"], options["seed"]
            rows = _simulated(count, seed, _aware(options["now"]) or timezone.now())
            data = f"{count} orders of the built-in simulator (seed {seed}), no real ones"
        else:
            rows = _stored(options["source"])
            data = f"deliveries of this shop{_of(options['source'])}"
        table = Table.of(row if before is None else row.known_by(before) for row in _until(rows, before))
        self.stdout.write(f"Learning from {table.size} orders.")
        began = time.monotonic()
        try:
            trained = train(
                table,
                data=data,
                invented=bool(options["simulated"]),
                current=_in_place(options["out"]),
            )
        except NotTrainable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Learned in {time.monotonic() - began:.0f} seconds. {trained.verdict.why}")
        if not trained.verdict.better and not options["force"]:
            raise CommandError(f"{options['out']} stays as it is; --force writes the new model anyway.")
        self._write(trained, options["out"])

    def _write(self, trained: Trained, out: Path) -> None:
        model, picture = trained.model, out.with_suffix(".png")
        model.save(out)
        out.with_suffix(".md").write_text(card(model, picture=picture.name))
        plots.importance(trained.importance, picture)
        for stage, scores in model.meta["scores"].items():
            self.stdout.write(
                "{stage}: mean absolute error {mae:.2f} days, {coverage80:.1%} inside a window of "
                "{width80:.1f} days ({test_orders} estimates)".format(stage=stage, **scores)
            )
        self.stdout.write(f"{model.version} written to {out}")


def _stored(source: str | None) -> Iterator[Consignment]:
    """Oldest first, through a server-side cursor."""
    orders = to_learn_from()
    if source:
        orders = orders.filter(source=source)
    rows = orders.order_by("placed_at", "id").iterator(chunk_size=CHUNK)
    for order in tqdm(rows, total=orders.count(), desc="Reading orders", unit=" orders", mininterval=1):
        yield consignment(order, finished=True)


def _simulated(count: int, seed: int, now: datetime) -> Iterator[Consignment]:
    # as many customers an order as in the demo shop; evenly over time, to see every season
    plan = Plan(customers=max(1, count * 2 // 5), orders=count, seed=seed, recent=0.0, with_example=False)
    for row in tqdm(
        simulate(plan, now=now), total=count, desc="Inventing orders", unit=" orders", mininterval=1
    ):
        if row.status != Status.CANCELLED:
            yield consignment_of(row, finished=True)


def _until(rows: Iterator[Consignment], before: datetime | None) -> Iterator[Consignment]:
    return (row for row in rows if before is None or row.placed_at < before)


def _in_place(out: Path) -> DeliveryModel | None:
    """The model that a new one would replace; one that this version cannot read may always be."""
    try:
        return DeliveryModel.load(out)
    except (OSError, ValueError):
        return None


def _of(source: str | None) -> str:
    return f" ({source})" if source else ""


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None

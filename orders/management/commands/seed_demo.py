from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from orders import demo
from orders.loader import Report, load
from orders.models import Order
from orders.rows import Rejected
from orders.simulator import Plan, simulate


class Command(BaseCommand):
    help = (
        "Fill the tables with an invented shop, relative to today. Does nothing where one is there already."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=Plan.customers)
        parser.add_argument("--orders", type=int, default=Plan.orders)
        parser.add_argument("--seed", type=int, default=Plan.seed)

    def handle(self, *_: Any, **options: Any) -> None:
        if Order.objects.filter(source=demo.SOURCE).exists():
            self.stdout.write("The demo shop is here already; nothing was changed.")
        else:
            plan = Plan(options["customers"], options["orders"], options["seed"])
            report = seed(plan, now=timezone.now(), show_progress=options["verbosity"] > 0)
            self.stdout.write(f"The demo shop has {report.imported} orders.")
        if options["verbosity"] > 0:
            for example in demo.examples():
                self.stdout.write("  {number}  {email}  ({what})".format(**example))


def seed(plan: Plan, *, now: datetime, show_progress: bool = False) -> Report:
    rejected: list[Rejected] = []
    with tqdm(
        total=plan.orders, desc="Demo shop", unit=" orders", mininterval=1, disable=not show_progress
    ) as bar:
        report = load(simulate(plan, now=now), source=demo.SOURCE, reject=rejected.append, advance=bar.update)
    if rejected:
        raise RuntimeError(f"The demo shop holds an order that cannot be stored: {rejected[0].reason}")
    return report

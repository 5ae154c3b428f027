from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orders import paces


class Command(BaseCommand):
    help = "Make anew what estimates look back on, from every order. Needed once after an upgrade."

    def handle(self, *_: Any, **options: Any) -> None:
        self.stdout.write(f"Paces of {paces.rebuild()} orders.")
        paces.count_backlog()

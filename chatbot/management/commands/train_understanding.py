"""`manage.py train_understanding --data DIR`: the shipped understanding model, made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = (
        "Train the understanding model from the public data and our own examples; write its card beside it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
        parser.add_argument("--out", type=Path, default=settings.ARTIFACTS, help="folder of the files")

    def handle(self, *args: Any, data: Path, out: Path, **options: Any) -> None:
        from ml.understanding.data import DataError
        from ml.understanding.train import train_shipped

        try:
            train_shipped(data, out, say=self.stdout.write)
        except (OSError, DataError) as error:
            raise CommandError(f"Training stopped: {error}") from error

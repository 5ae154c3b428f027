"""`manage.py evaluate_intents FILE.csv`: how well one's own messages are understood, as one JSON object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Evaluate intents on a CSV with the columns text and intent; prints one JSON object."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with the columns text,intent")
        parser.add_argument("--train", type=Path, help="train on this CSV's labels instead of the shop's")
        parser.add_argument("--predictions", type=Path, help="write text,intent,predicted,confidence here")

    def handle(
        self, *args: Any, file: Path, train: Path | None, predictions: Path | None, **options: Any
    ) -> None:
        from ml.understanding.artifact import ArtifactError
        from ml.understanding.data import DataError

        try:
            evaluation = _evaluate(file, train)
            if predictions:
                evaluation.write_predictions(predictions)
        except (ArtifactError, DataError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(evaluation.figures))


def _evaluate(file: Path, train: Path | None) -> Any:
    from ml.understanding.encoder import Encoder
    from ml.understanding.evaluate import evaluate_recipe, evaluate_shipped
    from ml.understanding.understander import Understander

    if train:
        return evaluate_recipe(file, train, Encoder())
    shipped = settings.ARTIFACTS / "understanding.npz"
    return evaluate_shipped(file, Understander.load(shipped, order_patterns=settings.ORDER_PATTERNS))

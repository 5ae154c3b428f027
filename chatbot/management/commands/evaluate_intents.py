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
        parser.add_argument("--quick", action="store_true", help="with --train: leave the encoder as it is")
        parser.add_argument("--candidate", type=Path, help="folder of a new model, compared with the shop's")
        parser.add_argument("--predictions", type=Path, help="write text,intent,predicted,confidence here")
        parser.add_argument("--report", type=Path, help="folder for JSON, a readable table and a diagram")

    def handle(self, *args: Any, **options: Any) -> None:
        from ml.understanding.artifact import ArtifactError
        from ml.understanding.data import DataError
        from ml.understanding.reporting import write_report

        try:
            evaluation = _evaluate(options["file"], options["train"], options["quick"], options["candidate"])
            if options["predictions"]:
                evaluation.write_predictions(options["predictions"])
            if options["report"]:
                write_report(evaluation, options["report"])
        except (ArtifactError, DataError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(evaluation.figures))


def _evaluate(file: Path, train: Path | None, quick: bool, candidate: Path | None) -> Any:
    from ml.understanding.evaluate import compare, evaluate_recipe, evaluate_shipped
    from ml.understanding.understander import Understander

    if train:
        return evaluate_recipe(file, train, frozen=quick)
    patterns = settings.ORDER_PATTERNS
    current = evaluate_shipped(file, Understander.load(settings.ARTIFACTS, order_patterns=patterns))
    if not candidate:
        return current
    new = evaluate_shipped(file, Understander.load(candidate, order_patterns=patterns))
    new.figures["comparison"] = compare(new, current)
    return new

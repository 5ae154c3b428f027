"""`manage.py export_replies OUT.jsonl`: what colleagues wrote and approved, as training pairs."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.assistant import understander
from chatbot.replies import staff_answers
from emails.replies import approved_emails
from ml.types import Known, Understanding
from ml.understanding import pii
from ml.understanding.entities import find
from ml.writer.pairs import collect, write_pairs


class Command(BaseCommand):
    help = "Write approved emails and colleagues' answers in chat as JSON lines to fine-tune a writer on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="file to write")
        parser.add_argument(
            "--edited-only", action="store_true", help="leave out emails that were approved as they were"
        )

    def handle(self, *args: Any, out: Path, edited_only: bool, **options: Any) -> None:
        aside: Counter[str] = Counter()
        written = chain(approved_emails(), staff_answers(_understand, aside))
        # what a person changed comes first, so that it is what stays of two that say the same
        ordered = sorted(written, key=lambda each: not each.changed)
        collected = collect((each for each in ordered if each.changed or not edited_only), mask=_mask)
        try:
            write_pairs(collected.pairs, out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        self._report(collected.pairs, aside + collected.left_out, out)

    def _report(self, pairs: list[Any], left_out: Counter[str], out: Path) -> None:
        sources = Counter(pair.source for pair in pairs)
        edited = sum(bool(pair.changed) for pair in pairs)
        self.stdout.write(
            f"{len(pairs)} pairs in {out}: {sources['mail']} from emails, {sources['chat']} from chat; "
            f"in {edited} a person chose the words."
        )
        for reason, count in left_out.most_common():
            self.stdout.write(f"  left out {count}: {reason}")


def _understand(text: str) -> Understanding:
    return understander().understand(text, known=Known())


def _mask(text: str) -> str:
    """A customer's words with a name for the kind in place of what belongs to them alone."""
    text = pii.mask(text)
    for entity in reversed(find(text, order_patterns=settings.ORDER_PATTERNS)):
        if entity.kind in ("order_number", "postcode"):
            text = f"{text[: entity.start]}[{entity.kind}]{text[entity.end :]}"
    return text

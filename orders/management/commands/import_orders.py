from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from orders.errors import ImportFailed
from orders.importers import formats
from orders.loader import BATCH, load
from orders.rows import Rejected

SHOWN = 10  # rejected rows on screen; --rejects has all


class Command(BaseCommand):
    help = "Import orders. Importing the same files again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a folder (olist, tau_retail) or a file (csv)")
        parser.add_argument("--format", required=True, choices=formats())
        parser.add_argument("--rejects", type=Path, help="write every rejected row to this CSV")
        parser.add_argument("--batch", type=int, default=BATCH, help="orders a transaction")

    def handle(self, *_: Any, path: Path, batch: int, rejects: Path | None, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch must be at least 1.")
        rejected = _Rejected(path.name)
        try:
            source = formats()[options["format"]](path)
            with (
                rejected.written_to(rejects),
                tqdm(
                    total=source.total,
                    desc=f"Importing {source.name}",
                    unit=" orders",
                    mininterval=1,
                    disable=options["verbosity"] == 0,
                ) as bar,
            ):
                report = load(
                    source.rows, source=source.name, batch=batch, reject=rejected.add, advance=bar.update
                )
        except ImportFailed as error:
            raise CommandError(str(error)) from error
        for line in rejected.summary():
            self.stderr.write(line)
        counts = ", ".join(f"{count} {name}" for name, count in report.as_dict().items())
        self.stdout.write(f"{counts}.")


class _Rejected:
    """Keeps the first few for the screen and writes each to the file as it comes."""

    def __init__(self, default_file: str) -> None:
        self.default_file = default_file
        self.first: list[Rejected] = []
        self.count = 0
        self.writer: Any = None

    @contextmanager
    def written_to(self, path: Path | None) -> Iterator[None]:
        if path is None:
            yield
            return
        with path.open("w", newline="", encoding="utf-8") as file:
            self.writer = csv.writer(file)
            self.writer.writerow(("file", "line", "reason"))
            yield

    def add(self, row: Rejected) -> None:
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(row)
        if self.writer:
            self.writer.writerow((row.file or self.default_file, row.line, row.reason))

    def summary(self) -> Iterator[str]:
        for row in self.first:
            yield f"{row.file or self.default_file}, line {row.line}: {row.reason}"
        if self.count > len(self.first):
            yield f"… and {self.count - len(self.first)} more; --rejects FILE writes them all."

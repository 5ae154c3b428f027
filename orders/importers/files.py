"""Reading tables as text, and the temporary tables in which they wait to be joined.

The files of one shop are not sorted alike, so an order's items can stand anywhere. Holding them in
memory would grow with the shop; copied into temporary tables, the database finds them by index and
this process holds one batch.
"""

from __future__ import annotations

import csv
import difflib
import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.db import connection, transaction

from orders.errors import ImportFailed

Line = tuple[int, dict[str, str]]


def find(folder: Path, name: str) -> Path:
    """The file of this name in a folder, plain or with .gz."""
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise ImportFailed(f"{folder} has no file {name} (nor {name}.gz).")


def open_text(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[Line]:
    """Line numbers and values of these columns; others are left out.

    Raises ImportFailed where a column is missing or the file is no text.
    """
    with open_text(path) as file:
        reader = csv.DictReader(file)
        try:
            check_columns(path, reader.fieldnames or [], required=columns)
            for row in reader:
                yield reader.line_num, {name: clean(row[name]) for name in columns}
        except (UnicodeDecodeError, csv.Error, OSError, EOFError) as error:
            raise ImportFailed(f"{path.name} cannot be read as CSV in UTF-8: {error}.") from error


def check_columns(
    path: Path, found: Sequence[str], *, required: Sequence[str], known: Sequence[str] = ()
) -> None:
    """Raises ImportFailed, naming the column. Without `known`, further columns do not matter."""
    for name in found if known else ():
        if name not in known:
            close = difflib.get_close_matches(name, [k for k in known if k not in found], n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
            raise ImportFailed(f"{path.name} has a column {name!r} that is not known; {hint}")
    for name in required:
        if name not in found:
            raise ImportFailed(f"{path.name} lacks the column {name}.")


def clean(value: str | None) -> str:
    """Without surrounding blanks, and without the one character that Postgres cannot store."""
    return (value or "").replace("\0", "").strip()


@transaction.atomic
def stage(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, keys: Sequence[str]) -> None:
    """Fill a temporary table of this connection, with an index on each of `keys`.

    `line` is an integer, every other column text. Names come from this package, never from a file.
    """
    types = ", ".join(f"{name} {'integer' if name == 'line' else 'text'}" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ({types})")
        with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        for key in keys:
            cursor.execute(f"CREATE INDEX ON {table} ({key})")
        cursor.execute(f"ANALYZE {table}")


def unstage(*tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def query(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

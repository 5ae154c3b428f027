"""The product with its real models on real shops' orders."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

FACTUAL = re.compile(
    r"\d+|[£$€%@]|https?:|www\.|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b(?:January|February|March|April|May|"
    r"June|July|August|September|October|November|December)\b|\btomorrow\b|\byesterday\b"
)
OURS = ("orders", "emails", "chatbot")


@contextmanager
def imported(kind: str, folder: Path, blocker) -> Iterator[None]:
    """A module's own shop: imported once, gone afterwards."""
    with blocker.unblock():
        call_command("import_orders", str(folder), format=kind, verbosity=0)
    try:
        yield
    finally:
        with blocker.unblock(), connection.cursor() as cursor:
            tables = ", ".join(
                model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()
            )
            cursor.execute(f"TRUNCATE {tables} CASCADE")


def ask(*lines: dict[str, str]) -> list[dict]:
    """What `manage.py chat --json` prints for these lines."""
    out, given = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO("".join(json.dumps(line) + "\n" for line in lines))
    try:
        call_command("chat", json=True, stdout=out)
    finally:
        sys.stdin = given
    return [json.loads(line) for line in out.getvalue().splitlines()]


def unsupported(answer: dict) -> list[str]:
    """What in a reply looks like a fact but comes from none: the reply less its facts must be free of
    numbers, days, links, addresses."""
    rest = answer["reply"]
    for display in sorted(answer["facts"].values(), key=len, reverse=True):
        rest = re.sub(re.escape(display), " ", rest, flags=re.IGNORECASE)
    return FACTUAL.findall(rest)


@pytest.fixture(scope="session")
def models():
    """Loaded once for all flows."""
    from chatbot.assistant import assistant

    return assistant()

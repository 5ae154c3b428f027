"""A wrong setting stops the start with a sentence that says what to write instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parents[2]


def start(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.SECRET_KEY)"],
        cwd=BASE,
        env={**os.environ, "DOORSTEP_VAR": str(folder), "DOORSTEP_OFFLINE": "1", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "short", "at least 32 characters"),
        ("DATABASE_URL", "mysql://u@h/n", "PostgreSQL"),
        ("REDIS_URL", "http://h", "redis://"),
        ("EMAIL_URL", "carrier-pigeon://roof", "smtp"),
        ("LLM_MODEL", "/nowhere/model.gguf", "no such file"),
        ("LLM_URL", "localhost:8080", "http://"),
        ("LLM_THREADS", "many", "whole number"),
        ("LLM_THREADS", "0", "between 1 and 64"),
        ("ESTIMATE_CONFIDENCE", "most", "number such as 0.8"),
        ("ESTIMATE_CONFIDENCE", "80%", "between 0.5 and 0.9"),
        ("ESTIMATE_CONFIDENCE", "0.99", "between 0.5 and 0.9"),
        ("ESTIMATE_WIDEST", "0", "between 1 and 60"),
        ("TIME_ZONE", "Mars/Olympus", "Europe/London"),
        ("SHOP_EMAIL", "nobody", "address such as"),
        ("ORDER_PATTERNS", "[A-Z", "no regular expression"),
        ("WIDGET_ORIGINS", "shop.example/page", "scheme and host"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, name, value, says):
    done = start(tmp_path, **{name: value})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert name in last
    assert says in last


def test_secrets_are_made_once_and_kept_private(tmp_path):
    first, second = start(tmp_path, SECRET_KEY=""), start(tmp_path, SECRET_KEY="")
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert len(first.stdout.strip()) >= 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0

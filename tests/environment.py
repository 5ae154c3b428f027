"""Loaded by pytest before anything else (`-p tests.environment`), since settings start the services."""

from __future__ import annotations

import os
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
# services, generated secrets and models of the tests, apart from those of `make run`
os.environ.setdefault("DOORSTEP_VAR", str(BASE / "var" / "test"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

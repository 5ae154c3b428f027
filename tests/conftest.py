"""What every test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data, where this machine has it."""
    folder = Path(os.environ.get("DOORSTEP_DATA", BASE.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public data is not at {folder} (set DOORSTEP_DATA to its folder)")
    return folder

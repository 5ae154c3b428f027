from __future__ import annotations

import pytest

from ml.understanding.artifact import FOLDER
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS
from ml.understanding.understander import Understander


@pytest.fixture(scope="session")
def understander() -> Understander:
    """The shipped model, as the chat worker loads it."""
    return Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS, threads=1)

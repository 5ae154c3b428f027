"""A delivery model whose windows follow how its latest estimates fell out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Protocol

from ml.types import Consignment, Forecast, Outcome
from orders import record
from orders.estimates import Forecaster

EVERY = 600.0  # seconds; a worker's windows lag behind the record by no more


class Adjustable(Forecaster, Protocol):
    def recalibrated(self, outcomes: Sequence[Outcome]) -> Adjustable:
        """The same model with its windows set by these outcomes, newest first."""


class Recalibrating:
    """Answers as `model` does, recalibrated every ten minutes. Safe to share between threads."""

    def __init__(self, model: Adjustable) -> None:
        self._model = self._current = model
        self._due = 0.0
        self._lock = Lock()

    @property
    def version(self) -> str:
        return self._model.version

    def forecast_many(
        self, rows: Sequence[Consignment], *, now: datetime, confidence: float = 0.8
    ) -> list[Forecast | None]:
        return self._adjusted(now).forecast_many(rows, now=now, confidence=confidence)

    def _adjusted(self, now: datetime) -> Adjustable:
        with self._lock:
            if time.monotonic() >= self._due:
                self._current = self._model.recalibrated(record.outcomes(now=now, model=self.version))
                self._due = time.monotonic() + EVERY
            return self._current

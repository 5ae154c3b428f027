"""The models one worker holds, loaded once. Web processes never import this."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from django.conf import settings

from emails.assistant import mail_tools
from ml.types import Draft, Facts, Known, Understanding

log = logging.getLogger(__name__)


class Encoder(Protocol):
    def encode(self, texts: Sequence[str]) -> Any:
        """float32 array (len(texts), 384), rows of unit length."""


class Understander(Protocol):
    @property
    def encoder(self) -> Encoder: ...

    def understand(self, text: str, *, pending: str | None = None, known: Known) -> Understanding: ...

    def is_unsure(self, understanding: Understanding) -> bool:
        """Whether to ask back with the first two of the ranking."""


class Writer(Protocol):
    def write(self, facts: Facts, *, seed: int | None = None) -> Draft: ...


@dataclass(frozen=True, slots=True)
class Assistant:
    understander: Understander
    writer: Writer
    delivery: Any  # ml.delivery.model.DeliveryModel, or None: states are told, days are not


_loading = threading.Lock()


def assistant() -> Assistant:
    """This process's assistant; the first call loads it, others wait."""
    with _loading:
        return _load()


@cache
def understander() -> Understander:
    """The understanding alone, for what only reads."""
    from ml.understanding.understander import Understander as TrainedUnderstander

    return TrainedUnderstander.load(settings.ARTIFACTS, order_patterns=settings.ORDER_PATTERNS, threads=1)


@cache
def _load() -> Assistant:
    started = time.monotonic()
    writer, delivery = mail_tools()
    loaded = Assistant(understander=understander(), writer=writer, delivery=delivery)
    log.info("models loaded in %.1f s", time.monotonic() - started)
    return loaded

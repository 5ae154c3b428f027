"""The writer and the delivery model, which chat and mail workers share; loaded once a process."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings

from emails.drafts import Writer
from orders.estimates import Forecaster
from orders.hindsight import LooksBack
from orders.recalibration import Recalibrating

if TYPE_CHECKING:
    from ml.delivery.model import DeliveryModel

_loading = Lock()


def mail_tools() -> tuple[Writer, Forecaster | None]:
    with _loading:
        return _tools()


def hindsight() -> LooksBack | None:
    """The same delivery model, to be asked about the past."""
    from ml.delivery.hindsight import Hindsight

    with _loading:
        model = _delivery_model()
    return Hindsight(model) if model else None


@cache
def _delivery_model() -> DeliveryModel | None:
    from ml.delivery.model import load_model

    return load_model(settings.DELIVERY_MODEL, shipped=settings.ARTIFACTS / "delivery.skops")


@cache
def _tools() -> tuple[Writer, Forecaster | None]:
    # imported here because the engines behind them take seconds, and web processes need neither
    from ml.writer.writer import load_writer

    writer = load_writer(
        model=settings.LLM_MODEL,
        url=settings.LLM_URL,
        chat=settings.ARTIFACTS / "writer-chat.gguf",
        mail=settings.ARTIFACTS / "writer-mail.gguf",
        threads=settings.LLM_THREADS,
    )
    model = _delivery_model()
    return writer, Recalibrating(model) if model else None

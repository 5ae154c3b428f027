"""The writer and the delivery model, which chat and mail workers share; loaded once a process."""

from __future__ import annotations

from functools import cache
from threading import Lock

from django.conf import settings

from emails.drafts import Writer
from orders.estimates import Forecaster
from orders.recalibration import Recalibrating

_loading = Lock()


def mail_tools() -> tuple[Writer, Forecaster | None]:
    with _loading:
        return _tools()


@cache
def _tools() -> tuple[Writer, Forecaster | None]:
    # imported here because the engines behind them take seconds, and web processes need neither
    from ml.delivery.model import load_model
    from ml.writer.writer import load_writer

    writer = load_writer(
        model=settings.LLM_MODEL,
        url=settings.LLM_URL,
        chat=settings.ARTIFACTS / "writer-chat.gguf",
        mail=settings.ARTIFACTS / "writer-mail.gguf",
        threads=settings.LLM_THREADS,
    )
    model = load_model(settings.DELIVERY_MODEL, shipped=settings.ARTIFACTS / "delivery.skops")
    return writer, Recalibrating(model) if model else None

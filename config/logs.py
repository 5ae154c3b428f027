"""Log lines without customers' personal data."""

from __future__ import annotations

import logging

from ml.understanding.pii import mask


class MaskedFormatter(logging.Formatter):
    """Masks what is said and the traceback below it; the time and the logger's name stay as they are."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = mask(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:
        return mask(super().formatException(ei))  # type: ignore[arg-type]

"""What reaches the log."""

from __future__ import annotations

import logging
import logging.config

from django.conf import settings


def test_personal_data_never_reaches_a_log_line(capsys):
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        logging.config.dictConfig(settings.LOGGING)
        log = logging.getLogger("chatbot.test")
        log.warning("frame from %s failed: %s", "jo@mail.example", "my card is 4111 1111 1111 1111")
        try:
            raise ValueError("cannot ring 07700 900123")
        except ValueError:
            log.exception("DS-10023 not answered")
    finally:
        root.handlers = before
    written = capsys.readouterr().err
    assert "frame from [email] failed: my card is [card]" in written
    assert "ValueError: cannot ring [phone]" in written
    assert "DS-10023 not answered" in written
    assert not any(secret in written for secret in ("jo@", "4111", "900123"))

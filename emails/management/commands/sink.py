"""A local SMTP server for the demo: takes every mail, delivers none, keeps the last ones for the desk."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import signal
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from emails.models import CaughtMail

MAX_BYTES = 5_000_000
KEPT = 500

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the local mail sink on SINK_PORT. What it takes can be read in the desk."

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # it logs every line of every conversation
        try:
            asyncio.run(serve(settings.SINK_PORT))
        except OSError as error:
            raise CommandError(
                f"The mail sink cannot listen on port {settings.SINK_PORT} ({error.strerror}). "
                "Set SINK_PORT to a free one."
            ) from error


class Sink:
    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        try:
            await asyncio.to_thread(_keep_in_thread, envelope)
        except DatabaseError:
            logger.exception("a mail could not be kept")
            return "451 The mail could not be kept; try again later"
        return "250 OK, kept in the sink"


async def serve(port: int) -> None:
    """Take mail until the process is told to stop."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(_protocol, "127.0.0.1", port)
    logger.info("mail sink listens on 127.0.0.1:%s", port)
    await stopped.wait()
    server.close()
    await server.wait_closed()


def _protocol() -> SMTP:
    return SMTP(
        Sink(), data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname="localhost", ident="Doorstep sink"
    )


def _keep_in_thread(envelope: Envelope) -> None:
    try:
        keep(envelope)
    finally:
        close_old_connections()


def keep(envelope: Envelope) -> None:
    raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
    headers = email.message_from_bytes(raw, policy=email.policy.default)
    CaughtMail.objects.create(
        message_id=_header(headers["Message-ID"], 200),
        sender=_header(envelope.mail_from, 320),
        recipients=[_header(address, 320) for address in envelope.rcpt_tos],
        subject=_header(headers["Subject"], 300),
        raw=raw,
    )
    _forget_old()


def _header(value: object, limit: int) -> str:
    return str(value or "").replace("\0", "")[:limit]


def _forget_old() -> None:
    last = CaughtMail.objects.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1]
    for pk in last:
        CaughtMail.objects.filter(pk__lte=pk).delete()

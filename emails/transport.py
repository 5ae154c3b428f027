"""One message through Django's configured email backend, and what its failure means.

TransportError
├── Refused     it was certainly not taken; trying again is safe
└── Unclear     it may have been taken; trying again may send it twice
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

FINAL = range(500, 600)


class TransportError(Exception):
    """`str(error)` is one sentence for staff."""


class Refused(TransportError):
    """`is_final`: the server will not take this message however often it is tried."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


class Unclear(TransportError):
    pass


def send(message: EmailMessage) -> None:
    """Raises Refused or Unclear."""
    connection = get_connection()
    if isinstance(connection, EmailBackend):
        _send_by_smtp(connection, message)
    else:
        _send_by_api(connection, message)


def check() -> str:
    """Who answers at the configured server. Raises Refused where nobody does."""
    connection = get_connection()
    if not isinstance(connection, EmailBackend):
        return f"Mail goes through {type(connection).__module__}, which has no connection to try."
    _open(connection)
    connection.close()
    return f"{connection.host}:{connection.port} answered and took the login."


def _send_by_smtp(connection: EmailBackend, message: EmailMessage) -> None:
    _open(connection)
    has_begun = _watch(connection)
    try:
        taken = connection.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        raise Refused(_said("The address was refused", code, reply), is_final=code in FINAL) from error
    except smtplib.SMTPDataError as error:
        text = _said("The message was refused", error.smtp_code, error.smtp_error)
        raise Refused(text, is_final=error.smtp_code in FINAL) from error
    except smtplib.SMTPResponseException as error:
        raise Refused(_said("The server refused", error.smtp_code, error.smtp_error)) from error
    except ValueError as error:  # an address that no header can hold
        raise Refused(f"The address cannot be used ({error}).", is_final=True) from error
    except (smtplib.SMTPException, OSError) as error:
        if has_begun():
            raise Unclear(
                f"The connection broke while the message was being handed over ({error})."
            ) from error
        raise Refused(f"The connection broke before the message was handed over ({error}).") from error
    finally:
        _close(connection)
    if not taken:
        raise Refused("The message has nobody to go to.", is_final=True)


def _open(connection: EmailBackend) -> None:
    where = f"{connection.host}:{connection.port}"
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError as error:
        raise Refused(_said(f"{where} refused the login", error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Refused(f"Could not connect to the mail server at {where} ({error}).") from error


def _watch(connection: EmailBackend) -> Any:
    """A function that says whether handing over the message itself has begun."""
    client, begun = connection.connection, []
    assert client is not None
    hand_over = client.data

    def data(msg: Any) -> Any:
        begun.append(True)
        return hand_over(msg)

    client.data = data  # type: ignore[method-assign]
    return lambda: bool(begun)


def _close(connection: EmailBackend) -> None:
    # the message's fate is known by now, and a server that hangs up on QUIT does not change it
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        connection.connection = None


def _send_by_api(connection: Any, message: EmailMessage) -> None:
    try:
        connection.send_messages([message])
    except Exception as error:  # every provider's backend has its own
        status = getattr(error, "status_code", None)
        if isinstance(status, int) and 400 <= status < 500:
            raise Refused(
                f"The mail service refused ({status}).", is_final=status not in (401, 403, 408, 429)
            ) from error
        raise Unclear(f"The mail service did not say whether it took the message ({error}).") from error


def _said(what: str, code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return f"{what}: {code} {' '.join(text.split())}"[:500]

"""A message that the sink kept, read back. What anybody may have sent is only ever data here."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage

from emails.models import CaughtMail


@dataclass(frozen=True, slots=True)
class Reading:
    headers: list[tuple[str, str]]
    text: str
    html: str


def read(mail: CaughtMail) -> Reading:
    message = email.message_from_bytes(bytes(mail.raw), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return Reading(
        headers=[(name, str(value)) for name, value in message.items()],
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # an encoding that nobody knows
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")

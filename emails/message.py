"""A draft as the message that goes out: text and HTML from one row, and the headers around them."""

from __future__ import annotations

import hashlib
import re
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from emails import unsubscribe
from emails.errors import EmailError
from emails.models import Draft
from emails.policy import POLICIES

MAX_HTML_BYTES = 100_000  # Gmail cuts off at 102 kB


class BadMessage(EmailError):
    """The draft cannot be made into a message; `str(error)` says why."""


class _Message(EmailMultiAlternatives):
    def message(self, *args: Any, **options: Any) -> Any:
        # folded at the usual 78 characters, a stop link would leave its header's first line empty,
        # which some mailbox providers read as no link at all
        message = super().message(*args, **options)
        message.policy = message.policy.clone(max_line_length=500)
        return message


def build(draft: Draft) -> EmailMultiAlternatives:
    """Raises BadMessage."""
    html = as_html(draft)
    if not (draft.subject.strip() and draft.body.strip()):
        raise BadMessage("It has no subject or no text.")
    if len(html.encode()) > MAX_HTML_BYTES:
        raise BadMessage("It is too long: mail programs would cut it off.")
    message = _Message(
        subject=" ".join(draft.subject.split()),
        body=as_text(draft),
        from_email=sender(),
        to=[draft.to],
        reply_to=[sender()],
        headers=_headers(draft),
    )
    message.attach_alternative(html, "text/html")
    try:
        message.message()
    except (ValueError, UnicodeError) as error:
        raise BadMessage(f"Its headers cannot be written ({error}).") from error
    return message


def as_html(draft: Draft) -> str:
    return render_to_string("emails/message.html", _values(draft), using="jinja2")


def as_text(draft: Draft) -> str:
    text = render_to_string("emails/message.txt", _values(draft), using="jinja2")
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def message_id(draft: Draft) -> str:
    """The same for every try, so that a receiver can see that two are one."""
    domain = settings.SHOP_EMAIL.rpartition("@")[2]
    return f"<{hashlib.sha256(draft.key.encode()).hexdigest()[:32]}@{domain}>"


def sender() -> str:
    return formataddr((settings.SHOP_NAME, settings.SHOP_EMAIL))


def _headers(draft: Draft) -> dict[str, str]:
    headers = {
        "Message-ID": draft.message_id or message_id(draft),
        "Auto-Submitted": "auto-generated",  # RFC 3834
        "X-Auto-Response-Suppress": "All",  # what Exchange heeds in its place
        "Content-Language": "en",
    }
    if POLICIES[draft.kind].has_stop_link:
        headers["List-Unsubscribe"] = f"<{_stop_url(draft)}>"  # RFC 8058
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _stop_url(draft: Draft) -> str:
    return settings.PUBLIC_URL.rstrip("/") + reverse("unsubscribe", args=[unsubscribe.token(draft)])


def _values(draft: Draft) -> dict[str, Any]:
    policy = POLICIES[draft.kind]
    return {
        "subject": draft.subject,
        "preheader": draft.preheader,
        "paragraphs": [p.strip() for p in re.split(r"\n\s*\n", draft.body) if p.strip()],
        "timeline": draft.timeline,
        "invoice": draft.context.get("invoice", []),
        "button": _button(draft),
        "why": policy.why,
        "order": draft.order.number if draft.order else "",
        "stop_url": _stop_url(draft) if policy.has_stop_link else "",
        "shop_email": settings.SHOP_EMAIL,
    }


def _button(draft: Draft) -> dict[str, str] | None:
    """To the carrier's page while the parcel is under way; else there is nothing to press."""
    link = draft.context.get("link", "")
    return {"label": "Follow the parcel", "url": link} if re.match(r"https?://", link) else None

"""Who is asking: the shop's signed identity, or an order number with what belongs to it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.utils import timezone

from chatbot.models import Conversation, VerificationAttempt
from orders import lookups
from orders.models import Customer, number_key

WINDOW = timedelta(hours=1)
LONGEST_LIFE = timedelta(days=1)  # a signed identity is for a page view, not for keeps


def sign(*, email: str, expires: datetime) -> str:
    """The token a shop's page hands to the widget: base64url(json) "." hex HMAC-SHA256 of that text."""
    body = json.dumps({"email": email, "exp": int(expires.timestamp())}, separators=(",", ":"))
    payload = base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")
    return f"{payload}.{_signature(payload)}"


def signed_customer(token: str, *, now: datetime) -> Customer | None:
    """The customer a valid, unexpired token names; None for anything else."""
    payload, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(payload).encode()):
        return None
    try:
        data = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        email, expires = str(data["email"]), float(data["exp"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    if not now.timestamp() < expires <= (now + LONGEST_LIFE).timestamp():
        return None
    return lookups.customer_by_email(email=email)


def _signature(payload: str) -> str:
    return hmac.new(settings.IDENTITY_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()


def address_hash(address: str) -> str:
    """Network addresses are kept only as a keyed hash, enough to count tries."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:32] if address else ""


class Verdict(Enum):
    OPENED = "opened"
    REFUSED = "refused"  # wrong pair, unknown number, somebody else's order: one and the same
    LOCKED = "locked"


def prove(*, conversation: Conversation, order_number: str, proof: str) -> tuple[Verdict, Customer | None]:
    """Try one pair; every try is a row, and the rows are the limit. A match opens the conversation."""
    key = number_key(order_number)[:40]
    if _is_locked(conversation, key):
        return Verdict.LOCKED, None
    customer = lookups.verify(order_number=order_number, proof=proof)
    VerificationAttempt.objects.create(
        conversation=conversation,
        address=conversation.address,
        order_key=key,
        succeeded=customer is not None,
    )
    if customer is None:
        return Verdict.REFUSED, None
    opened = Conversation.objects.filter(pk=conversation.pk)
    opened.update(customer=customer, proof=Conversation.Proof.PAIR)
    return Verdict.OPENED, customer


def _is_locked(conversation: Conversation, order_key: str) -> bool:
    failed = VerificationAttempt.objects.filter(succeeded=False, at__gt=timezone.now() - WINDOW)
    if failed.filter(conversation=conversation).count() >= settings.VERIFY_TRIES:
        return True
    if failed.filter(order_key=order_key).count() >= settings.VERIFY_TRIES:
        return True
    by_address = failed.filter(address=conversation.address) if conversation.address else failed.none()
    return by_address.count() >= settings.VERIFY_TRIES_ADDRESS

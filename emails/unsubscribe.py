"""The link that stops unasked emails. It names a draft, so that no address stands in a URL."""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

from emails.errors import EmailError
from emails.models import Draft, Suppression

VALID_FOR = timedelta(days=366)

_signer = TimestampSigner(salt="emails.unsubscribe", sep=".")


class BadLink(EmailError):
    pass


def token(draft: Draft) -> str:
    return _signer.sign(str(draft.pk))


def draft_of(token: str) -> Draft:
    """Raises BadLink for a token that is forged, broken or older than a year."""
    try:
        return Draft.objects.get(pk=int(_signer.unsign(token, max_age=VALID_FOR)))
    except (BadSignature, Draft.DoesNotExist) as error:
        raise BadLink(
            "This link is no longer valid. "
            "Reply to the email it came with, and a colleague will stop such emails."
        ) from error


def stop(draft: Draft) -> None:
    """No more unasked emails to this address, from now on. Twice is once."""
    Suppression.objects.bulk_create([Suppression(email=draft.to)], ignore_conflicts=True)

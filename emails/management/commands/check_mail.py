"""Says what an operator has to set up for email, and tries the configured server."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from emails import transport

DNS = """\
For mail from {domain} to be trusted, its DNS needs three records, and they are yours to set:
  SPF    a TXT record at {domain} that names the server which sends for you
  DKIM   the public key of that server's signature, a TXT record under _domainkey.{domain};
         the signature has to cover List-Unsubscribe and List-Unsubscribe-Post (RFC 8058)
  DMARC  a TXT record at _dmarc.{domain}, for example "v=DMARC1; p=quarantine; rua=mailto:{email}"
Your mail provider shows the values. Links in emails begin with {public}{hint}.
"""


class Command(BaseCommand):
    help = "Try the configured mail server, and list the DNS records that mail from this shop needs."

    def handle(self, *args: Any, **options: Any) -> None:
        domain = settings.SHOP_EMAIL.rpartition("@")[2]
        is_public = settings.PUBLIC_URL.startswith("https://")
        hint = (
            ""
            if is_public
            else "; set PUBLIC_URL to an https:// address, one-click unsubscribing asks for it"
        )
        self.stdout.write(
            DNS.format(domain=domain, email=settings.SHOP_EMAIL, public=settings.PUBLIC_URL, hint=hint)
        )
        try:
            self.stdout.write(self.style.SUCCESS(transport.check()))
        except transport.Refused as error:
            raise CommandError(
                f"{error} EMAIL_URL says where to send; without it, run `manage.py sink`."
            ) from error

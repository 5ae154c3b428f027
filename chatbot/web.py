"""What a websocket's opening request tells: where the page is from, and which address it has."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings


def header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope.get("headers", []) if key == name), "")


def is_own_host(origin: str, scope: dict[str, Any]) -> bool:
    host = urlsplit(origin).netloc  # empty for "null", which sandboxed pages and files send
    return bool(host) and host == header(scope, b"host")


def origin_is_allowed(scope: dict[str, Any]) -> bool:
    """Browsers always send an Origin; a page that is not on the list is not the shop's."""
    origin = header(scope, b"origin").rstrip("/")
    return origin in settings.WIDGET_ORIGINS or is_own_host(origin, scope)


def client_address(scope: dict[str, Any]) -> str:
    forwarded = header(scope, b"x-forwarded-for") if settings.SECURE_PROXY_SSL_HEADER else ""
    client = scope.get("client") or ("",)
    return forwarded.rsplit(",", 1)[-1].strip() or str(client[0])

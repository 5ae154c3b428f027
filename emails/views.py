"""The page behind the stop link. A mailbox provider posts to it, a person presses its button."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from emails import unsubscribe


@never_cache
@csrf_exempt  # RFC 8058: the request comes from a mailbox provider, without cookies; the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Only a POST acts: scanners open every link of an email."""
    try:
        draft = unsubscribe.draft_of(token)
    except unsubscribe.BadLink as error:
        return _page(request, state="bad", sentence=str(error), status=404)
    if request.method != "POST":
        return _page(request, state="ask", address=draft.to)
    unsubscribe.stop(draft)
    return _page(request, state="done", address=draft.to)


def _page(request: HttpRequest, *, status: int = 200, **values: str) -> HttpResponse:
    values = {"address": "", "sentence": "", "shop_email": settings.SHOP_EMAIL} | values
    response = render(request, "emails/unsubscribe.html", values, using="jinja2", status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response

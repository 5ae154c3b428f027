"""The demo shop's page, and the health check."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders import demo


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    context = {"examples": demo.examples() if settings.SEED_DEMO else [], "is_demo": settings.SEED_DEMO}
    return render(request, "chatbot/shop.html", context, using="jinja2")


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 when this process can reach the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})

"""The desk's conversation pages. Each page renders whole, or as the fragment that htmx asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST
from django_htmx.middleware import HtmxDetails

from chatbot import protocol, staff
from chatbot.desk import queue, thread
from chatbot.models import Conversation

PER_PAGE = 50
BESIDE_THREAD = 30  # rows of the narrow list next to a conversation
LONGEST_SEARCH = 100


class DeskRequest(HttpRequest):
    htmx: HtmxDetails


@require_GET
def counts(_request: DeskRequest) -> HttpResponse:
    now = queue.counts()
    return JsonResponse({"waiting": now.waiting, "drafts": now.drafts})


@require_GET
def conversations(request: DeskRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    tab = request.GET.get("show", "")
    tab = tab if tab in queue.TABS else "all" if search else "open"
    rows = queue.listed(tab=tab, search=search, staff=_staff(request))
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": "Conversations",
        "tab": tab,
        "tabs": queue.TABS,
        "search": search,
        "page": found,
    }
    return _page(request, context, whole="conversations", fragment="queue")


@require_GET
def conversation(request: DeskRequest, pk: UUID) -> HttpResponse:
    """The page; for htmx the messages after `after` and whatever else may have changed."""
    return _conversation_page(request, _conversation(pk))


@require_GET
def nearby(request: DeskRequest, pk: UUID) -> HttpResponse:
    """The narrow list beside a conversation."""
    return render(request, "desk/nearby.html", _nearby(request, pk), using="django")


@require_POST
def take_over(request: DeskRequest, pk: UUID) -> HttpResponse:
    return _act(request, pk, staff.take_over)


@require_POST
def hand_back(request: DeskRequest, pk: UUID) -> HttpResponse:
    return _act(request, pk, staff.hand_back)


@require_POST
def close(request: DeskRequest, pk: UUID) -> HttpResponse:
    return _act(request, pk, staff.close)


@require_POST
def say(request: DeskRequest, pk: UUID) -> HttpResponse:
    """Send a colleague's words. Where that is refused the text stays in the box."""
    row = _conversation(pk)
    text = protocol.clean(request.POST.get("text", ""))
    try:
        if len(text) > settings.MESSAGE_MAX_CHARS:
            raise staff.DialogueError(f"Please keep it under {settings.MESSAGE_MAX_CHARS:,} characters.")
        staff.say_staff(conversation=row, staff=_staff(request), text=text)
    except staff.DialogueError as error:
        return _refused(request, row, str(error), text=text)
    return _done(request, row)


def _act(request: DeskRequest, pk: UUID, action: Callable[..., object]) -> HttpResponse:
    row = _conversation(pk)
    try:
        action(conversation=row, staff=_staff(request))
    except staff.DialogueError as error:
        return _refused(request, row, str(error))
    return _done(request, row)


def _done(request: DeskRequest, row: Conversation) -> HttpResponse:
    """The page follows its own change like anybody else's: it is told to read again."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Trigger": "desk-done"})
    return redirect("desk-conversation", pk=row.pk)


def _refused(request: DeskRequest, row: Conversation, sentence: str, *, text: str = "") -> HttpResponse:
    if request.htmx:
        response = render(request, "desk/notice.html", {"sentence": sentence}, status=409, using="django")
        response["HX-Trigger"] = "desk-refused"
        return response
    messages.error(request, sentence)
    return _conversation_page(request, _conversation(row.pk), text=text, status=409)


def _conversation_page(
    request: DeskRequest, row: Conversation, *, text: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "title": "Conversations",
        "bubbles": thread.bubbles(row, after=_number(request, "after"), whole="whole" in request.GET),
        "whole": "whole" in request.GET,
        "shown_messages": thread.SHOWN_MESSAGES,
        "text": text,
        "max_chars": settings.MESSAGE_MAX_CHARS,
        **thread.as_context(row, _staff(request)),
        **({} if request.htmx else _nearby(request, row.pk)),
    }
    return _page(request, context, whole="conversation", fragment="conversation_update", status=status)


def _nearby(request: DeskRequest, pk: UUID) -> dict[str, Any]:
    rows = queue.listed(tab="open", search="", staff=_staff(request))[:BESIDE_THREAD]
    return {"rows": rows, "current": pk}


def _page(
    request: DeskRequest, context: dict[str, Any], *, whole: str, fragment: str, status: int = 200
) -> HttpResponse:
    """The whole page in the admin's shell, or only the part of it that htmx swaps."""
    if request.htmx:
        response = render(request, f"desk/{fragment}.html", context, status=status, using="django")
    else:
        context = admin.site.each_context(request) | context
        response = render(request, f"desk/{whole}.html", context, status=status, using="django")
    patch_vary_headers(response, ["HX-Request"])
    return response


def _conversation(pk: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.select_related("customer", "assignee"), pk=pk)


def _staff(request: DeskRequest) -> User:
    return cast(User, request.user)  # the guard in urls.py lets nobody else in


def _number(request: DeskRequest, name: str) -> int:
    value = request.GET.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else 0

"""The desk's email pages: drafts to decide, and what the demo's mail sink caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Case, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from emails import message, review
from emails.desk import caught
from emails.errors import EmailError
from emails.models import CaughtMail, Draft
from orders.models import number_key

PER_PAGE = 50
LONGEST_SEARCH = 100

State = Draft.State
TO_DECIDE = (State.DRAFT, State.UNCERTAIN, State.FAILED)
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "decide": ("To decide", TO_DECIDE),
    "moving": ("On their way", (State.REQUESTED, State.APPROVED, State.SENDING)),
    "sent": ("Sent", (State.SENT,)),
    "discarded": ("Discarded", (State.DISCARDED,)),
    "all": ("Everything", tuple(State)),
}


@require_GET
def drafts(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    tab = request.GET.get("show", "")
    tab = tab if tab in TABS else "all" if search else "decide"
    rows = _listed(tab, search)
    context = {
        "title": "Emails",
        "tab": tab,
        "tabs": {key: label for key, (label, _) in TABS.items()},
        "search": search,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
    }
    return _page(request, "drafts", context)


@require_GET
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    return _draft_page(request, _draft(pk))


@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """How the email would look with the words in the form; nothing is kept."""
    row = _draft(pk)
    if row.is_editable and review.text_of(row) != (text := _text(request)):
        row.subject, row.preheader, row.body, row.written_by = (
            text.subject,
            text.preheader,
            text.body,
            "staff",
        )
    return render(request, "desk/draft_preview.html", _preview(row), using="django")


@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda row: messages.success(request, "Saved."))


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the words in the form and send them; words that no fact supports want a second look."""

    def action(row: Draft) -> None:
        doubtful = review.unsupported(row)
        if doubtful and request.POST.get("checked") != review.text_of(row).digest:
            messages.warning(request, "Saved, not sent. Please check the marked words and approve once more.")
            return
        review.approve(draft=row, staff=_staff(request))
        messages.success(request, f"Approved. It goes to {row.to} now.")

    return _act(request, pk, action)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    def action(row: Draft) -> None:
        review.discard(draft=row, staff=_staff(request))
        messages.success(request, "Discarded. It will not be sent.")

    return _act(request, pk, action, keeps_text=False)


@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    def action(row: Draft) -> None:
        if not request.POST.get("confirm"):
            messages.warning(request, "Please tick the box first: the customer might get this email twice.")
            return
        review.send_again(draft=row, staff=_staff(request))
        messages.success(request, f"It goes to {row.to} once more.")

    return _act(request, pk, action)


@require_GET
def mails(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    rows = CaughtMail.objects.defer("raw").order_by("-received_at", "-pk")
    if search:
        rows = rows.filter(Q(subject__icontains=search) | Q(recipients__icontains=search))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return _page(request, "mails", {"title": "Mail sink", "search": search, "page": page})


@require_GET
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CaughtMail, pk=pk)
    return _page(request, "mail", {"title": "Mail sink", "mail": row, "reading": caught.read(row)})


def _act(
    request: HttpRequest, pk: int, action: Callable[[Draft], object], *, keeps_text: bool = True
) -> HttpResponse:
    row = _draft(pk)
    try:
        if keeps_text and "body" in request.POST:
            seen = request.POST.get("seen", "")
            row = review.edit(draft=row, staff=_staff(request), text=_text(request), seen=seen)
        action(row)
    except EmailError as error:
        messages.error(request, str(error))
        if "body" in request.POST:
            return _draft_page(request, _draft(pk), typed=_text(request), status=409)
    return redirect("desk-draft", pk=pk)


def _draft_page(
    request: HttpRequest, row: Draft, *, typed: review.Text | None = None, status: int = 200
) -> HttpResponse:
    """`typed`: words that could not be kept, still in the form."""
    context = {
        "title": "Emails",
        "draft": row,
        "form": typed or review.text_of(row),
        "max_body": review.MAX_BODY,
        "can_approve": row.state == State.DRAFT,
        "can_send_again": row.state in (State.FAILED, State.UNCERTAIN),
        "history": [entry | {"at": parse_datetime(entry["at"])} for entry in row.trace.get("history", [])],
        "facts": [
            {"slot": slot.replace("_", " "), **fact}
            for slot, fact in sorted(row.trace.get("facts", {}).items())
        ],
        **_preview(row),
    }
    return _page(request, "draft", context, status=status)


def _preview(row: Draft) -> dict[str, Any]:
    return {
        "html": message.as_html(row) if row.body else "",
        "text": message.as_text(row) if row.body else "",
        "subject": row.subject,
        "doubtful": review.unsupported(row) if row.is_editable else [],
        "digest": review.text_of(row).digest,
    }


def _listed(tab: str, search: str) -> QuerySet[Draft]:
    """The newest first; among those to decide, what may be out already before what only waits."""
    rows = Draft.objects.filter(state__in=TABS[tab][1]).select_related("customer", "order")
    urgency = Case(When(state=State.UNCERTAIN, then=0), When(state=State.FAILED, then=1), default=2)
    if search:
        rows = rows.filter(_matches(search))
    if tab == "decide":
        return rows.order_by(urgency, "requested_at", "pk")
    return rows.order_by("-requested_at", "-pk")


def _matches(search: str) -> Q:
    found = Q(to__icontains=search) | Q(subject__icontains=search)
    found |= Q(customer__first_name__icontains=search) | Q(customer__last_name__icontains=search)
    key = number_key(search)
    return found | Q(order__number_key__contains=key) if len(key) > 2 else found


def _text(request: HttpRequest) -> review.Text:
    values = (request.POST.get(name, "").replace("\0", "") for name in ("subject", "preheader", "body"))
    return review.Text(*values)


def _page(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shell = admin.site.each_context(request)
    return render(request, f"desk/{name}.html", shell | context, using="django", status=status)


def _draft(pk: int) -> Draft:
    return get_object_or_404(Draft.objects.select_related("customer", "order", "edited_by"), pk=pk)


def _staff(request: HttpRequest) -> User:
    return cast(User, request.user)  # the guard in urls.py lets nobody else in

"""The sidebar around every page of the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse

from chatbot.desk import queue


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's callback: the groups of links, with what waits in each."""
    counts = queue.counts()
    desk = [
        _item("Today", "space_dashboard", "admin:index"),
        _item("Conversations", "forum", "desk-conversations", key="waiting", badge=counts.waiting),
        _item("Email drafts", "edit_note", "desk-drafts", key="drafts", badge=counts.drafts),
    ]
    desk.append(_item("Estimates", "query_stats", "desk-estimates"))
    if not settings.EMAIL_URL:
        desk.append(_item("Mail sink", "inbox", "desk-mails"))
    shop = [
        _item("Orders", "package_2", "admin:orders_order_changelist", may="orders.view_order"),
        _item("Customers", "group", "admin:orders_customer_changelist", may="orders.view_customer"),
        _item("Sellers", "storefront", "admin:orders_seller_changelist", may="orders.view_seller"),
    ]
    house = [
        _item("Help articles", "menu_book", "admin:chatbot_article_changelist", may="chatbot.view_article"),
        _item("Staff users", "badge", "admin:auth_user_changelist", may="auth.view_user"),
    ]
    _mark_active([*desk, *shop, *house], request.path)
    return [
        {"title": "Desk", "items": desk},
        {"title": "Shop", "items": shop, "separator": True},
        {"title": "House", "items": house, "separator": True},
    ]


def _item(
    title: str, icon: str, url: str, *, may: str = "", key: str = "", badge: int | None = None
) -> dict[str, Any]:
    """`may`: the permission needed, beside being staff; `key`: what the live badge counts."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse(url),
        "permission": _permission(may),
        "key": key,
        "badge": badge,
    }


def _mark_active(items: list[dict[str, Any]], path: str) -> None:
    """Of the links that lead to this path or above it, the nearest; the index only for itself."""
    index = reverse("admin:index")
    above = [item["link"] for item in items if path.startswith(item["link"]) and item["link"] != index]
    nearest = max(above, key=len, default=path)
    for item in items:
        item["active"] = item["link"] == nearest


def _permission(name: str) -> Callable[[HttpRequest], bool] | None:
    if not name:
        return None

    def allowed(request: HttpRequest) -> bool:
        user: User | AnonymousUser = request.user
        return user.has_perm(name)

    return allowed

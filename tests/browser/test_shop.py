"""The demo shop's page, drawn by its real template, with the widget on it."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.stub import Stub
from tests.browser.test_accessibility import problems
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser

EXAMPLES = [
    {"number": "DS-10023", "email": "amara.okafor@example.com", "what": "on its way"},
    {"number": "DS-10024", "email": "amara.okafor@example.com", "what": "late"},
]


@pytest.fixture(autouse=True)
def shop(stub: Stub) -> None:
    context = {"examples": EXAMPLES, "is_demo": True}
    stub.page = render_to_string("chatbot/shop.html", context, using="jinja2")


def test_example_is_asked_about_with_one_press(page: Page, stub: Stub):
    page.goto(stub.url)
    widget = Widget(page)
    expect(widget.launcher).to_be_visible()
    page.get_by_role("button", name="Ask about it (order DS-10024, late)").click()
    expect(widget.input).to_have_value("Where is my order DS-10024? My email is amara.okafor@example.com.")
    widget.input.press("Enter")
    assert "DS-10024" in stub.wait_for(lambda frame: frame["type"] == "message")["text"]


def test_everything_on_the_page_is_found(page: Page, stub: Stub):
    missing: list[str] = []
    page.on("response", lambda response: missing.append(response.url) if not response.ok else None)
    page.goto(stub.url, wait_until="networkidle")
    expect(Widget(page).launcher).to_be_visible()
    assert missing == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "viewport", [DESKTOP, PHONE, {"width": 320, "height": 640}], ids=lambda v: v["width"]
)
def test_fits_and_can_be_read_everywhere(viewport, scheme: Any, browser: Browser, stub: Stub):
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(stub.url)
    expect(Widget(page).launcher).to_be_visible()
    assert problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    context.close()


def test_own_shop_shows_no_examples():
    page = render_to_string("chatbot/shop.html", {"examples": [], "is_demo": False}, using="jinja2")
    assert "Try it" not in page
    assert "demonstration" not in page

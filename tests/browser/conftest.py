"""A real browser for the tests, and a stand-in for the desk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)

from config.chromium import find
from tests.browser.stub import Stub
from tests.browser.widget import PATIENCE, Widget

# A page on a busy machine may take its time; what is waited for still ends the wait at once.
expect.set_options(timeout=PATIENCE)

MISSING = (
    "No Chromium was found. Install it (apt-get install chromium, or playwright install chromium) "
    "or name it in the environment variable CHROMIUM."
)
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


def chromium_path(playwright: Playwright) -> str:
    """Where a Chromium is. Without one the tests are skipped, or fail where CI must have it."""
    found = find() or playwright.chromium.executable_path
    if found and Path(found).exists():
        return found
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser per module, since Playwright's event loop must end before an asyncio test can run.

    That loop also makes Django believe that a test is asynchronous, so it is told otherwise.
    """
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(playwright), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            yield browser
            browser.close()
    finally:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
        if before is not None:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP, locale="en-GB", timezone_id="Europe/London")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script may fail."""
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    assert not failures, failures


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    stub.start()
    yield stub
    stub.stop()


@pytest.fixture
def widget(page: Page, stub: Stub) -> Widget:
    """The widget, opened on a page of the stub and welcomed by it."""
    page.goto(stub.url)
    return Widget(page).open().wait_until_ready()


@pytest.fixture
def open_widget(browser: Browser, stub: Stub) -> Iterator[Callable[..., Widget]]:
    """The widget in a browser of its own, with Playwright's context options (`color_scheme="dark"`, …)."""
    contexts: list[BrowserContext] = []

    def open_it(**options: Any) -> Widget:
        contexts.append(browser.new_context(**({"viewport": DESKTOP, "locale": "en-GB"} | options)))
        page = contexts[-1].new_page()
        page.goto(stub.url)
        return Widget(page).open().wait_until_ready()

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def another_tab(context: BrowserContext, stub: Stub) -> Callable[[], Widget]:
    def open_tab() -> Widget:
        page = context.new_page()
        page.goto(stub.url)
        return Widget(page).open().wait_until_ready()

    return open_tab

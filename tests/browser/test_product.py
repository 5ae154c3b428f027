"""The whole product in a real browser: web, chat, mail and beat, real models, a real SMTP conversation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from benchmarks.product import Product
from tests.browser.widget import PATIENCE, Widget

pytestmark = pytest.mark.browser

DAY = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d{1,2} (?:January|February|March|April|May|June|July|"
    r"August|September|October|November|December)"
)


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("product"))
    try:
        yield product.start()
    finally:
        product.stop()


@pytest.fixture
def frames(page: Page) -> list[dict]:
    """What the server sent over the websocket, in order."""
    received: list[dict] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(json.loads(data))))
    return received


@pytest.fixture
def shop(page: Page, product: Product, frames) -> Widget:
    page.goto(product.url)
    return Widget(page).open().wait_until_ready()


def desk(browser: Browser, product: Product) -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{product.url}/desk/login/")
    user, password = product.login
    page.fill("[name=username]", user)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    expect(page).not_to_have_url(re.compile("login"))
    return context, page


def test_where_is_it_then_reload_then_the_same_dates_by_email(shop, page, browser, product, frames):
    number, email = product.examples["on its way"]
    shop.ask("where is my order?")
    answer = shop.ask(f"{number} {email}")
    days = set(DAY.findall(answer))
    assert days, answer
    deltas = [frame for frame in frames if frame["type"] == "delta"]
    assert len(deltas) > 3
    last = next(f for f in reversed(frames) if f["type"] == "message" and f["author"] == "bot")
    assert "".join(d["text"] for d in deltas if d["reply_to"] == last["reply_to"]) == last["text"]

    shop.say("please email me the timeline")
    page.reload()  # in the middle of the reply
    shop.open().wait_until_ready()
    expect(shop.own("please email me the timeline")).to_be_visible(timeout=PATIENCE)
    expect(shop.replies()).to_have_count(3, timeout=PATIENCE)
    assert "@" in shop.last_reply()
    assert email not in shop.last_reply()

    context, inbox = desk(browser, product)
    inbox.goto(f"{product.url}/desk/emails/sink/")
    mail = inbox.get_by_text(email).first
    for _ in range(40):  # the worker writes and sends it; each look is a new page
        if mail.is_visible():
            break
        inbox.wait_for_timeout(500)
        inbox.reload()
    inbox.get_by_role("link", name=re.compile(re.escape(email))).first.click()  # a subject names the item
    text = inbox.locator("pre").first.inner_text()
    assert days <= set(DAY.findall(text)), (days, text)
    context.close()


def test_staff_take_over_and_the_assistant_falls_silent(shop, page, browser, product):
    shop.ask("I want to talk to a human")
    context, colleague = desk(browser, product)
    colleague.goto(f"{product.url}/desk/conversations/")
    colleague.locator("a[href*='/desk/conversations/']").filter(has_text=re.compile("Visitor")).first.click()
    # the key is the new page's: pressed before it has loaded, it would go to the list that is being left
    colleague.wait_for_url(re.compile(r"/desk/conversations/[0-9a-f-]{36}/"), wait_until="load")
    expect(colleague.get_by_role("button", name=re.compile("Take over"))).to_be_enabled(timeout=PATIENCE)
    colleague.keyboard.press("t")
    box = colleague.locator("textarea[name=text]")
    expect(box).to_be_enabled(timeout=PATIENCE)
    box.fill("Hello, Sam here. What can I do for you?")
    box.press("Control+Enter")
    shop.wait_for_reply("Sam here")
    expect(shop.state).to_contain_text("Sam")

    before = shop.replies().count()
    shop.say("where is my order?")
    shop.expect_sent("where is my order?")
    expect(colleague.get_by_text("where is my order?").first).to_be_visible(timeout=PATIENCE)
    box.fill("I am looking it up.")
    box.press("Control+Enter")
    shop.wait_for_reply("looking it up")
    assert shop.replies().count() == before + 1

    colleague.keyboard.press("Escape")
    colleague.get_by_role("button", name=re.compile("Hand back")).click()
    assert "order" in shop.ask("where is my order?").lower()
    context.close()


def test_a_server_restart_in_the_middle_loses_nothing(shop, product):
    """The web process is killed; what is typed meanwhile is sent when it is back."""
    shop.ask("hello")
    web = next(p for p in product.processes() if "config.asgi:application" in p.cmdline())
    web.kill()
    shop.say("how long does delivery take?")
    shop.expect_sent("how long does delivery take?")
    expect(shop.replies()).to_have_count(2, timeout=60_000)

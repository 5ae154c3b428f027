"""What a customer sees and presses, by mouse, thumb and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.stub import Stub
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser


def test_everything_by_keyboard(page: Page, stub: Stub):
    page.goto(stub.url)
    widget = Widget(page)
    expect(widget.launcher).to_be_visible()
    page.keyboard.press("Shift+Tab")  # the widget is the last thing on the page
    expect(widget.launcher).to_be_focused()
    page.keyboard.press("Enter")
    expect(widget.input).to_be_focused()
    widget.wait_until_ready()
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    stub.wait_for_message("first line\nsecond line")
    expect(widget.input).to_have_value("")
    page.keyboard.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()


def test_order_of_the_tab_key(widget: Widget, stub: Stub):
    close = widget.root.get_by_role("button", name="Close the chat").first
    close.focus()
    starters = widget.root.locator(".replies button")
    stops = [widget.log, *starters.all(), widget.input, widget.root.get_by_role("button", name="Send"),
             widget.root.get_by_role("button", name="Talk to a person"), widget.launcher]  # fmt: skip
    for stop in stops:
        widget.page.keyboard.press("Tab")
        expect(stop).to_be_focused()


def test_focus_returns_to_what_opened_the_chat(page: Page, stub: Stub):
    page.goto(stub.url)
    widget = Widget(page)
    expect(widget.launcher).to_be_visible()
    page.get_by_role("link", name="Help").click()
    expect(widget.input).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Help")).to_be_focused()


def test_page_can_open_the_chat_with_a_question_to_send(page: Page, stub: Stub):
    page.goto(stub.url)
    widget = Widget(page)
    expect(widget.launcher).to_be_visible()
    page.evaluate("document.querySelector('a').dataset.doorstepOpen = 'Where is order DS-10023?'")
    page.get_by_role("link", name="Help").click()
    expect(widget.input).to_have_value("Where is order DS-10023?")
    page.keyboard.press("Enter")
    stub.wait_for_message("Where is order DS-10023?")


def test_unread_messages_are_counted_until_they_are_seen(widget: Widget, stub: Stub):
    widget.say("hello")
    widget.expect_sent("hello")
    widget.page.keyboard.press("Escape")
    stub.say("one", reply_to=1)
    stub.say("two")
    expect(widget.badge).to_have_text("2")
    expect(widget.launcher).to_have_attribute("aria-label", "Open the chat, 2 unread")
    widget.page.reload()
    expect(widget.badge).to_have_text("2")
    widget.open()
    expect(widget.badge).to_be_hidden()
    widget.page.keyboard.press("Escape")
    expect(widget.launcher).to_have_attribute("aria-label", "Open the chat")
    widget.page.reload()
    widget.wait_until_ready()
    expect(widget.badge).to_be_hidden()


def test_a_person_can_always_be_asked_for(widget: Widget, stub: Stub):
    button = widget.root.get_by_role("button", name="Talk to a person")
    button.click()
    frame = stub.wait_for(lambda frame: frame["type"] == "message")
    assert frame["value"] == "human"
    stub.become("waiting")
    expect(widget.state).to_have_text("Waiting for a colleague")
    expect(button).to_be_hidden()
    stub.become("bot")
    expect(widget.state).to_have_text("Assistant")
    expect(button).to_be_visible()


def test_colleagues_see_that_the_customer_is_writing(widget: Widget, stub: Stub):
    widget.input.press_sequentially("to the bot")
    stub.become("staff")
    expect(widget.state).to_have_text("A colleague")
    assert not stub.frames(lambda frame: frame["type"] == "typing")
    widget.input.press_sequentially("to a person")
    stub.wait_for(lambda frame: frame["type"] == "typing")
    # not with every key, however slowly they were pressed
    assert len(stub.frames(lambda frame: frame["type"] == "typing")) < len("to a person")


def test_closed_conversation_offers_a_new_one(widget: Widget, stub: Stub):
    widget.say("hello")
    widget.expect_sent("hello")
    stub.become("closed")
    expect(widget.root.get_by_text("This conversation is closed.")).to_be_visible()
    expect(widget.input).to_be_hidden()
    widget.root.get_by_role("button", name="Start a new conversation").click()
    assert stub.wait_for_hello(times=2)["conversation"] == ""
    expect(widget.input).to_be_focused()
    assert widget.texts() == []
    widget.say("again")
    widget.expect_sent("again")
    assert len(stub.rooms) == 2


def test_long_messages_are_counted_and_not_cut(widget: Widget, stub: Stub):
    widget.input.fill("x" * 3_590)
    expect(widget.root.locator(".count")).to_be_empty()
    widget.input.fill("x" * 3_990)
    expect(widget.root.locator(".count")).to_have_text("10 characters left")
    widget.input.fill("👋" * 4_001)
    expect(widget.root.locator(".count")).to_have_text("1 character too many")
    widget.input.press("Enter")
    expect(widget.input).to_have_value("👋" * 4_001)
    widget.input.fill("👋" * 4_000)
    widget.input.press("Enter")
    stub.wait_for_message("👋" * 4_000)


def test_blank_messages_are_not_sent(widget: Widget, stub: Stub):
    widget.input.fill("  \n ")
    widget.input.press("Enter")
    widget.say("text")
    stub.wait_for_message("text")
    assert len(stub.frames(lambda frame: frame["type"] == "message")) == 1


def test_page_style_stays_outside(widget: Widget):
    expect(widget.input).to_have_css("font-size", re.compile("^16"))
    expect(widget.state).not_to_have_css("color", "rgb(255, 0, 0)")


def test_settings_of_the_tag(page: Page, stub: Stub):
    stub.attributes = (
        'data-title="Ask Ana" data-accent="#ffd400" data-position="left" data-greeting="Hi there."'
    )
    page.goto(stub.url)
    widget = Widget(page).open()
    expect(widget.root.get_by_role("heading", name="Ask Ana")).to_be_visible()
    expect(widget.root.locator(".greeting .text")).to_have_text("Hi there.")
    expect(widget.launcher).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(widget.launcher).to_have_css("color", "rgb(16, 16, 18)")
    box = widget.launcher.bounding_box()
    assert box is not None
    assert box["x"] < 40


def test_shop_gives_the_title_where_the_tag_does_not(page: Page, stub: Stub):
    stub.attributes = ""
    page.goto(stub.url)
    expect(Widget(page).open().root.get_by_role("heading", name="A shop")).to_be_visible()


def test_fills_a_phone_and_keeps_focus_inside(open_widget: Callable[..., Widget]):
    widget = open_widget(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    expect(widget.panel).to_have_attribute("aria-modal", "true")
    expect(widget.launcher).to_be_hidden()
    widget.root.get_by_role("button", name="Talk to a person").focus()
    widget.page.keyboard.press("Tab")
    expect(widget.root.get_by_role("button", name="Close the chat").first).to_be_focused()
    widget.page.keyboard.press("Shift+Tab")
    expect(widget.root.get_by_role("button", name="Talk to a person")).to_be_focused()


def test_older_messages_stay_in_view_while_new_ones_come(widget: Widget, stub: Stub):
    widget.say("hello")
    widget.expect_sent("hello")
    for number in range(12):
        stub.say(f"message {number}\nwith\nsome\nlines")
    widget.wait_for_reply("message 11")
    widget.log.evaluate("log => new Promise(done => { log.onscroll = done; log.scrollTop = 0 })")
    stub.say("news")
    newer = widget.root.get_by_role("button", name="New messages")
    expect(newer).to_be_visible()
    assert widget.log.evaluate("log => log.scrollTop") == 0
    newer.click()
    expect(widget.replies().last).to_be_in_viewport()
    expect(newer).to_be_hidden()


def test_calm_readers_get_no_motion(open_widget: Callable[..., Widget], stub: Stub):
    widget = open_widget(reduced_motion="reduce")
    widget.say("hello")
    widget.expect_sent("hello")
    expect(widget.own("hello")).to_have_css("animation-name", "none")

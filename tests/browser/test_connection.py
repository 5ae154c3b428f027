"""Bad lines and restarts: nothing the customer wrote is lost or doubled, nothing said to them is missed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.stub import Stub
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser


def test_message_whose_ack_was_lost_is_sent_again_under_the_same_id(widget: Widget, stub: Stub):
    stub.acknowledges = False
    bubble = widget.say("Where is my order?")
    first = stub.wait_for_message("Where is my order?")
    expect(bubble).to_have_attribute("data-state", "sending")
    stub.acknowledges = True
    stub.hang_up()
    assert stub.wait_for_message("Where is my order?", times=2)["id"] == first["id"]
    widget.expect_sent("Where is my order?")
    assert widget.texts() == ["Where is my order?"]
    assert len(stub.room.messages) == 1


def test_unsent_message_survives_a_reload(widget: Widget, stub: Stub):
    stub.hangs_up_on_message = True
    widget.say("Where is my order?")
    stub.wait_for_message("Where is my order?")
    widget.page.reload()
    stub.hangs_up_on_message = False
    widget.open().expect_sent("Where is my order?")
    assert widget.texts() == ["Where is my order?"]
    assert [message["text"] for message in stub.room.messages] == ["Where is my order?"]


def test_server_restart(widget: Widget, stub: Stub):
    widget.say("before")
    widget.expect_sent("before")
    stub.go_down()
    expect(widget.banner).to_have_text("Reconnecting…")
    expect(widget.say("meanwhile")).to_have_attribute("data-state", "sending")
    widget.say("and this")
    stub.stored("said while you were away")
    stub.listen()
    widget.expect_sent("and this")
    expect(widget.banner).to_be_empty()
    assert widget.texts() == ["before", "said while you were away", "meanwhile", "and this"]


def test_short_outage_shows_no_banner(widget: Widget, stub: Stub):
    widget.page.evaluate("""() => {
        window.banners = [];
        const banner = document.querySelector('doorstep-chat').shadowRoot.querySelector('.banner');
        const keep = () => window.banners.push(banner.textContent);
        new MutationObserver(keep).observe(banner, {childList: true});
    }""")
    stub.hang_up()
    stub.wait_for_hello(times=2)
    widget.say("still there?")
    widget.expect_sent("still there?")
    assert widget.page.evaluate("window.banners") == []


def test_return_of_the_network_is_used_at_once(widget: Widget, stub: Stub):
    stub.go_down()
    expect(widget.banner).to_have_text("Reconnecting…")
    stub.listen()
    widget.page.evaluate("dispatchEvent(new Event('online'))")
    widget.wait_until_ready()
    expect(widget.banner).to_be_empty()


def test_offline_messages_wait(widget: Widget, stub: Stub, context: BrowserContext):
    context.set_offline(True)
    stub.hang_up()
    expect(widget.banner).to_contain_text("You’re offline")
    expect(widget.input).to_be_enabled()
    expect(widget.say("from the tunnel")).to_have_attribute("data-state", "sending")
    context.set_offline(False)
    widget.expect_sent("from the tunnel")
    expect(widget.banner).to_be_empty()


def test_message_that_was_overtaken_is_asked_for(widget: Widget, stub: Stub):
    widget.say("hello")
    widget.expect_sent("hello")
    stub.say("one", live=False)
    stub.say("two")
    expect(widget.replies()).to_have_count(2)
    assert widget.texts() == ["hello", "one", "two"]
    assert stub.wait_for_hello(times=2)["last_seq"] == 1


def test_reply_announced_while_nobody_listened_is_found(widget: Widget, stub: Stub):
    widget.say("hello")
    widget.expect_sent("hello")
    stub.say("Here I am.", live=False, reply_to=1)
    widget.wait_for_reply("Here I am.")
    assert widget.texts() == ["hello", "Here I am."]


def test_unknown_conversation_starts_afresh_and_keeps_what_was_not_sent(widget: Widget, stub: Stub):
    widget.say("in the old one")
    widget.expect_sent("in the old one")
    stub.hangs_up_on_message = True
    widget.say("still on its way")
    stub.wait_for_message("still on its way")
    stub.rooms.clear()
    stub.hangs_up_on_message = False
    widget.expect_sent("still on its way")
    assert widget.texts() == ["still on its way"]
    assert [message["text"] for message in stub.room.messages] == ["still on its way"]


def test_refused_message_says_why_and_gives_the_text_back(widget: Widget, stub: Stub):
    why = "That message is too long to read here."
    stub.refusals["a very long story"] = {"type": "error", "code": "too_long", "text": why}
    widget.say("a very long story")
    expect(widget.root.locator("[data-state=refused] .refusal")).to_have_text(why)
    expect(widget.input).to_have_value("a very long story")
    widget.say("a short one")
    widget.expect_sent("a short one")
    assert widget.texts() == ["a short one"]
    widget.page.reload()
    expect(widget.open().own("a short one")).to_be_visible()
    assert len(stub.frames(lambda frame: frame.get("text") == "a very long story")) == 1


def test_message_that_came_too_fast_is_sent_again_by_itself(widget: Widget, stub: Stub):
    stub.refusals["quick"] = {"type": "error", "code": "too_fast", "text": "That was a little fast."}
    widget.say("quick")
    widget.expect_sent("quick")
    assert widget.texts() == ["quick"]


def test_error_about_no_message_is_shown(widget: Widget, stub: Stub):
    stub.push({"type": "error", "code": "fault", "text": "Something went wrong on our side.", "id": ""})
    expect(widget.notice).to_have_text("Something went wrong on our side.")
    widget.say("hello")
    expect(widget.notice).to_be_hidden()


def test_fatal_error_ends_the_attempts(widget: Widget, stub: Stub):
    stub.push(
        {"type": "error", "code": "blocked", "text": "This chat is closed today.", "id": "", "fatal": True}
    )
    expect(widget.notice).to_have_text("This chat is closed today.")
    widget.page.evaluate("dispatchEvent(new Event('online'))")
    expect(widget.own("x")).to_have_count(0)
    assert len(stub.frames(lambda frame: frame["type"] == "hello")) == 1


def test_browser_keeps_ids_and_no_cookies(widget: Widget, stub: Stub, context: BrowserContext):
    widget.say("my secret")
    widget.expect_sent("my secret")
    stub.say("your secret", reply_to=1)
    widget.wait_for_reply("your secret")
    kept = widget.page.evaluate("JSON.stringify(localStorage)")
    assert "secret" not in kept
    assert stub.room.id in kept
    assert context.cookies() == []


def test_page_that_nobody_asks_on_opens_no_conversation(page: Page, stub: Stub):
    page.goto(stub.url)
    expect(Widget(page).launcher).to_be_visible()
    assert stub.received == []
    Widget(page).open().wait_until_ready()
    assert stub.wait_for_hello()["page"] == stub.url


def identity(email: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"email": email, "exp": 2_000_000_000}).encode())
    return f"{body.decode().rstrip('=')}.0123abcd"


def test_next_customer_of_a_browser_does_not_see_the_last_ones_conversation(page: Page, stub: Stub):
    widget = Widget(page)
    visits: list[tuple[str, Callable[[], Any]]] = [
        (f'data-identity="{identity("ana@example.org")}"', lambda: widget.own("Ana's order").wait_for()),
        (f'data-identity="{identity("ben@example.org")}"', lambda: None),
        ("", lambda: None),
    ]
    stub.attributes = visits[0][0]
    page.goto(stub.url)
    widget.open().wait_until_ready().say("Ana's order")
    widget.expect_sent("Ana's order")
    for count, (attributes, check) in enumerate(visits, start=2):
        stub.attributes = attributes
        page.reload()
        widget.open().wait_until_ready()
        stub.wait_for_hello(times=count)
        check()
    assert widget.texts() == []
    hellos = stub.frames(lambda frame: frame["type"] == "hello")
    assert [bool(hello["conversation"]) for hello in hellos] == [False, True, False, False]

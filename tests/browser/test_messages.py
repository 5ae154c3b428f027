"""Messages and replies: each shown once, in order, whole, and only ever as text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.samples import ANSWER, CARD, CHOICES
from tests.browser.stub import Stub, deltas
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>'


def ask(widget: Widget, text: str = "Where is my order?") -> None:
    widget.say(text)
    widget.expect_sent(text)


def test_reply_streams_in_and_is_then_whole(widget: Widget, stub: Stub):
    ask(widget)
    stub.push({"type": "typing", "author": "bot"})
    expect(widget.typing).to_contain_text("The assistant is writing")
    stub.push(*deltas(1, "Your kettle ", "left Leeds."))
    expect(widget.streaming).to_have_text("Your kettle left Leeds.")
    expect(widget.typing).to_have_count(0)
    stub.say("Your kettle left Leeds. It arrives on Monday.", reply_to=1)
    assert widget.wait_for_reply("on Monday") == "Your kettle left Leeds. It arrives on Monday."
    assert widget.texts() == ["Where is my order?", "Your kettle left Leeds. It arrives on Monday."]


def test_screen_readers_hear_a_reply_once_and_whole(widget: Widget, stub: Stub):
    expect(widget.log).to_have_attribute("aria-live", "polite")
    ask(widget)
    stub.push(*deltas(1, "Your kettle "))
    expect(widget.root.locator(".streaming")).to_have_attribute("aria-hidden", "true")
    stub.say("Your kettle left Leeds.", reply_to=1)
    widget.wait_for_reply("left Leeds.")
    expect(widget.root.locator("[aria-hidden=true].message")).to_have_count(0)


def test_deltas_are_put_in_order_and_taken_once(widget: Widget, stub: Stub):
    ask(widget)
    one, two, three = deltas(1, "One ", "two ", "three")
    stub.push(two, one, two, one, three)
    expect(widget.streaming).to_have_text("One two three")


def test_lost_delta_is_waited_for_until_the_whole_message_comes(widget: Widget, stub: Stub):
    ask(widget)
    one, _, three = deltas(1, "One ", "two ", "three")
    stub.push(one, three)
    stub.become("waiting")  # frames are handled in order: once this shows, the deltas were seen
    expect(widget.state).to_have_text("Waiting for a colleague")
    expect(widget.streaming).to_have_text("One")
    stub.say("One two three", reply_to=1)
    assert widget.wait_for_reply("three") == "One two three"


def test_reply_begun_again_replaces_what_was_shown(widget: Widget, stub: Stub):
    ask(widget)
    stub.push(*deltas(1, "It is late "))
    expect(widget.streaming).to_have_text("It is late")
    stub.push(*deltas(1, "Your parcel ", "is late."))
    expect(widget.streaming).to_have_text("Your parcel is late.")


def test_template_takes_the_place_of_a_refused_text(widget: Widget, stub: Stub):
    ask(widget)
    stub.push(*deltas(1, "It comes at "))
    stub.say("Order DS-10023 is on its way.", reply_to=1)
    widget.wait_for_reply("on its way")
    assert widget.texts() == ["Where is my order?", "Order DS-10023 is on its way."]


def test_reload_in_the_middle_of_a_reply(widget: Widget, stub: Stub):
    ask(widget)
    stub.push(*deltas(1, "Your kettle ", "left "))
    expect(widget.streaming).to_have_text("Your kettle left")
    widget.page.reload()
    widget.open().wait_until_ready()
    assert stub.wait_for_hello(times=2)["last_seq"] == 0
    expect(widget.own("Where is my order?")).to_be_visible()
    stub.push(*deltas(1, "Leeds ", "today.", start=2))
    stub.say("Your kettle left Leeds today.", reply_to=1)
    widget.wait_for_reply("Your kettle left Leeds today.")
    assert widget.texts() == ["Where is my order?", "Your kettle left Leeds today."]


def test_history_comes_back_once_and_in_order(widget: Widget, stub: Stub):
    ask(widget, "one")
    stub.say("two", reply_to=1)
    widget.wait_for_reply("two")
    ask(widget, "three")
    stub.say("four", reply_to=3)
    widget.wait_for_reply("four")
    widget.page.reload()
    widget.open().wait_for_reply("four")
    assert widget.texts() == ["one", "two", "three", "four"]
    stub.hang_up()
    assert stub.wait_for_hello(times=3)["last_seq"] == 4
    widget.wait_until_ready()
    assert widget.texts() == ["one", "two", "three", "four"]


def test_colleague_takes_over_in_the_middle_of_a_reply(widget: Widget, stub: Stub):
    ask(widget)
    stub.push(*deltas(1, "Your kettle "))
    expect(widget.streaming).to_have_count(1)
    stub.become("staff")
    expect(widget.streaming).to_have_count(0)
    stub.say("Priya here, I'll look.", author="staff", name="Priya")
    widget.wait_for_reply("Priya here")
    expect(widget.state).to_have_text("Priya")
    expect(widget.root.locator(".name")).to_have_text("Priya")


def test_message_sent_while_a_reply_is_written_keeps_the_order_of_the_server(widget: Widget, stub: Stub):
    ask(widget, "first")
    stub.push(*deltas(1, "Reply to "))
    expect(widget.streaming).to_have_text("Reply to")
    ask(widget, "second")
    stub.say("Reply to first", reply_to=1)
    widget.wait_for_reply("Reply to first")
    assert widget.texts() == ["first", "second", "Reply to first"]


def test_order_card(widget: Widget, stub: Stub):
    ask(widget)
    stub.say(ANSWER, reply_to=1, card=CARD)
    card = widget.card()
    expect(card).to_have_attribute("aria-label", "Order DS-10023")
    for text in ("On its way", "Tuesday 24 to Friday 27 November", "£48.20", "kettle, 2 × stoneware mug"):
        expect(card).to_contain_text(text)
    expect(card.get_by_role("listitem")).to_have_text(
        [re.compile("Ordered"), re.compile("Northline"), re.compile("Leeds")]
    )
    expect(card.locator("[aria-current=step]")).to_contain_text("At the Leeds depot")
    expect(card.get_by_role("link")).to_have_attribute("href", CARD["tracking_link"])
    expect(card.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")


def test_order_card_without_an_estimate(widget: Widget, stub: Stub):
    ask(widget)
    bare = CARD | {"window": "", "likely": "", "steps": [], "tracking_link": "", "status": "Cancelled"}
    stub.say("It was cancelled.", reply_to=1, card=bare)
    expect(widget.card()).to_contain_text("Cancelled")
    expect(widget.card()).not_to_contain_text("Expected")
    expect(widget.card().get_by_role("link")).to_have_count(0)


def test_what_is_expected_stays_among_the_steps_where_nothing_else_says_it(widget: Widget, stub: Stub):
    ask(widget)
    stub.say("It is coming back to us.", reply_to=1, card=CARD | {"window": "", "likely": ""})
    expect(widget.card().get_by_role("listitem").last).to_contain_text("At your door")


def test_quick_reply_sends_its_value_and_goes(widget: Widget, stub: Stub):
    ask(widget)
    stub.say(ANSWER, reply_to=1, quick_replies=CHOICES)
    widget.wait_for_reply("timeline?")
    assert widget.quick_replies() == ["Yes, email it", "No, thanks"]
    widget.quick("Yes, email it")
    assert stub.wait_for_message("Yes, email it")["value"] == "yes"
    assert widget.quick_replies() == []
    expect(widget.input).to_be_focused()


def test_quick_replies_of_an_older_message_go(widget: Widget, stub: Stub):
    ask(widget)
    stub.say("Shall I cancel it?", reply_to=1, quick_replies=CHOICES)
    widget.wait_for_reply("Shall I cancel it?")
    stub.say("It has just left, so I can't.")
    widget.wait_for_reply("It has just left")
    assert widget.quick_replies() == []


def test_starters_only_in_an_empty_conversation(widget: Widget, stub: Stub):
    assert "Where is my order?" in widget.quick_replies()
    widget.quick("Where is my order?")
    assert stub.wait_for_message("Where is my order?")["value"] == ""
    assert widget.quick_replies() == []


def test_nothing_from_the_wire_becomes_markup(widget: Widget, stub: Stub):
    ask(widget, HOSTILE)
    card = CARD | {"number": HOSTILE, "status": HOSTILE, "tracking_link": "javascript:window.hit = 1"}
    stub.say(HOSTILE, reply_to=1, card=card, quick_replies=[{"text": HOSTILE, "value": "x"}])
    widget.wait_for_reply(HOSTILE)
    stub.say("Priya here.", author="staff", name=HOSTILE)
    widget.wait_for_reply("Priya here.")
    assert widget.texts() == [HOSTILE, HOSTILE, "Priya here."]
    expect(widget.root.locator("img, script, .card a")).to_have_count(0)
    assert widget.page.evaluate("window.hit") is None


def test_only_web_addresses_become_links(widget: Widget, stub: Stub):
    ask(widget)
    stub.say(
        "See (https://shop.example/a?b=1&c=2). Not javascript:alert(1), nor data:text/html,x.", reply_to=1
    )
    widget.wait_for_reply("See (https")
    links = widget.replies().get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://shop.example/a?b=1&c=2")
    expect(links).to_have_attribute("target", "_blank")


def test_lines_are_kept_and_right_to_left_text_runs_right_to_left(widget: Widget, stub: Stub):
    ask(widget, "أين طلبي؟")
    stub.say("السطر الأول\nالسطر الثاني", reply_to=1)
    widget.wait_for_reply("السطر الثاني")
    assert widget.last_reply() == "السطر الأول\nالسطر الثاني"
    for text in widget.root.locator(".message:not(.greeting) > .text").all():
        expect(text).to_have_css("direction", "rtl")


def test_two_tabs_show_one_conversation(widget: Widget, stub: Stub, another_tab: Callable[[], Widget]):
    ask(widget, "from the first tab")
    other = another_tab()
    expect(other.own("from the first tab")).to_be_visible()
    ask(other, "from the second tab")
    stub.say("to both", reply_to=2)
    for tab in (widget, other):
        tab.wait_for_reply("to both")
        assert tab.texts() == ["from the first tab", "from the second tab", "to both"]
    assert len(stub.rooms) == 1

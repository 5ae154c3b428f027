"""axe finds nothing serious, in light and dark, on a desk and on a phone, in a busy and in a closed chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.samples import ANSWER, CARD, CHOICES
from tests.browser.stub import Stub
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param(
        {"viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}, id=f"{name}-{scheme}"
    )
    for name, viewport in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
]


def problems(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    serious = [problem for problem in found if problem["impact"] in ("serious", "critical")]
    return [f"{problem['id']}: {node['html']}" for problem in serious for node in problem["nodes"]]


@pytest.mark.parametrize("look", LOOKS)
def test_busy_conversation(look: dict[str, Any], open_widget: Callable[..., Widget], stub: Stub):
    widget = open_widget(**look)
    assert problems(widget.page) == []
    widget.say("Where is my order?")
    widget.expect_sent("Where is my order?")
    stub.become("staff")
    stub.say("Priya here: https://shop.example/help", author="staff", name="Priya")
    stub.refusals["no"] = {"type": "error", "code": "no", "text": "There was no text in that message."}
    widget.say("no")
    expect(widget.root.locator(".refusal")).to_be_visible()
    stub.say(ANSWER, reply_to=1, card=CARD, quick_replies=CHOICES)
    widget.wait_for_reply("timeline?")
    stub.push({"type": "typing", "author": "bot"})
    expect(widget.typing).to_be_visible()
    widget.input.fill("x" * 4_010)
    assert problems(widget.page) == []


@pytest.mark.parametrize("look", LOOKS)
def test_closed_conversation(look: dict[str, Any], open_widget: Callable[..., Widget], stub: Stub):
    widget = open_widget(**look)
    widget.say("hello")
    widget.expect_sent("hello")
    stub.become("closed")
    expect(widget.root.get_by_text("This conversation is closed.")).to_be_visible()
    assert problems(widget.page) == []


@pytest.mark.parametrize("accent", ["#ffd400", "#f4f4f0", "#101012", "#7b61ff", "not a colour"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_accent_can_be_read(accent: str, scheme: str, open_widget: Callable[..., Widget], stub: Stub):
    stub.attributes = f'data-accent="{accent}"'
    widget = open_widget(color_scheme=scheme, reduced_motion="reduce")
    widget.say("Where is my order?")
    widget.expect_sent("Where is my order?")
    stub.say(ANSWER, reply_to=1, card=CARD, quick_replies=CHOICES)
    widget.wait_for_reply("timeline?")
    assert problems(widget.page) == []

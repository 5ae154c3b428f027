"""The widget as a customer works it. Everything waits for what it needs; nothing sleeps."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

PATIENCE = 30_000  # milliseconds
_ANYTHING = re.compile(r".")


class Widget:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("doorstep-chat")
        self.launcher = self.root.locator(".launcher")
        self.panel = self.root.get_by_role("dialog")
        self.log = self.root.get_by_role("log")
        self.input = self.root.get_by_role("textbox", name="Your message")
        self.state = self.root.locator(".state")
        self.banner = self.root.locator(".banner")
        self.notice = self.root.locator(".notice")
        self.badge = self.root.locator(".badge")
        self.typing = self.root.locator(".typing")
        self.streaming = self.root.locator(".streaming .text")
        self.messages = self.root.locator(".message[data-seq], .message[data-state]")

    def open(self) -> Widget:
        """Open the panel unless it is open (it stays open over a reload on a wide screen)."""
        expect(self.launcher).to_have_attribute("aria-label", _ANYTHING)
        if self.launcher.get_attribute("aria-expanded") != "true":
            self.launcher.click()
        expect(self.panel).to_be_visible()
        return self

    def wait_until_ready(self) -> Widget:
        expect(self.root.locator(".frame")).to_have_attribute("data-connected", "true")
        return self

    def say(self, text: str) -> Locator:
        """Type and send; the bubble on its way."""
        self.input.fill(text)
        self.input.press("Enter")
        return self.own(text)

    def own(self, text: str) -> Locator:
        return self.root.locator(".message.customer").filter(has_text=text).last

    def expect_sent(self, text: str) -> None:
        expect(self.own(text)).to_have_attribute("data-state", "sent")

    def replies(self) -> Locator:
        """Whole messages of the assistant or a colleague."""
        return self.root.locator(".message[data-seq]:is(.bot, .staff):not(.streaming, .typing, .greeting)")

    def last_reply(self) -> str:
        return self.replies().last.locator(".text").inner_text()

    def wait_for_reply(self, text: str | None = None, *, after: int | None = None) -> str:
        """Wait for a whole reply: one that holds `text`, or simply one more than the `after` there were."""
        if text is not None:
            expect(self.replies().last).to_contain_text(text)
        else:
            expect(self.replies()).not_to_have_count(after or 0)
            expect(self.root.locator(".streaming")).to_have_count(0)
        return self.last_reply()

    def ask(self, text: str) -> str:
        """Say something and wait for the answer to it."""
        before = self.replies().count()
        self.say(text)
        return self.wait_for_reply(after=before)

    def quick_replies(self) -> list[str]:
        return self.root.locator(".replies button:visible").all_inner_texts()

    def quick(self, text: str) -> None:
        """Press a suggested reply."""
        self.root.locator(".replies").get_by_role("button", name=text, exact=True).click()

    def card(self) -> Locator:
        """The order card that came last."""
        return self.root.locator(".card").last

    def texts(self) -> list[str]:
        """What was said, in the order on the screen, the greeting left out."""
        return self.root.locator(".message:not(.greeting, .typing) > .text").all_inner_texts()

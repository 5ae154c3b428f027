"""What a mail program gets to see."""

from __future__ import annotations

import re
from datetime import UTC
from html.parser import HTMLParser

import pytest
from django.utils import timezone

from emails import message, outbox
from emails.models import Draft


@pytest.fixture
def sent(draft, mail_server):
    """Sends the draft after changing it; returns the message as it arrived, and its HTML."""

    def send(**changes):
        Draft.objects.update(**changes)
        done = outbox.deliver(draft.pk)
        assert done.state == "sent", done.error
        arrived = mail_server.messages[-1]
        html, plain = (arrived.get_body((kind,)).get_content() for kind in ("html", "plain"))
        return arrived, html.replace("\r\n", "\n"), plain.replace("\r\n", "\n")

    return send


def text_of(html: str) -> str:
    class Reader(HTMLParser):
        words: list[str] = []

        def handle_data(self, data):
            self.words.append(data)

    reader = Reader()
    reader.words = []
    reader.feed(re.sub(r"(?s)<style>.*?</style>", "", html))
    return " ".join(" ".join(reader.words).split())


def test_text_and_html_say_the_same(sent):
    arrived, html, plain = sent()
    assert arrived.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in arrived.iter_parts()] == ["text/plain", "text/html"]
    for part in (text_of(html), plain):
        for fact in (
            "Amara",
            "Wednesday 25 November",
            "Tuesday 24 to Friday 27 November",
            "Thursday 19 November",
        ):
            assert fact in part
        assert "Handed to Northline" in part
        assert "because you asked us for it" in part
        assert "Doorstep Demo Shop" in part
    assert "[done]     Ordered: Tuesday 17 November\n" in plain
    assert "[now]      Arrived at the Leeds depot: Sunday 22 November\n" in plain


def test_headers(sent, draft):
    arrived, _, _ = sent()
    assert arrived["Subject"] == "Your kettle: news of DS-10023"
    assert arrived["From"] == arrived["Reply-To"] == "Doorstep Demo Shop <care@doorstep.example>"
    assert arrived["To"] == "amara@example.com"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{32}@doorstep\.example>", arrived["Message-ID"])
    assert arrived["Message-ID"] == message.message_id(draft)
    assert abs(arrived["Date"].datetime.replace(tzinfo=UTC) - timezone.now()).total_seconds() < 60


def test_one_click_is_offered_where_mail_can_be_stopped(sent, mail_server):
    arrived, html, plain = sent()
    assert b"\r\nList-Unsubscribe: <http" in mail_server.raw[0]
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [url] = re.findall(r"^<(http://localhost:8000/mail/stop/[^>]+/)>$", arrived["List-Unsubscribe"])
    assert f'href="{url}"' in html
    assert url in plain


def test_no_stop_link_in_a_record(sent):
    arrived, html, _ = sent(kind="cancellation")
    assert arrived["List-Unsubscribe"] is None
    assert "/mail/stop/" not in html
    assert "nothing to stop" in html


def test_one_button_to_the_carrier(sent):
    _, html, plain = sent()
    assert html.count('class="button" style="display') == 1
    assert 'href="https://northline.example/t/NL1"' in html
    assert "Follow the parcel: https://northline.example/t/NL1" in plain


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "//evil.example"])
def test_no_button_without_a_web_address(sent, draft, link):
    _, html, _ = sent(context=draft.context | {"link": link})
    assert "Follow the parcel" not in html


def test_nothing_is_taken_for_markup(sent, draft):
    mark = "<script>alert('x')</script> & \"quotes\""
    rows = [{"label": mark, "day": mark, "state": "now"}]
    arrived, html, plain = sent(subject=mark, preheader=mark, body=f"Hello,\n\n{mark}", timeline=rows)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 5
    assert mark in plain
    assert arrived["Subject"] == mark


def test_no_header_can_be_smuggled_in(sent):
    arrived, _, _ = sent(subject="News\r\nBcc: everybody@example.com")
    assert arrived["Subject"] == "News Bcc: everybody@example.com"
    assert arrived["Bcc"] is None


def test_other_scripts_arrive_whole(sent):
    subject, body = "Şükrü, siparişin 📦 اليوم", "Merhaba Şükrü,\n\nkahve değirmeni yolda — 日本語"
    arrived, html, plain = sent(subject=subject, body=body)
    assert arrived["Subject"] == subject
    assert "kahve değirmeni yolda — 日本語" in plain
    assert "日本語" in html


def test_an_invoice_is_a_table(sent, draft):
    lines = [{"label": "2 × mug", "amount": "£12.00"}, {"label": "Total", "amount": "£48.20"}]
    _, html, plain = sent(kind="invoice", timeline=[], context=draft.context | {"invoice": lines, "link": ""})
    assert "INVOICE FOR ORDER DS-10023\n2 × mug: £12.00\nTotal: £48.20\n" in plain
    assert "Invoice for order DS-10023" in html
    assert "Timeline" not in html


def test_paragraphs_and_lines_are_kept(sent):
    _, html, plain = sent(body="Hello,\n\nfirst\nsecond\n\n\nlast")
    assert "first<br>second</p>" in html
    assert "Hello,\n\nfirst\nsecond\n\nlast\n" in plain


def test_it_is_small_and_reads_in_the_dark(sent, mail_server):
    _, html, _ = sent()
    assert len(html.encode()) < 30_000
    assert len(mail_server.raw[0]) < 102_000
    assert 'name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html
    assert "max-width:600px" in html
    assert "<img" not in html


def test_lines_on_the_wire_are_short_enough(sent, mail_server):
    sent(body="word " * 2000)
    assert max(map(len, mail_server.raw[0].split(b"\r\n"))) <= 998


def test_too_long_is_refused_before_sending(draft, mail_server):
    Draft.objects.update(body="word " * 30_000)
    assert "too long" in outbox.deliver(draft.pk).error
    assert mail_server.messages == []

"""What staff do with a draft in the desk."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from emails import drafts, outbox, review
from emails.models import CaughtMail, Draft, Suppression
from tests.emails.conftest import NOW


@pytest.fixture
def sam(db):
    return User.objects.create_user("sam", "sam@shop.example", "x", is_staff=True, first_name="Sam")


@pytest.fixture
def desk(client, sam):
    client.force_login(sam)
    return client


@pytest.fixture
def waiting(order, writer):
    """An invoice that waits for approval."""
    asked, _ = drafts.request(kind=Draft.Kind.INVOICE, customer=order.customer, order=order)
    return drafts.write(asked.pk, writer=writer, model=None, now=NOW)


@pytest.fixture
def act(desk, waiting):
    """Press a button of the draft's page, with changes to what its form holds."""

    def press(action, **changes):
        waiting.refresh_from_db()
        text = review.text_of(waiting)
        values = {
            "subject": text.subject,
            "preheader": text.preheader,
            "body": text.body,
            "seen": text.digest,
        }
        response = desk.post(
            reverse(f"desk-draft-{action}", args=[waiting.pk]), values | changes, follow=True
        )
        waiting.refresh_from_db()
        return response.content.decode()

    return press


@pytest.mark.parametrize("name", ["desk-drafts", "desk-draft", "desk-mails", "desk-mail"])
def test_only_staff_come_in(client, waiting, name):
    args = [waiting.pk] if name in ("desk-draft", "desk-mail") else []
    client.force_login(User.objects.create_user("carl", "carl@example.com", "x"))
    response = client.get(reverse(name, args=args))
    assert response.status_code == 302
    assert "/login/" in response["Location"]


def test_the_list_shows_who_waits_for_what(desk, waiting):
    page = desk.get(reverse("desk-drafts")).content.decode()
    assert "Amara Okafor" in page
    assert "waiting for approval" in page
    assert "Your kettle: news of DS-10023" in page
    assert "Amara Okafor" not in desk.get(reverse("desk-drafts") + "?show=sent").content.decode()


@pytest.mark.parametrize(
    ("search", "found"), [("okaf", True), ("ds 10023", True), ("amara@", True), ("ben", False)]
)
def test_searching(desk, waiting, search, found):
    page = desk.get(reverse("desk-drafts"), {"q": search}).content.decode()
    assert ("Amara Okafor" in page) is found


def test_what_may_be_out_already_stands_first(desk, waiting, draft):
    Draft.objects.filter(pk=draft.pk).update(state="uncertain")
    page = desk.get(reverse("desk-drafts")).content.decode()
    assert page.index("may have been sent") < page.index("waiting for approval")


def test_a_draft_shows_the_email_and_why(desk, waiting):
    page = desk.get(reverse("desk-draft", args=[waiting.pk])).content.decode()
    frame = html.unescape(re.findall(r'sandbox="" srcdoc="([^"]+)"', page)[0])
    assert "Invoice for order DS-10023" in frame
    assert "mail invoice" in page
    assert f"orders.Order:{waiting.order_id}.total" in page
    assert "fake writer" in page
    assert "Approve and send" in page


def test_approving_sends_it(act, waiting, mail_server, nudges, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page = act("approve")
    assert "Approved. It goes to amara@example.com now." in page
    assert waiting.state == "approved"
    assert nudges == [("emails.deliver", waiting.pk)]
    assert outbox.deliver(waiting.pk).state == "sent"
    assert waiting.trace["history"][0]["who"] == "Sam"


def test_changed_words_are_what_is_sent(act, waiting, mail_server, sam):
    act("approve", body="Hello Amara,\n\nhere it is. Best, Sam")
    assert (waiting.written_by, waiting.edited_by) == ("staff", sam)
    outbox.deliver(waiting.pk)
    assert "here it is. Best, Sam" in mail_server.messages[0].get_body(("plain",)).get_content()


def test_saving_sends_nothing(act, waiting, nudges):
    page = act("save", subject="Your invoice")
    assert "Saved." in page
    assert (waiting.subject, waiting.state, nudges) == ("Your invoice", "draft", [])


def test_words_without_a_fact_want_a_second_look(act, waiting):
    page = act("approve", body="Hello,\n\nthe total is £48.20, and we add £5 on 3 March.")
    assert "Saved, not sent." in page
    assert waiting.state == "draft"
    assert re.findall(r"<mark>([^<]+)</mark>", page.split("I have checked")[1])[:2] == ["£5", "3 March"]

    act("approve", checked=review.text_of(waiting).digest)
    assert waiting.state == "approved"


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("DS-10023 for £48.20, ordered on Tuesday 17 November.", []),
        ("You may march on.", []),
        ("In 9 days, on Saturday.", ["9", "Saturday"]),
        ("£48 or 48.2 or 20", ["£48", "48.2", "20"]),
        ("See https://evil.example/x tomorrow", ["https://evil.example/x", "tomorrow"]),
        ("7 November, or in March", ["7 November", "in March"]),
    ],
)
def test_what_counts_as_without_a_fact(waiting, text, doubtful):
    waiting.subject, waiting.preheader, waiting.body, waiting.written_by = "News", "", text, "staff"
    assert review.unsupported(waiting) == doubtful


def test_two_people_at_one_draft(act, waiting):
    seen = review.text_of(waiting).digest
    act("save", body="first")
    page = act("save", body="second", seen=seen)
    assert "A colleague changed this email meanwhile." in page
    assert "second</textarea>" in page
    assert waiting.body == "first"
    act("save", body="second")
    assert waiting.body == "second"


def test_discarding_is_final(act, waiting, mail_server):
    assert "It will not be sent." in act("discard")
    assert waiting.state == "discarded"
    assert "cannot be approved" in act("approve")
    outbox.deliver(waiting.pk)
    assert mail_server.messages == []


@pytest.mark.parametrize("state", ["failed", "uncertain"])
def test_sending_again_wants_a_tick(act, waiting, mail_server, state):
    Draft.objects.update(state=state, tries=6, error="550 no")
    assert "Please tick the box first" in act("send-again")
    assert waiting.state == state
    act("send-again", confirm="1")
    assert (waiting.state, waiting.tries, waiting.error) == ("approved", 0, "")
    assert outbox.deliver(waiting.pk).state == "sent"


def test_sending_again_goes_to_the_corrected_address(act, waiting):
    Draft.objects.update(state="failed")
    waiting.customer.email = "amara@new.example"
    waiting.customer.save()
    act("send-again", confirm="1")
    assert waiting.to == "amara@new.example"


def test_an_empty_email_is_not_approved(act, waiting):
    assert "Please write a subject and a text first." in act("approve", body=" ")
    assert waiting.state == "draft"


def test_who_stopped_such_mail_is_not_written_to(act, waiting):
    Draft.objects.update(kind="delay_notice")
    Suppression.objects.create(email=waiting.to)
    assert "asked for no more such emails" in act("approve")
    assert waiting.state == "draft"


def test_the_preview_follows_the_form_and_keeps_nothing(desk, waiting):
    values = {"subject": "News", "preheader": "", "body": "All new words, by 9 May."}
    answer = desk.post(reverse("desk-draft-preview", args=[waiting.pk]), values).content.decode()
    assert "All new words" in answer
    assert "<mark>9 May</mark>" in answer
    waiting.refresh_from_db()
    assert "All new words" not in waiting.body


def test_markup_in_a_draft_stays_text(desk, waiting):
    Draft.objects.update(subject="<script>x</script>", body="<img src=x onerror=alert(1)>", error="<b>no</b>")
    page = desk.get(reverse("desk-draft", args=[waiting.pk])).content.decode()
    assert "<script>x" not in page
    assert "<img src=x" not in html.unescape(re.findall(r'srcdoc="([^"]+)"', page)[0])
    assert "<b>no</b>" not in page


# --- the sink -----------------------------------------------------------------------------------


@pytest.fixture
def caught(draft, mail_server):
    outbox.deliver(draft.pk)
    return CaughtMail.objects.create(
        sender="care@doorstep.example",
        recipients=["amara@example.com"],
        subject="Your kettle",
        raw=mail_server.raw[0],
    )


def test_the_sink_lists_what_it_caught(desk, caught):
    page = desk.get(reverse("desk-mails")).content.decode()
    assert "Your kettle" in page
    assert "amara@example.com" in page
    assert "Your kettle" not in desk.get(reverse("desk-mails"), {"q": "nobody"}).content.decode()


def test_a_caught_mail_shows_its_parts(desk, caught):
    page = desk.get(reverse("desk-mail", args=[caught.pk])).content.decode()
    assert "Auto-Submitted" in page
    assert 'sandbox="" srcdoc="&lt;!doctype html&gt;' in page
    assert "[expected] Most likely: Wednesday 25 November" in page


@pytest.mark.parametrize(
    "raw", [b"", b"no mail at all", b"Content-Type: text/plain; charset=none\r\n\r\nh\xff"]
)
def test_a_broken_mail_can_be_looked_at(desk, caught, raw):
    CaughtMail.objects.update(raw=raw, subject="")
    assert desk.get(reverse("desk-mail", args=[caught.pk])).status_code == 200

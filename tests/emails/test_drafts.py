"""From a request to a written email."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from emails import drafts
from emails.errors import NoAddress
from emails.facts import order_slots, timeline
from emails.models import Draft
from ml.types import Facts
from orders.actions import cancel_order, request_refund
from orders.models import Refund, Status
from tests.emails.conftest import NOW

TIMELINE = Draft.Kind.DELIVERY_TIMELINE


def ask(order, facts=None, kind=TIMELINE, **more):
    return drafts.request(kind=kind, customer=order.customer, order=order, facts=facts, **more)


def write(draft, writer, now=NOW):
    return drafts.write(draft.pk, writer=writer, model=None, now=now)


# --- asking -------------------------------------------------------------------------------------


def test_a_request_is_a_row_and_a_nudge(order, told, nudges, django_capture_on_commit_callbacks):
    conversation = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        draft, created = ask(order, told, conversation=conversation)
    assert created
    assert (draft.state, draft.to, draft.conversation) == ("requested", "amara@example.com", conversation)
    assert nudges == [("emails.draft", draft.pk)]


def test_the_same_request_is_the_same_row(order, told, nudges, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first, _ = ask(order, told)
        second, created = ask(order, told)
    assert (second.pk, created) == (first.pk, False)
    assert len(nudges) == 1


def test_the_mood_of_the_question_makes_no_new_email(order, told):
    first, _ = ask(order, told)
    angry = Facts(told.situation, told.slots, mood="angry", channel="mail")
    assert ask(order, angry)[0].pk == first.pk


def test_new_days_make_a_new_email(order, told, make_outlook):
    first, _ = ask(order, told)
    moved = order_slots(order, make_outlook(likely=date(2026, 11, 26)))
    second, created = ask(order, Facts(told.situation, moved, channel="mail"))
    assert created
    assert second.pk != first.pk


def test_one_cancellation_is_confirmed_once(order):
    first, _ = ask(order, kind=Draft.Kind.CANCELLATION)
    assert ask(order, kind=Draft.Kind.CANCELLATION) == (first, False)


def test_a_complaint_is_answered_once_a_conversation(order):
    one, other = uuid4(), uuid4()
    kind = Draft.Kind.COMPLAINT
    assert [ask(order, kind=kind, conversation=c)[1] for c in (one, one, other)] == [True, False, True]


@pytest.mark.parametrize("address", ["", "not an address", "a@b.example\nBcc: all@shop.example"])
def test_somebody_without_an_address_cannot_be_written_to(order, address):
    order.customer.email = address
    with pytest.raises(NoAddress, match="no email address"):
        ask(order)
    assert not Draft.objects.exists()


def test_an_order_is_only_told_to_who_placed_it(order, ben):
    with pytest.raises(ValueError, match="placed"):
        drafts.request(kind=TIMELINE, customer=ben, order=order)


@pytest.mark.parametrize(("state", "again"), [("failed", True), ("discarded", True), ("sent", False)])
def test_what_failed_is_taken_up_when_asked_again(order, told, state, again):
    draft, _ = ask(order, told)
    Draft.objects.update(state=state, tries=6, error="550 no")
    row, created = ask(order, told)
    assert (row.pk, created) == (draft.pk, again)
    assert (row.state, row.tries, row.error) == (("requested", 0, "") if again else (state, 6, "550 no"))


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_are_one_row(order, told, nudges):
    gate = threading.Barrier(2)

    def once(_):
        gate.wait()
        try:
            return ask(order, told)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(once, range(2))) == [False, True]
    assert Draft.objects.count() == 1
    assert len(nudges) == 1


# --- writing ------------------------------------------------------------------------------------


def test_the_email_tells_the_days_that_the_chat_told(order, told, make_outlook, writer):
    asked, _ = ask(order, told, timeline=timeline(order, make_outlook()))
    draft = write(asked, writer)
    assert (draft.state, draft.written_by) == ("approved", "model")
    assert draft.subject == "Your kettle: news of DS-10023"
    assert "likely_day: Wednesday 25 November" in draft.body
    assert [row["state"] for row in draft.timeline] == ["done", "done", "now", "expected", "expected"]
    assert draft.context["link"] == "https://northline.example/t/NL1"


def test_why_it_says_so_is_kept(draft):
    trace = draft.trace
    assert trace["situation"] == "mail_timeline_transit"
    assert trace["facts"]["likely_day"] == {
        "display": "Wednesday 25 November",
        "source": "delivery:delivery 2026-11-01",
    }
    assert trace["models"] == {"delivery": "delivery 2026-11-01", "writer": "fake writer"}
    assert (trace["source"], trace["rejected"], trace["ms"]["write"]) == ("model", [], 2.0)


def test_without_told_facts_the_rows_speak(order, writer):
    draft = write(ask(order)[0], writer)
    assert draft.trace["situation"] == "mail_timeline_other"
    assert "status: on its way" in draft.body
    assert draft.timeline[0]["label"] == "Ordered"


def test_a_timeline_goes_on_to_be_sent(order, told, writer, nudges, django_capture_on_commit_callbacks):
    asked, _ = ask(order, told)
    with django_capture_on_commit_callbacks(execute=True):
        write(asked, writer)
    assert nudges == [("emails.deliver", asked.pk)]


@pytest.mark.parametrize("kind", [kind for kind in Draft.Kind if kind != TIMELINE])
def test_every_other_kind_waits_for_staff(
    order, told, make_outlook, writer, nudges, kind, django_capture_on_commit_callbacks
):
    late = order_slots(order, make_outlook("late", promised=date(2026, 11, 23)))
    Refund.objects.create(order=order, amount=order.total)
    order.status = Status.CANCELLED
    order.save()
    facts = Facts("mail_delay_notice", late, channel="mail") if kind == Draft.Kind.DELAY_NOTICE else None
    asked, _ = ask(order, facts, kind=kind)
    with django_capture_on_commit_callbacks(execute=True):
        draft = write(asked, writer)
    assert (draft.state, draft.error) == ("draft", "")
    assert nudges == []


def test_writing_twice_writes_once(order, told, writer):
    asked, _ = ask(order, told)
    first, second = write(asked, writer), write(asked, writer)
    assert first.body == second.body
    assert len(writer.calls) == 1


def test_a_claim_holds_while_the_writer_writes_and_not_for_ever(order, told, writer):
    asked, _ = ask(order, told)
    writer.before = lambda: write(asked, writer)  # a doubled task meets the claim of the first
    write(asked, writer)
    assert len(writer.calls) == 1

    Draft.objects.update(state="requested", claimed_at=NOW - drafts.LEASE - timedelta(seconds=1))
    writer.before = lambda: None
    assert write(asked, writer).state == "approved"
    assert len(writer.calls) == 2


def test_a_discarded_draft_stays_discarded_when_the_writer_comes_back(order, told, writer):
    asked, _ = ask(order, told)
    writer.before = lambda: Draft.objects.update(state="discarded")
    assert write(asked, writer).state == "discarded"


@pytest.mark.django_db(transaction=True)
def test_no_transaction_spans_the_writer(order, told, writer):
    asked, _ = ask(order, told)
    inside = []
    writer.before = lambda: inside.append(connection.in_atomic_block)
    write(asked, writer)
    assert inside == [False]


def test_a_failing_writer_is_tried_again_then_left_to_staff(order, told, writer):
    asked, _ = ask(order, told)
    writer.error = RuntimeError("out of memory")
    for attempt in range(drafts.MAX_WRITES):
        with pytest.raises(RuntimeError):
            write(asked, writer, now=NOW + attempt * drafts.LEASE * 3)
    asked.refresh_from_db()
    assert (asked.state, asked.claimed_at) == ("draft", None)
    assert "out of memory" in asked.error


def test_missing_facts_leave_the_words_to_staff(amara, writer):
    asked, _ = drafts.request(kind=Draft.Kind.COMPLAINT, customer=amara)
    draft = write(asked, writer)
    assert (draft.state, draft.body) == ("draft", "")
    assert "order" in draft.error
    assert writer.calls == []


def test_what_was_not_done_is_not_confirmed(order, writer):
    draft = write(ask(order, kind=Draft.Kind.CANCELLATION)[0], writer)
    assert draft.state == "discarded"
    assert writer.calls == []


def test_a_cancellation_that_was_done_may_be_told(order, writer):
    order.shipments.all().delete()
    order.status = Status.PROCESSING
    order.save()
    cancel_order(order=order, reason="asked in the chat")
    draft = write(ask(order, kind=Draft.Kind.CANCELLATION)[0], writer)
    assert draft.state == "draft"
    assert writer.calls[0].committed >= {"cancelled"}
    assert draft.timeline == []


def test_a_refund_request_is_told_once_it_is_stored(order, writer):
    delivered = datetime.now(UTC) - timedelta(days=2)
    order.shipments.update(delivered_at=delivered)
    order.status = Status.DELIVERED
    order.save()
    request_refund(order=order, reason="broken")
    draft = write(ask(order, kind=Draft.Kind.REFUND_REQUEST)[0], writer)
    assert draft.state == "draft"
    assert writer.calls[0].committed == {"refund_requested"}


def test_an_invoice_lists_what_makes_its_total(order, writer):
    draft = write(ask(order, kind=Draft.Kind.INVOICE)[0], writer)
    assert draft.context["invoice"] == [
        {"label": "2 × mug", "amount": "£12.00"},
        {"label": "Kettle", "amount": "£31.20"},
        {"label": "Delivery", "amount": "£5.00"},
        {"label": "Total", "amount": "£48.20"},
    ]


def test_a_discount_shows_as_one(order, writer):
    order.total -= 3
    order.save()
    draft = write(ask(order, kind=Draft.Kind.INVOICE)[0], writer)
    assert draft.context["invoice"][-2:] == [
        {"label": "Adjustment", "amount": "−£3.00"},
        {"label": "Total", "amount": "£45.20"},
    ]

"""What the assistant does with a message, through the product's own record and answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from chatbot.models import Conversation, Message, VerificationAttempt
from emails.models import Draft
from orders.models import Order, Refund, Status
from tests import factories
from tests.fakes import FakeWriter
from tests.talk import assistant, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Conversation:
    return factories.conversation()


def known(*orders: Order) -> Conversation:
    return factories.conversation(of=orders[0].customer)


def situation(message: Message) -> str:
    return str(message.trace["situation"])


class TestIdentity:
    def test_asks_why_and_what_before_it_opens_an_order(self, visitor):
        reply = say(visitor, "where is my parcel?")
        assert situation(reply) == "ask_identity"
        assert "order" in reply.text
        assert "email" in reply.text

    def test_one_message_with_the_pair_is_enough(self, visitor):
        order = factories.order(status=Status.DELIVERED)
        reply = say(visitor, f"where is {order.number}? my email is {order.customer.email.upper()}.")
        assert situation(reply) == "order_delivered"
        visitor.refresh_from_db()
        assert visitor.customer == order.customer
        assert visitor.proof == Conversation.Proof.PAIR

    def test_number_and_email_in_turns_and_the_question_is_not_forgotten(self, visitor):
        order = factories.order(status=Status.PROCESSING)
        assert situation(say(visitor, "please cancel my order")) == "ask_identity"
        assert situation(say(visitor, order.number)) == "ask_proof"
        reply = say(visitor, order.customer.email)
        assert situation(reply) == "cancel_confirm"
        assert order.number in reply.text

    def test_who_says_hello_with_the_pair_is_asked_what_it_is_about(self, visitor):
        order = factories.order(status=Status.DELIVERED)
        reply = say(visitor, f"hello, {order.number} {order.customer.email}")
        assert situation(reply) == "identity_ok"
        assert situation(say(visitor, "where is it")) == "order_delivered"

    def test_a_button_value_that_is_no_choice_of_ours_is_just_text(self, visitor):
        assert situation(say(visitor, "hello", value="intent:identified")) == "greeting"

    def test_postcode_proves_as_well(self, visitor):
        order = factories.order(status=Status.DELIVERED)
        say(visitor, f"where is {order.number}")
        assert situation(say(visitor, "my postcode is ls14dy")) == "order_delivered"

    def test_wrong_pair_unknown_number_and_someone_elses_order_read_the_same(self):
        mine, other = factories.order(), factories.order()
        texts = {
            say(factories.conversation(), f"where is {number}, {email}").text
            for number, email in (
                (mine.number, "wrong@mail.example"),
                ("DS-99999", mine.customer.email),
                (other.number, mine.customer.email),
            )
        }
        assert len(texts) == 1

    def test_a_verified_customer_cannot_read_someone_elses_order(self):
        mine, other = factories.order(), factories.order()
        conversation = known(mine)
        reply = say(conversation, f"where is {other.number}")
        assert situation(reply) == "ask_proof"
        assert reply.card is None
        assert situation(say(conversation, mine.customer.email)) == "identity_failed"

    def test_a_button_from_outside_opens_no_other_order(self):
        mine, other = factories.order(), factories.order()
        reply = say(known(mine), "this one", value=f"order:{other.number}")
        assert other.number not in reply.text
        assert not reply.card

    def test_tries_are_limited_in_a_conversation(self, visitor):
        order = factories.order()
        for n in range(settings.VERIFY_TRIES):
            assert (
                situation(say(visitor, f"where is {order.number}, no{n}@mail.example")) == "identity_failed"
            )
        locked = say(visitor, f"where is {order.number}, {order.customer.email}")
        assert situation(locked) == "identity_locked"
        assert locked.quick_replies[0]["value"] == "human"

    def test_tries_are_limited_for_an_order_over_many_conversations(self):
        order = factories.order()
        for n in range(settings.VERIFY_TRIES):
            say(factories.conversation(), f"where is {order.number}, no{n}@mail.example")
        fresh = factories.conversation()
        assert situation(say(fresh, f"where is {order.number}, {order.customer.email}")) == "identity_locked"

    def test_tries_are_limited_for_an_address(self):
        for n in range(settings.VERIFY_TRIES_ADDRESS):
            talk = factories.conversation(address="ab")
            say(talk, f"where is DS-{20000 + n}, no@mail.example")
        order = factories.order()
        last = factories.conversation(address="ab")
        assert situation(say(last, f"where is {order.number}, {order.customer.email}")) == "identity_locked"

    def test_old_tries_do_not_count(self, visitor):
        order = factories.order(status=Status.DELIVERED)
        for n in range(settings.VERIFY_TRIES):
            say(visitor, f"where is {order.number}, no{n}@mail.example")
        VerificationAttempt.objects.update(at=timezone.now() - timedelta(hours=2))
        assert (
            situation(say(visitor, f"where is {order.number}, {order.customer.email}")) == "order_delivered"
        )


class TestTracking:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (Status.DELIVERED, "order_delivered"),
            (Status.CANCELLED, "order_cancelled"),
            (Status.RETURN_REQUESTED, "order_returning"),
            (Status.EXCEPTION, "order_exception"),
        ],
    )
    def test_a_closed_order_is_told_not_guessed(self, status, expected):
        order = factories.order(status=status)
        reply = say(known(order), "where is my order")
        assert situation(reply) == expected
        assert "likely_day" not in reply.trace["facts"]
        assert reply.card["number"] == order.number

    def test_without_dates_it_says_the_state(self):
        order = factories.order(status=Status.PROCESSING, placed_at=None, promised_at=None)
        reply = say(known(order), "where is it")
        assert situation(reply) == "order_no_estimate"
        assert "being packed" in reply.text

    def test_how_long_will_it_take_is_about_the_own_parcel_and_delivery_in_general_is_not(self):
        talk = known(factories.order(status=Status.DELIVERED))
        own = say(talk, "how long does delivery of my parcel take")
        assert situation(own) == "order_delivered"
        assert situation(say(talk, "how long does delivery to France take")).startswith("policy")

    def test_several_orders_under_way_ask_which(self):
        customer = factories.customer()
        kettle = factories.order(of=customer, status=Status.DELIVERED)
        factories.order(of=customer, items=("linen duvet cover",))
        factories.order(of=customer, items=("lamp",))
        talk = known(kettle)
        reply = say(talk, "where is my order")
        assert situation(reply) == "which_order"
        assert len(reply.quick_replies) == 3
        assert situation(say(talk, "the kettle please")) == "order_delivered"

    def test_the_order_named_last_stays_in_focus(self):
        customer = factories.customer()
        first = factories.order(of=customer, status=Status.DELIVERED)
        factories.order(of=customer)
        talk = known(first)
        say(talk, f"where is {first.number}")
        assert first.number in say(talk, "refund").trace["facts"]["order"]["display"]


class TestChanges:
    def test_cancelling_needs_an_explicit_yes(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        assert situation(say(talk, "cancel it")) == "cancel_confirm"
        order.refresh_from_db()
        assert order.status == Status.PROCESSING
        reply = say(talk, "yes please")
        assert situation(reply) == "cancel_done"
        order.refresh_from_db()
        assert order.status == Status.CANCELLED

    def test_what_was_not_paid_is_not_promised_back(self):
        order = factories.order(status=Status.PLACED, paid_at=None)
        talk = known(order)
        reply = say(talk, "cancel it")
        assert reply.trace["facts"]["amount"]["display"] == "£0.00"
        assert "Visa" not in reply.text
        say(talk, "yes")
        assert not Refund.objects.exists()

    def test_no_keeps_it(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        say(talk, "cancel it")
        assert situation(say(talk, "No", value="no")) == "cancel_kept"
        assert situation(say(talk, "yes")) == "nothing_pending"
        order.refresh_from_db()
        assert order.status == Status.PROCESSING

    def test_what_is_neither_yes_nor_no_changes_nothing_and_is_asked_again(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        say(talk, "cancel it")
        assert situation(say(talk, "asdfgh")) == "cancel_confirm"
        order.refresh_from_db()
        assert order.status == Status.PROCESSING
        assert situation(say(talk, "yes")) == "cancel_done"

    def test_a_parcel_on_its_way_is_not_cancelled(self):
        order = factories.order()
        talk = known(order)
        assert situation(say(talk, "cancel it")) == "cancel_refused"
        assert situation(say(talk, "yes")) != "cancel_done"

    def test_the_order_left_between_question_and_yes(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        say(talk, "cancel it")
        Order.objects.filter(pk=order.pk).update(status=Status.SHIPPED)
        assert situation(say(talk, "yes")) == "cancel_refused"

    def test_a_new_address_is_repeated_and_confirmed(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        assert situation(say(talk, "I have a new address")) == "address_ask"
        reply = say(talk, "4 Mill Lane,  York YO1 7HH")
        assert situation(reply) == "address_confirm"
        assert "4 Mill Lane, York YO1 7HH" in reply.text
        assert situation(say(talk, "yes")) == "address_done"
        order.refresh_from_db()
        assert "4 Mill Lane" in order.line1

    def test_a_refund_is_requested_once(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        assert situation(say(talk, "I want a refund")) == "refund_confirm"
        assert not Refund.objects.exists()
        assert situation(say(talk, "yes")) == "refund_requested"
        assert situation(say(talk, "I want a refund")) == "refund_pending"
        assert Refund.objects.count() == 1


class TestEmail:
    def test_the_timeline_is_one_email_however_often_it_is_asked_for(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        reply = say(talk, "email me the timeline")
        assert situation(reply) == "email_queued"
        assert order.customer.email not in reply.text
        assert situation(say(talk, "email me the timeline")) == "email_already"
        draft = Draft.objects.get()
        assert draft.to == order.customer.email
        assert draft.conversation == talk.pk

    def test_the_email_can_take_up_what_was_mentioned_in_the_chat(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        say(talk, "where is it? it's a birthday present")
        say(talk, "email me the timeline")
        said = Draft.objects.get().context["customer_text"]
        assert said == "where is it? it's a birthday present\nemail me the timeline"

    def test_a_text_told_again_is_known_to_the_writer(self):
        order = factories.order(status=Status.DELIVERED)
        talk, heard = known(order), FakeWriter()
        for text in ("where is it", "where is it now"):
            say(talk, text, helper=assistant(writer=heard))
        first, second = heard.calls
        assert (first.told, first.before, first.verified) == (0, (), True)
        assert second.told == 1
        assert second.before == ("About order_delivered. order: {order}, delivered_day: {delivered_day}.",)
        assert first.owner == second.owner == str(talk.pk)

    def test_what_was_told_as_a_part_of_a_reply_counts_as_told(self):
        order = factories.order(status=Status.DELIVERED)
        talk, heard = known(order), FakeWriter()
        for text in ("where is my order and send me the invoice", "where is it", "where is it now"):
            say(talk, text, helper=assistant(writer=heard))
        told = [call for call in heard.calls if call.situation == "order_delivered"]
        assert [call.told for call in told] == [0, 1, 2]
        assert [len(call.before) for call in told] == [0, 1, 2]

    def test_yes_takes_up_what_the_reply_offered(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        Conversation.objects.filter(pk=talk.pk).update(
            pending={"kind": "offer", "action": "email_timeline", "focus": order.pk}
        )
        assert situation(say(talk, "yes")) == "email_queued"

    def test_a_yes_that_names_the_email_is_not_a_call_for_a_person(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        Conversation.objects.filter(pk=talk.pk).update(
            pending={"kind": "offer", "action": "human", "focus": order.pk}
        )
        assert situation(say(talk, "email me it, yes")) == "email_queued"

    def test_no_address_is_said(self):
        order = factories.order(of=factories.customer(email=""), status=Status.DELIVERED)
        assert situation(say(known(order), "email me the timeline")) == "email_no_address"
        assert not Draft.objects.exists()


class TestPeople:
    def test_a_person_is_one_word_away(self, visitor):
        reply = say(visitor, "human!")
        assert situation(reply) == "handoff_done"
        visitor.refresh_from_db()
        assert visitor.state == Conversation.State.WAITING
        assert visitor.priority > 0
        assert visitor.waiting_since

    def test_even_in_the_middle_of_a_question_of_ours(self, visitor):
        say(visitor, "where is my order")
        assert situation(say(visitor, "Talk to a person", value="human")) == "handoff_done"

    def test_while_waiting_it_still_answers_questions_with_facts(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        say(talk, "human")
        assert situation(say(talk, "hmm")) == "handoff_waiting"
        assert situation(say(talk, "where is my order")) == "order_delivered"

    def test_anger_raises_the_priority(self, visitor):
        say(visitor, "this is terrible")
        visitor.refresh_from_db()
        assert visitor.priority > 0


class TestLimits:
    def test_a_second_miss_offers_a_person(self, visitor):
        assert situation(say(visitor, "what's the weather")) == "out_of_scope"
        reply = say(visitor, "and the weather tomorrow?")
        assert situation(reply) == "not_understood"
        assert situation(say(visitor, "yes")) == "handoff_done"

    def test_two_close_meanings_become_buttons(self, visitor):
        reply = say(visitor, "torn between two")
        assert situation(reply) == "clarify"
        assert [b["value"] for b in reply.quick_replies[:2]] == ["intent:track_order", "intent:cancel_order"]
        assert situation(say(visitor, "the first")) == "ask_identity"

    def test_yes_to_nothing(self, visitor):
        assert situation(say(visitor, "yes")) == "nothing_pending"

    @pytest.mark.parametrize(
        "text", ["🙂🙂🙂", "<b>hi</b>", "مرحبا", "x" * 10_000, "'; DROP TABLE orders; --"]
    )
    def test_odd_text_gets_an_answer(self, visitor, text):
        assert say(visitor, text).text


class TestPersonalData:
    def test_a_trace_says_that_there_was_an_email_and_not_which(self, visitor):
        order = factories.order(status=Status.DELIVERED)
        reply = say(
            visitor, f"where is {order.number}? {order.customer.email}, {order.postcode}, 07700 900123"
        )
        assert situation(reply) == "order_delivered"
        kinds = {entity["kind"]: entity["value"] for entity in reply.trace["entities"]}
        assert kinds["order_number"] == order.number
        assert (kinds["email"], kinds["postcode"], kinds["phone"]) == ("[email]", "[postcode]", "[phone]")
        assert order.customer.email not in str(reply.trace)
        assert "900123" not in str(reply.trace)


def situations(message: Message) -> list[str]:
    return [*(part["situation"] for part in message.trace["parts"]), situation(message)]


class TestSeveralRequests:
    def test_both_are_answered_in_one_reply_with_the_facts_of_both(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        reply = say(talk, "where is my order and send me the invoice")
        assert situations(reply) == ["order_delivered", "invoice_queued"]
        assert reply.text.count("\n\n") == 1
        assert Draft.objects.filter(kind=Draft.Kind.INVOICE).count() == 1

    def test_the_question_comes_last_and_a_yes_answers_it(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        reply = say(talk, "cancel my order and send me the invoice")
        assert situations(reply) == ["invoice_queued", "cancel_confirm"]
        assert [button["value"] for button in reply.quick_replies] == ["yes", "no"]
        assert situation(say(talk, "yes")) == "cancel_done"
        assert Order.objects.get(pk=order.pk).status == Status.CANCELLED

    def test_one_question_at_a_time_the_second_follows_the_answer(self):
        owner = factories.customer()
        lamp = factories.order(of=owner, items=("desk lamp",), status=Status.PROCESSING)
        coat = factories.order(of=owner, items=("winter coat",), status=Status.DELIVERED)
        talk = factories.conversation(of=owner)
        first = say(talk, "cancel the lamp and I want a refund for the coat")
        assert situations(first) == ["cancel_confirm"]
        assert lamp.number in first.text
        second = say(talk, "no")
        assert situations(second) == ["cancel_kept", "refund_confirm"]
        assert coat.number in second.text
        assert not Refund.objects.exists()
        assert situation(say(talk, "yes")) == "refund_requested"
        assert Order.objects.get(pk=lamp.pk).status == Status.PROCESSING

    def test_a_stranger_is_asked_once_and_gets_both(self, visitor):
        order = factories.order(status=Status.DELIVERED)
        asked = say(visitor, "where is my order and send me the invoice")
        assert situations(asked) == ["ask_identity"]
        assert situations(say(visitor, order.number)) == ["ask_proof"]
        reply = say(visitor, order.customer.email)
        assert situations(reply) == ["order_delivered", "invoice_queued"]

    def test_two_things_asked_about_are_two_answers(self):
        owner = factories.customer()
        factories.order(of=owner, items=("desk lamp",), status=Status.CANCELLED)
        factories.order(of=owner, items=("winter coat",), status=Status.DELIVERED)
        reply = say(factories.conversation(of=owner), "where is the lamp and the coat")
        assert situations(reply) == ["order_cancelled", "order_delivered"]

    def test_a_new_request_drops_what_waited(self):
        order = factories.order(status=Status.PROCESSING)
        talk = known(order)
        say(talk, "cancel my order and change it to a new address")
        talk.refresh_from_db()
        assert talk.pending["also"]
        assert situations(say(talk, "where is my order?")) != ["address_ask"]
        talk.refresh_from_db()
        assert "also" not in talk.pending


class TestMentions:
    @pytest.fixture
    def talk(self) -> Conversation:
        owner = factories.customer()
        factories.order(of=owner, items=("Blue enamel kettle",), status=Status.DELIVERED)
        factories.order(of=owner, items=("Garden chair",), status=Status.CANCELLED)
        return factories.conversation(of=owner)

    @pytest.mark.parametrize("text", ["where is the blue ketle", "where is my kettle??"])
    def test_an_item_picks_its_order(self, talk, text):
        assert situation(say(talk, text)) == "order_delivered"

    @pytest.mark.parametrize(
        ("answer", "then"),
        [
            ("the second one", "order_delivered"),
            ("1", "order_cancelled"),
            ("the kettle", "order_delivered"),
            ("blue one", "order_delivered"),
            ("the newest", "order_cancelled"),
            ("chair", "order_cancelled"),
        ],
    )
    def test_short_answers_to_which_order(self, answer, then):
        owner, now = factories.customer(), timezone.now()
        for name, status, days in (
            ("Blue enamel kettle", Status.DELIVERED, 9),
            ("Garden chair", Status.CANCELLED, 3),
        ):
            factories.order(of=owner, items=(name,), status=status, placed_at=now - timedelta(days=days))
        talk = factories.conversation(of=owner)
        assert situation(say(talk, "where is my order")) == "which_order"
        assert situation(say(talk, answer)) == then

    def test_a_word_that_fits_two_orders_asks_which_of_the_two(self):
        owner = factories.customer()
        for name in ("Blue kettle", "Red kettle", "Garden chair"):
            factories.order(of=owner, items=(name,), status=Status.DELIVERED)
        reply = say(factories.conversation(of=owner), "where is the kettle")
        assert situation(reply) == "which_order"
        assert len(reply.quick_replies) == 2

    def test_another_item_changes_the_subject(self, talk):
        say(talk, "where is the kettle")
        assert situation(say(talk, "and the garden chair?")) == "order_cancelled"

    def test_a_day_alone_asks_of_the_order_in_hand(self, talk):
        say(talk, "where is the kettle")
        assert situation(say(talk, "tuesday?")) == "order_delivered"


class TestUpset:
    def test_a_threat_to_leave_raises_the_priority_and_offers_a_person(self):
        order = factories.order(status=Status.DELIVERED)
        talk = known(order)
        reply = say(talk, "where is it, or I buy elsewhere")
        assert situation(reply) == "order_delivered"
        assert "human" in [button["value"] for button in reply.quick_replies]
        talk.refresh_from_db()
        assert talk.priority == 1
        assert reply.trace["flags"] == {"leaving": 0.9}

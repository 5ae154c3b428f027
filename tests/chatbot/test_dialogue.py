"""Recording, answering and passing a conversation on: nothing lost, nothing twice, one voice at a time."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chatbot import dialogue, staff, tasks
from chatbot.models import Conversation, Message
from chatbot.protocol import Said
from chatbot.staff import DialogueError
from tests import factories
from tests.talk import FakeUnderstander, assistant, say


def put(conversation: Conversation, text: str, *, id: str) -> dialogue.Recorded:
    return dialogue.record(conversation_id=conversation.pk, said=Said(id, text, ""))


def in_threads(*works):
    """Run these at once, each with a database connection of its own; their errors are raised here."""
    errors: list[BaseException] = []

    def run(work):
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.django_db
class TestRecord:
    def test_a_resend_is_absorbed(self):
        talk = factories.conversation()
        first, second = put(talk, "hello", id="a"), put(talk, "hello", id="a")
        assert (first.created, second.created) == (True, False)
        assert first.message == second.message
        assert Message.objects.count() == 1

    def test_sequence_numbers_have_no_gap(self):
        talk = factories.conversation()
        for n in range(4):
            say(talk, f"hello {n}")
        assert list(talk.messages.values_list("seq", flat=True)) == list(range(1, 9))

    def test_writing_to_a_closed_conversation_starts_afresh(self):
        talk = factories.conversation(state=Conversation.State.CLOSED, pending={"kind": "confirm"})
        put(talk, "yes", id="a")
        talk.refresh_from_db()
        assert talk.state == Conversation.State.BOT
        assert talk.pending == {}


@pytest.mark.django_db
class TestAnswer:
    def test_every_open_message_gets_its_own_reply_in_order(self):
        talk = factories.conversation()
        put(talk, "hello", id="a")
        put(talk, "where is my order", id="b")
        replies = dialogue.answer(talk.pk, assistant=assistant())
        assert [r.reply_to.client_id for r in replies] == ["a", "b"]
        assert dialogue.answer(talk.pk, assistant=assistant()) == []

    def test_the_trace_says_why(self):
        reply = say(factories.conversation(), "hello")
        assert reply.trace["intent"] == "greeting"
        assert reply.trace["skill"] == "talk"
        assert reply.trace["source"] == "template"
        assert reply.trace["models"]["understanding"] == "fake"
        assert reply.trace["ms"]["total"] >= reply.trace["ms"]["write"]

    def test_a_lease_held_elsewhere_is_left_alone_and_an_old_one_is_taken(self):
        talk = factories.conversation()
        put(talk, "hello", id="a")
        leases = Conversation.objects.filter(pk=talk.pk)
        leases.update(leased_until=timezone.now() + timedelta(minutes=1), leased_by="other")
        assert dialogue.answer(talk.pk, assistant=assistant()) == []
        leases.update(leased_until=timezone.now() - timedelta(seconds=1))
        assert len(dialogue.answer(talk.pk, assistant=assistant())) == 1

    def test_the_sweep_finds_what_was_left_behind(self):
        talk, held = factories.conversation(), factories.conversation()
        put(talk, "hello", id="a")
        put(held, "hello", id="a")
        Conversation.objects.filter(pk=held.pk).update(leased_until=timezone.now() + timedelta(minutes=1))
        assert dialogue.unanswered(older_than=timedelta(0)) == [talk.pk]
        assert dialogue.unanswered(older_than=timedelta(minutes=1)) == []

    def test_what_is_said_while_a_worker_answers_queues_behind_the_others(self, monkeypatch):
        class Interrupted(FakeUnderstander):
            def understand(self, text, *, pending=None, known):
                if text == "first":
                    put(talk, "second", id="b")
                    tasks.answer_message(str(talk.pk))  # another worker, turned away by the lease
                return super().understand(text, pending=pending, known=known)

        queue: list[str] = []
        monkeypatch.setattr(tasks.answer_message, "apply_async", lambda args, **_: queue.append(args[0]))
        monkeypatch.setattr(tasks, "assistant", lambda: assistant(understander=Interrupted()))
        talk, other = factories.conversation(), factories.conversation()
        for conversation, text in ((talk, "first"), (other, "hello")):
            put(conversation, text, id="a")
            tasks.enqueue_answer(conversation.pk)
        while queue:
            tasks.answer_message(queue.pop(0))
        replies = Message.objects.filter(author=Message.Author.BOT).order_by("pk")
        assert [reply.reply_to.text for reply in replies] == ["first", "hello", "second"]

    def test_a_failing_model_leaves_the_message_open_for_the_sweep(self):
        class Broken(FakeUnderstander):
            def understand(self, text, *, pending=None, known):
                raise RuntimeError("model is away")

        talk = factories.conversation()
        put(talk, "hello", id="a")
        with pytest.raises(RuntimeError):
            dialogue.answer(talk.pk, assistant=assistant(understander=Broken()))
        assert dialogue.unanswered(older_than=timedelta(0)) == [talk.pk]
        assert len(dialogue.answer(talk.pk, assistant=assistant())) == 1

    def test_the_sweep_answers_those_behind_one_that_fails(self, monkeypatch):
        class Picky(FakeUnderstander):
            def understand(self, text, *, pending=None, known):
                if text == "poison":
                    raise RuntimeError("cannot read this one")
                return super().understand(text, pending=pending, known=known)

        monkeypatch.setattr(tasks, "assistant", lambda: assistant(understander=Picky()))
        for text in ("poison", "hello", "poison"):
            put(factories.conversation(), text, id="a")
        Message.objects.update(created_at=timezone.now() - tasks.LEFT_BEHIND * 2)
        tasks.sweep()
        assert [m.reply_to.text for m in Message.objects.filter(author=Message.Author.BOT)] == ["hello"]

    def test_a_message_that_keeps_failing_gets_a_person_offered(self):
        class Broken(FakeUnderstander):
            def understand(self, text, *, pending=None, known):
                raise RuntimeError("cannot read this one")

        talk = factories.conversation()
        put(talk, "hello", id="a")
        Message.objects.update(created_at=timezone.now() - dialogue.GIVE_UP)
        (reply,) = dialogue.answer(talk.pk, assistant=assistant(understander=Broken()))
        assert reply.quick_replies[0]["value"] == "human"
        assert dialogue.unanswered(older_than=timedelta(0)) == []
        assert say(talk, "yes").trace["situation"] == "handoff_done"


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_workers_give_one_reply(self):
        talk = factories.conversation()
        put(talk, "hello", id="a")
        in_threads(*[lambda: dialogue.answer(talk.pk, assistant=assistant())] * 4)
        assert Message.objects.filter(author=Message.Author.BOT).count() == 1

    def test_the_same_message_sent_twice_at_once_is_one_row(self):
        talk = factories.conversation()
        in_threads(*[lambda: put(talk, "hello", id="a")] * 4)
        assert Message.objects.count() == 1

    def test_two_colleagues_take_over_at_once_and_one_gets_it(self):
        talk = factories.conversation()
        outcomes = []

        def take(user):
            try:
                staff.take_over(conversation=talk, staff=user)
                outcomes.append(user)
            except DialogueError as error:
                outcomes.append(str(error))

        nina, omar = factories.staff_user("Nina"), factories.staff_user("Omar")
        in_threads(lambda: take(nina), lambda: take(omar))
        talk.refresh_from_db()
        assert [o for o in outcomes if not isinstance(o, str)] == [talk.assignee]
        assert any("already talking" in str(o) for o in outcomes)


@pytest.mark.django_db
class TestStaff:
    def test_the_assistant_is_silent_while_staff_hold_the_conversation(self):
        talk, nina = factories.conversation(), factories.staff_user()
        staff.take_over(conversation=talk, staff=nina)
        recorded = put(talk, "where is my order", id="a")
        assert not recorded.needs_answer
        assert dialogue.answer(talk.pk, assistant=assistant()) == []

    def test_a_reply_in_the_making_is_dropped_when_staff_take_over(self):
        talk, nina = factories.conversation(), factories.staff_user()

        class Slow(FakeUnderstander):
            def understand(self, text, *, pending=None, known):
                staff.take_over(conversation=talk, staff=nina)
                return super().understand(text, pending=pending, known=known)

        put(talk, "hello", id="a")
        assert dialogue.answer(talk.pk, assistant=assistant(understander=Slow())) == []
        assert not Message.objects.filter(author=Message.Author.BOT).exists()

    def test_handed_back_it_answers_again(self):
        talk, nina = factories.conversation(), factories.staff_user()
        staff.take_over(conversation=talk, staff=nina)
        staff.say_staff(conversation=talk, staff=nina, text="Hello, Nina here.")
        staff.hand_back(conversation=talk, staff=nina)
        assert say(talk, "hello").author == Message.Author.BOT

    @pytest.mark.parametrize("act", ["say", "hand_back", "close"])
    def test_only_who_holds_it_may_act(self, act):
        talk, nina, omar = (
            factories.conversation(),
            factories.staff_user("Nina"),
            factories.staff_user("Omar"),
        )
        staff.take_over(conversation=talk, staff=nina)
        with pytest.raises(DialogueError):
            if act == "say":
                staff.say_staff(conversation=talk, staff=omar, text="Me too")
            else:
                getattr(staff, act)(conversation=talk, staff=omar)
        assert Message.objects.count() == 0

    def test_closing_forgets_what_was_asked(self):
        talk, nina = factories.conversation(pending={"kind": "confirm"}), factories.staff_user()
        staff.close(conversation=talk, staff=nina)
        talk.refresh_from_db()
        assert (talk.state, talk.pending) == (Conversation.State.CLOSED, {})

    def test_a_conversation_whose_colleague_is_gone_can_be_taken(self):
        talk, nina, omar = (
            factories.conversation(),
            factories.staff_user("Nina"),
            factories.staff_user("Omar"),
        )
        staff.take_over(conversation=talk, staff=nina)
        nina.delete()
        assert staff.take_over(conversation=talk, staff=omar).assignee == omar

"""What colleagues answered in chat, as what a writer can learn from.

A colleague's answer has no facts of its own. Those of the conversation are used: what the assistant
told, or was about to tell, on the same subject. Which subject a message has is read from the reply it
got, or else understood anew; an answer whose subject the assistant never spoke of is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chatbot.models import Conversation, Message
from emails.replies import private_words
from ml.types import MOODS, Fact, Facts, Mood, Understanding
from ml.writer.pairs import Written
from ml.writer.situations import SITUATIONS

Author = Message.Author
Understand = Callable[[str], Understanding]
# Situations that are no subject: who asks, what was not understood, the way to a person.
_NO_SUBJECT = frozenset(
    {"clarify", "handoff_done", "handoff_waiting", "not_understood", "nothing_pending", "which_order"}
    | {name for name in SITUATIONS if name.startswith(("ask_", "identity_"))}
)


def staff_answers(understand: Understand, left_out: Counter[str]) -> Iterator[Written]:
    """Newest conversations first; answers without a subject are counted in `left_out`."""
    talks = Conversation.objects.filter(messages__author=Author.STAFF).distinct()
    for conversation in talks.select_related("customer").order_by("-updated_at").iterator(200):
        yield from _answers(conversation, understand, left_out)


def _answers(conversation: Conversation, understand: Understand, left_out: Counter[str]) -> Iterator[Written]:
    """Each run of a colleague's messages that follows something the customer said."""
    asked: Message | None = None
    traces: list[dict[str, Any]] = []
    run: list[Message] = []
    messages = list(conversation.messages.select_related("staff").order_by("seq"))
    for message, after in zip(messages, [*messages[1:], None], strict=True):
        if message.author == Author.CUSTOMER:
            asked = message
        elif message.author == Author.BOT and message.trace.get("situation") in SITUATIONS:
            traces.append({**message.trace, "reply_to": message.reply_to_id})
        elif message.author == Author.STAFF:
            run.append(message)
            if after is None or after.author == Author.CUSTOMER:
                yield from _written(conversation, asked, run, traces, understand, left_out)
                asked, run = None, []


def _written(
    conversation: Conversation,
    asked: Message | None,
    run: list[Message],
    traces: list[dict[str, Any]],
    understand: Understand,
    left_out: Counter[str],
) -> Iterator[Written]:
    if asked is None:
        left_out["answers nothing the customer said"] += 1
        return
    facts = _facts(asked, traces, understand)
    if facts is None:
        left_out["about something the assistant has no facts on"] += 1
        return
    yield Written(
        id=f"chat:{run[0].pk}",
        facts=facts,
        text=" ".join(message.text for message in run),
        changed=("text",),
        aliases={conversation.customer.email: "email"} if conversation.customer else {},
        private=private_words(conversation.customer, *(message.staff for message in run)),
    )


def _facts(asked: Message, traces: list[dict[str, Any]], understand: Understand) -> Facts | None:
    """The facts on the message's subject; None where the conversation holds none."""
    own = next((trace for trace in traces if trace["reply_to"] == asked.pk), None)
    subjects = [trace for trace in traces if trace["situation"] not in _NO_SUBJECT]
    if own is None:
        said = understand(asked.text)
        same = [trace for trace in subjects if trace["intent"] == said.intent]
        return _of(same[-1], asked, same, said.mood) if same else None
    if own["situation"] not in _NO_SUBJECT:
        return _of(own, asked, [trace for trace in subjects if trace is not own], _mood(own))
    # the customer asked for a person: about what they spoke of last
    return _of(subjects[-1], asked, subjects, _mood(own)) if subjects else None


def _of(trace: dict[str, Any], asked: Message, before: list[dict[str, Any]], mood: Mood) -> Facts:
    situation = str(trace["situation"])
    facts = Facts(
        situation,
        {slot: Fact(fact["display"], fact["source"]) for slot, fact in trace["facts"].items()},
        mood=mood,
        committed=frozenset(SITUATIONS[situation].acts),  # told only where they were stored
        customer_text=asked.text[:400],
    )
    return replace(facts, told=sum(each["situation"] == situation for each in before))


def _mood(trace: dict[str, Any]) -> Mood:
    return next((mood for mood in MOODS if mood == trace.get("mood")), "neutral")

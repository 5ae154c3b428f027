"""A conversation with the assistant: record what is said, answer it.

Every change of a conversation happens under a lock on its row; the model runs outside of any
transaction, under a lease, so that two workers never answer the same conversation at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chatbot import publish, rows
from chatbot.assistant import Assistant
from chatbot.models import Conversation, Message
from chatbot.protocol import Said
from chatbot.skills.base import HUMAN, Reply, Turn
from chatbot.skills.router import respond
from chatbot.trace import FAULT_TRACE, Clock, Written, trace_of
from ml.types import Draft, Facts, Known, Understanding
from ml.writer.grounding import pieces
from ml.writer.situations import SITUATIONS
from ml.writer.templates import chat_template
from orders import lookups
from orders import record as record_of_estimates
from orders.models import Customer, GivenEstimate

log = logging.getLogger(__name__)
GIVE_UP = timedelta(seconds=45)  # of failing to answer one message
HEARD = 400  # characters of a message that the writer may read
REMEMBERED = 2  # texts of one situation that are not to be repeated
BETWEEN_PARTS = "\n\n"  # of a reply to several requests


@dataclass(frozen=True, slots=True)
class Recorded:
    message: Message
    created: bool

    @property
    def needs_answer(self) -> bool:
        return self.created and self.message.open


def start(*, page: str = "", address: str = "", customer: Customer | None = None) -> Conversation:
    proof = Conversation.Proof.SIGNED if customer else ""
    return Conversation.objects.create(page=page, address=address, customer=customer, proof=proof)


def record(*, conversation_id: UUID, said: Said) -> Recorded:
    """Store what a customer said. The same browser id stored twice is one message."""
    with transaction.atomic():
        conversation = rows.locked(conversation_id)
        known = conversation.messages.filter(client_id=said.id).first()
        if known:
            return Recorded(known, created=False)
        if conversation.state == Conversation.State.CLOSED:
            rows.reopen(conversation)
        message = rows.append(
            conversation,
            author=Message.Author.CUSTOMER,
            text=said.text,
            value=said.value,
            client_id=said.id,
            open=conversation.is_with_bot,
        )
    publish.to_conversation(conversation_id, message.as_frame())
    publish.to_desk("changed", conversation=str(conversation_id))
    return Recorded(message, created=True)


def answer(conversation_id: UUID, *, assistant: Assistant) -> list[Message]:
    """Answer every open message of a conversation, oldest first; the replies that were stored.

    Safe to call at any time, twice, or from two workers: whoever holds the lease answers all.
    """
    replies: list[Message] = []
    more = True
    while more:
        reply, more = answer_next(conversation_id, assistant=assistant)
        if reply:
            replies.append(reply)
    return replies


def answer_next(conversation_id: UUID, *, assistant: Assistant) -> tuple[Message | None, bool]:
    """Answer the oldest open message; the reply, and whether this caller has to come back.

    What was said while somebody answered is theirs to see to: the other workers were turned away.
    """
    with rows.lease(conversation_id) as held:
        message = rows.next_open(conversation_id) if held else None
        reply = _answer_or_own_up(message, assistant) if message else None
    return reply, held and rows.next_open(conversation_id) is not None


def unanswered(*, older_than: timedelta) -> list[UUID]:
    """Conversations with an open message that nobody is working on, for the sweep."""
    now = timezone.now()
    idle = Q(conversation__leased_until__isnull=True) | Q(conversation__leased_until__lt=now)
    waiting = Message.objects.filter(idle, open=True, created_at__lt=now - older_than)
    return list(waiting.values_list("conversation_id", flat=True).distinct()[:500])


def _answer_or_own_up(message: Message, assistant: Assistant) -> Message | None:
    """A message whose answer keeps failing must not be tried for ever, nor go without one."""
    try:
        return _answer_one(message, assistant)
    except Exception:
        if timezone.now() - message.created_at < GIVE_UP:
            raise  # the sweep tries again
        log.exception("gave up on message %s", message.pk)
        return _own_up(message)


def _own_up(message: Message) -> Message | None:
    with transaction.atomic():
        row = rows.still_owed(message)
        if row is None:
            return None
        row.pending, row.priority = {"kind": "offer", "action": "human"}, max(row.priority, 1)
        rows.settle(message)
        stored = rows.append(
            row,
            author=Message.Author.BOT,
            text=chat_template("not_understood", (), told=False),
            quick_replies=[HUMAN],
            reply_to=message,
            trace=FAULT_TRACE,
        )
    publish.to_conversation(row.pk, stored.as_frame())
    publish.to_desk("changed", conversation=str(row.pk))
    return stored


def _answer_one(message: Message, assistant: Assistant) -> Message | None:
    conversation = Conversation.objects.select_related("customer").get(pk=message.conversation_id)
    if not conversation.is_with_bot:
        rows.settle(message)
        return None
    publish.to_conversation(conversation.pk, {"type": "typing", "author": "bot"})
    clock = Clock()
    pending = dict(conversation.pending)
    understanding = assistant.understander.understand(
        message.text, pending=_asked(pending), known=_known(conversation.customer)
    )
    clock.lap("understand")
    turn = _turn(conversation, message, understanding, assistant)
    reply = respond(turn)
    clock.lap("act")
    written = []
    for part in (*reply.before, reply):
        facts = _facts(conversation, message, understanding, part)
        written.append(Written(part, facts, assistant.writer.write(facts)))
    clock.lap("write")
    stored = _store(message, turn, reply, written, trace_of(turn, written, clock))
    if stored:
        _publish_reply(stored, written)
    return stored


def _asked(pending: dict[str, Any]) -> str | None:
    """What the understanding has to know of our last question."""
    kind = pending.get("kind")
    return {"offer": "confirm"}.get(kind, kind) if isinstance(kind, str) else None


def _known(customer: Customer | None) -> Known:
    """What dates and product names in a message are read with."""
    if customer is None:
        return Known(today=timezone.localdate())
    today = timezone.localdate(timezone=customer.zone)
    return Known(today, customer.country, tuple(lookups.item_names(customer)))


def _turn(
    conversation: Conversation, message: Message, understanding: Understanding, assistant: Assistant
) -> Turn:
    focus_id = conversation.pending.get("focus")
    customer = conversation.customer
    focus = lookups.order_by_id(customer, focus_id) if customer and isinstance(focus_id, int) else None
    return Turn(
        conversation=conversation,
        message=message,
        understanding=understanding,
        intent=understanding.intent,
        customer=customer,
        pending=conversation.pending,
        focus=focus,
        assistant=assistant,
        now=timezone.now(),
    )


def _facts(conversation: Conversation, message: Message, said: Understanding, reply: Reply) -> Facts:
    wanted = SITUATIONS[reply.situation].slots
    told, before = _said_before(conversation, reply.situation)
    return Facts(
        reply.situation,
        {slot: reply.slots[slot] for slot in wanted if slot in reply.slots},
        mood=said.mood,
        told=told,
        before=before,
        committed=reply.committed,
        customer_text=message.text[:HEARD],
        verified=conversation.customer is not None,
        owner=str(conversation.pk),
    )


def _said_before(conversation: Conversation, situation: str) -> tuple[int, tuple[str, ...]]:
    """In how many replies a situation was told, alone or as a part, and its latest texts, the newest last."""
    in_parts = Q(trace__parts__contains=[{"situation": situation}])
    told = conversation.messages.filter(
        Q(trace__situation=situation) | in_parts, author=Message.Author.BOT
    ).order_by("-seq")
    latest = list(told.values_list("trace", flat=True)[:REMEMBERED])
    parts = [part for trace in reversed(latest) for part in (*trace.get("parts", ()), trace)]
    texts = [part.get("delexicalised") or "" for part in parts if part["situation"] == situation]
    return told.count(), tuple(texts[-REMEMBERED:])


def _store(
    message: Message, turn: Turn, reply: Reply, written: Sequence[Written], trace: dict[str, Any]
) -> Message | None:
    """Store the reply, unless staff took over meanwhile or another worker was faster."""
    with transaction.atomic():
        row = rows.still_owed(message)
        if row is None:
            return None
        row.pending = _remember(row, reply, written[-1].draft, trace)
        row.priority = max(row.priority, reply.priority + int(turn.is_upset))
        rows.settle(message)
        stored = rows.append(
            row,
            author=Message.Author.BOT,
            text=BETWEEN_PARTS.join(part.draft.text for part in written),
            quick_replies=reply.quick_replies,
            card=reply.card,
            reply_to=message,
            trace=trace,
        )
        for part in (*reply.before, reply):
            if part.told:
                record_of_estimates.note(*part.told, channel=GivenEstimate.Channel.CHAT)
        if reply.hand_over and row.state != Conversation.State.WAITING:
            rows.move(row, Conversation.State.WAITING, assignee=None)
    return stored


def _remember(row: Conversation, reply: Reply, draft: Draft, trace: dict[str, Any]) -> dict[str, Any]:
    """What to keep of this turn: the order in focus, what was asked, and what the reply offered."""
    kept: dict[str, Any] = dict(reply.pending)
    if "kind" not in kept and (action := offered(draft.text)):
        kept |= {"kind": "offer", "action": action}
    if (focus := trace.get("order")) is not None:
        kept["focus"] = focus
    elif "focus" in row.pending:
        kept["focus"] = row.pending["focus"]
    return kept


def offered(text: str) -> str | None:
    """What a reply's closing question offers, so that a plain "yes" can take it up."""
    question = text.rstrip().rsplit(". ", 1)[-1].lower()
    if not question.endswith("?"):
        return None
    if "colleague" in question or "person" in question or "someone" in question:
        return "human"
    if "email" in question or "timeline" in question:
        return "email_timeline"
    return None


def _publish_reply(stored: Message, written: Sequence[Written]) -> None:
    """The stored reply, piece by piece and then whole: whatever is shown can be read again later."""
    asked = stored.reply_to.seq if stored.reply_to else None
    shown: list[str] = []
    for part in written:
        first, *rest = pieces(part.draft, part.facts)
        shown += [BETWEEN_PARTS + first if shown else first, *rest]
    deltas = [
        {"type": "delta", "reply_to": asked, "index": index, "text": text} for index, text in enumerate(shown)
    ]
    publish.to_conversation(stored.conversation_id, *deltas, stored.as_frame())
    if stored.trace.get("hand_over"):
        publish.to_conversation(stored.conversation_id, {"type": "state", "state": "waiting"})
    publish.to_desk("changed", conversation=str(stored.conversation_id))

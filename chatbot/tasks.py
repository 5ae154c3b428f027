"""Celery's door to the dialogue. A task takes a row's id; one that is lost is swept up."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from chatbot import dialogue, knowledge
from chatbot.assistant import assistant

log = logging.getLogger(__name__)
LEFT_BEHIND = timedelta(seconds=4)


def enqueue_answer(conversation_id: UUID) -> None:
    """Ask a chat worker to answer; with the broker away, the sweep will."""
    try:
        answer_message.apply_async((str(conversation_id),), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("answer for %s not queued: %s", conversation_id, error)


@shared_task(name="chatbot.answer")  # type: ignore[untyped-decorator]
def answer_message(conversation_id: str) -> None:
    """One message a task: who writes on at once waits behind the others, not before them."""
    _, more = dialogue.answer_next(UUID(conversation_id), assistant=assistant())
    if more:
        enqueue_answer(UUID(conversation_id))


@shared_task(name="chatbot.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    for conversation_id in dialogue.unanswered(older_than=LEFT_BEHIND):
        try:
            dialogue.answer(conversation_id, assistant=assistant())
        except Exception:  # the next sweep tries it again; the conversations behind it are not kept waiting
            log.exception("sweep: %s not answered", conversation_id)
    for article in knowledge.unindexed():
        knowledge.index(article, assistant().understander.encoder)

"""A way to a human, always."""

from __future__ import annotations

from chatbot.models import Conversation
from chatbot.skills.base import HUMAN, Reply, Turn
from chatbot.skills.tracking import first_name

SKILL = "people"
ASKED_FOR_PERSON = 2
COMPLAINED = 1


def human(turn: Turn) -> Reply:
    if turn.conversation.state == Conversation.State.WAITING:
        return Reply(SKILL, "handoff_waiting")
    return Reply(
        SKILL,
        "handoff_done",
        first_name(turn),
        committed=frozenset({"handed_over"}),
        hand_over=True,
        priority=ASKED_FOR_PERSON,
    )


def complaint(turn: Turn) -> Reply:
    slots = turn.slots(turn.focus) if turn.focus else {}
    return Reply(
        SKILL,
        "complaint",
        slots,
        quick_replies=[HUMAN],
        pending={"kind": "offer", "action": "human"},
        priority=COMPLAINED,
    )

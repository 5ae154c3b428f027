"""The writer's language beyond words: the tokens of a prompt, and the marks of a text's layout.

A prompt is made of controls and slots alone, so nothing a customer writes can become one.
"""

from __future__ import annotations

from collections.abc import Iterable

from ml.types import MOODS, Channel, Mood
from ml.writer.situations import SITUATIONS, SLOTS

END, REPLY, SUBJECT, PREHEADER, PARAGRAPH = "<end>", "<reply>", "<subject>", "<preheader>", "<paragraph>"
CHANNELS: tuple[Channel, ...] = ("chat", "mail")

CONTROLS: tuple[str, ...] = (
    END,
    REPLY,
    SUBJECT,
    PREHEADER,
    PARAGRAPH,
    "<first>",
    "<told>",
    *(f"<{channel}>" for channel in CHANNELS),
    *(f"<mood:{mood}>" for mood in MOODS),
    *(f"<situation:{name}>" for name in SITUATIONS),
)
SLOT_TOKENS: tuple[str, ...] = tuple(f"{{{slot}}}" for slot in sorted(SLOTS))


def prompt(channel: Channel, situation: str, mood: Mood, told: bool, available: Iterable[str]) -> list[str]:
    """The control tokens before a reply; slots in alphabetical order."""
    return [
        f"<{channel}>",
        f"<situation:{situation}>",
        f"<mood:{mood}>",
        "<told>" if told else "<first>",
        *(f"{{{slot}}}" for slot in sorted(available)),
        REPLY,
    ]


def target(text: str, subject: str = "", preheader: str = "") -> str:
    """What the model learns to write after the prompt, control tokens inline."""
    if not subject:
        return text + END
    body = "".join(PARAGRAPH + paragraph for paragraph in text.split("\n\n"))
    return f"{SUBJECT}{subject}{PREHEADER}{preheader}{body}{END}"


def split_target(text: str) -> tuple[str, str, str]:
    """(body, subject, preheader) out of a generated mail or chat text."""
    text = text.removesuffix(END)
    head, *paragraphs = text.split(PARAGRAPH)
    if not paragraphs:
        return head.strip(), "", ""
    subject, _, preheader = head.removeprefix(SUBJECT).partition(PREHEADER)
    body = "\n\n".join(part.strip() for part in paragraphs if part.strip())
    return body, subject.strip(), preheader.strip()

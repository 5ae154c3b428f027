"""The writer's language beyond words: the tokens of a prompt, and the marks of a text's layout.

A prompt is a head of controls and slots, the customer's own words between `<customer>` and `<reply>`,
and nothing else. The words are stripped of all that could be a control, a slot or a fact, so nothing a
customer writes can become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ml.types import MOODS, Channel, Mood
from ml.writer.situations import SITUATIONS, SLOTS
from ml.writer.themes import THEMES, heard

END, REPLY, SUBJECT, PREHEADER, PARAGRAPH = "<end>", "<reply>", "<subject>", "<preheader>", "<paragraph>"
CUSTOMER = "<customer>"
CHANNELS: tuple[Channel, ...] = ("chat", "mail")

CONTROLS: tuple[str, ...] = (
    END,
    REPLY,
    SUBJECT,
    PREHEADER,
    PARAGRAPH,
    "<first>",
    "<told>",
    CUSTOMER,
    "<verified>",
    "<guest>",
    *(f"<{channel}>" for channel in CHANNELS),
    *(f"<mood:{mood}>" for mood in MOODS),
    *(f"<situation:{name}>" for name in SITUATIONS),
)
SLOT_TOKENS: tuple[str, ...] = tuple(f"{{{slot}}}" for slot in sorted(SLOTS))


# Of a long message the start says what it is about and the end what is wanted.
_FIRST, _LAST = 40, 20
# Whole words with a digit, an address or a link in them: facts, or a person's data.
_FACT = re.compile(r"\S*(?:[\d@]|https?:|www\.)\S*", re.I)
_MARKS = re.compile(r"[^\w\s\x00.,:;?!'’()/&-]|_")
MARKED = "#"  # stands where a word with a fact stood


def prompt(
    channel: Channel,
    situation: str,
    mood: Mood,
    told: bool,
    available: Iterable[str],
    *,
    verified: bool = True,
) -> list[str]:
    """The head of a prompt, slots in alphabetical order; the customer's words and REPLY follow."""
    return [
        f"<{channel}>",
        f"<situation:{situation}>",
        f"<mood:{mood}>",
        "<told>" if told else "<first>",
        "<verified>" if verified else "<guest>",
        *(f"{{{slot}}}" for slot in sorted(available)),
        CUSTOMER,
    ]


def readable(message: str) -> str:
    """A customer's message as the model reads it: one line of words, without facts or marks."""
    text = _MARKS.sub(" ", _FACT.sub(" \x00 ", message.replace("’", "'").replace("\x00", " ")))
    words = re.sub(r"(?:\x00\s*)+", f"{MARKED} ", text).split()
    if len(words) > _FIRST + _LAST:
        words = [*words[:_FIRST], *words[-_LAST:]]
    return " ".join([*words, *_noted(message)])


def _noted(message: str) -> list[str]:
    """The themes heard in a message, spelled out behind it, each with the words that a reply may echo. What
    a pattern already knows, the model need not find out for itself."""
    return [
        f"/ {name.replace('_', ' ')}" + "".join(f" {word}" for word in sorted(THEMES[name].echoes(message)))
        for name in sorted(heard(message))
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

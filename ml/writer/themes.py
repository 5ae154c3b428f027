"""What customers mention beside their question, and how a careful agent takes it up.

A theme ("it's a present", "I took the day off") is drawn from a file of `corpus/themes`: what the
customer says, a pattern that hears it, sentences that acknowledge it, and a pattern that marks such a
sentence. A reply may acknowledge only what the customer's own message holds: `theme_faults` says where
one does not, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ml.types import MOODS, Mood
from ml.writer.corpus import HERE, CorpusError, expand
from ml.writer.rules import sentences

# What kind of news a situation brings; an acknowledgment says which kinds it can stand beside.
_NEWS: dict[str, str] = {
    "coming": "order_placed order_in_transit order_out_for_delivery mail_timeline_placed "
    "mail_timeline_transit",
    "arrived": "order_delivered mail_timeline_delivered",
    "late": "order_late order_overdue order_exception order_uncertain order_no_estimate mail_timeline_late "
    "mail_timeline_overdue mail_timeline_other",
    "ask": "ask_identity ask_proof ask_order_number which_order",
    "confirm": "cancel_confirm address_ask address_confirm refund_confirm",
    "done": "cancel_done address_done refund_requested refund_paid email_queued invoice_queued cancel_kept "
    "address_kept refund_kept mail_cancelled mail_refund_requested mail_invoice",
    "no": "identity_failed identity_locked no_orders order_cancelled order_returning cancel_refused "
    "address_refused refund_too_early refund_too_late refund_closed refund_pending refund_none "
    "email_already email_no_address policy_unknown",
    "off": "out_of_scope",
    "info": "policy",
    "complaint": "complaint mail_complaint",
    "people": "handoff_done handoff_waiting",
}
NEWS: dict[str, str] = {name: kind for kind, names in _NEWS.items() for name in names.split()}
_PLACES = frozenset({"before", "after"})
_LINE = re.compile(r"@(says|reply)\b(.*)")


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """A sentence of a reply. Empty `news` or `moods` serve all; `place` is where it may stand."""

    where: str
    text: str
    news: frozenset[str] = frozenset()
    moods: frozenset[Mood] = frozenset()
    place: str = ""
    mail: bool = False

    def fits(self, situation: str, mood: Mood) -> bool:
        kind = NEWS.get(situation)
        return (
            kind is not None
            and self.mail == situation.startswith("mail_")
            and (not self.news or kind in self.news)
            and (not self.moods or mood in self.moods)
        )


@dataclass(slots=True)
class Theme:
    """`echo` are words that a reply may only take from the customer's own message."""

    name: str
    heard: re.Pattern[str] = field(default_factory=lambda: re.compile(r"(?!)"))
    marks: re.Pattern[str] = field(default_factory=lambda: re.compile(r"(?!)"))
    moods: frozenset[Mood] = frozenset()
    echo: frozenset[str] = frozenset()
    says: list[str] = field(default_factory=list)
    held_out: list[str] = field(default_factory=list)
    replies: list[Acknowledgment] = field(default_factory=list)

    def acknowledgments(self, situation: str, mood: Mood, customer: str) -> list[Acknowledgment]:
        """The sentences that suit the situation, the mood and the customer's words."""
        if self.moods and mood not in self.moods:
            return []
        return [
            each
            for each in self.replies
            if each.fits(situation, mood) and not self.unsaid(each.text, customer)
        ]

    def echoes(self, message: str) -> set[str]:
        """Words of a customer's message that a reply may take up."""
        return _words(message) & self.echo

    def unsaid(self, reply: str, customer: str) -> set[str]:
        """Echo words of a reply that the customer did not use."""
        return (_words(reply) & self.echo) - _words(customer)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def read_themes(folder: Path | None = None) -> dict[str, Theme]:
    """Every theme by its file's name. Raises CorpusError with file:line."""
    paths = sorted((folder or HERE / "themes").glob("*.txt"))
    return {path.stem: _read(path.stem, path.read_text(encoding="utf-8")) for path in paths}


def _read(name: str, text: str) -> Theme:
    theme, section = Theme(name), ""
    flags: frozenset[str] = frozenset()
    for number, raw in enumerate(text.splitlines(), start=1):
        line, where = raw.strip(), f"{name}.txt:{number}"
        if not line or line.startswith(";"):
            continue
        if found := _LINE.fullmatch(line):
            section, flags = found[1], frozenset(found[2].split())
            _known(flags, section, where)
        elif section:
            _add(theme, section, flags, line, where)
        else:
            _head(theme, line, where)
    return theme


def _known(flags: frozenset[str], section: str, where: str) -> None:
    known = {"held-out"} if section == "says" else {*_NEWS, *MOODS, *_PLACES, "mail"}
    if unknown := flags - known:
        raise CorpusError(f"{where}: unknown qualifier {sorted(unknown)[0]!r}")


def _head(theme: Theme, line: str, where: str) -> None:
    key, _, value = (part.strip() for part in line.partition(":"))
    if key in ("heard", "marks"):
        # A pattern may go on in further lines of the same key.
        old = getattr(theme, key).pattern
        setattr(theme, key, re.compile(value if old == "(?!)" else f"{old}|{value}", re.I))
    elif key == "moods":
        theme.moods = frozenset(mood for mood in MOODS if mood in value.split())
    elif key == "echo":
        theme.echo = frozenset(value.split())
    else:
        raise CorpusError(f"{where}: expected heard, marks, moods or echo, not {key!r}")


def _add(theme: Theme, section: str, flags: frozenset[str], line: str, where: str) -> None:
    readings = [re.sub(r"\s+", " ", each).strip() for each in expand(line, where)]
    if section == "says":
        (theme.held_out if "held-out" in flags else theme.says).extend(readings)
        return
    moods = frozenset(mood for mood in MOODS if mood in flags)
    place = next(iter(flags & _PLACES), "")
    theme.replies += [
        Acknowledgment(where, text, flags & _NEWS.keys(), moods, place, "mail" in flags) for text in readings
    ]


THEMES: dict[str, Theme] = read_themes()


@lru_cache(maxsize=4096)
def heard(text: str) -> frozenset[str]:
    """The themes that a customer's message mentions."""
    return frozenset(name for name, theme in THEMES.items() if theme.heard.search(text))


def themes_for(situation: str, mood: Mood) -> list[str]:
    """The themes that a reply in this situation and mood can take up."""
    return [name for name, theme in THEMES.items() if theme.acknowledgments(situation, mood, _ANYTHING[name])]


_ANYTHING = {name: " ".join(theme.echo) for name, theme in THEMES.items()}


def theme_faults(reply: str, customer: str) -> list[str]:
    """One fault for each theme that a reply takes up though the customer did not mention it."""
    return list(_faults(reply, customer))


def _faults(reply: str, customer: str) -> Iterator[str]:
    for sentence in sentences(reply):
        for name, theme in THEMES.items():
            if not (found := theme.marks.search(sentence)):
                continue
            if name not in heard(customer):
                yield f"takes up what was not mentioned: {found[0]!r} ({name})"
            elif unsaid := theme.unsaid(sentence, customer):
                yield f"takes up what was not mentioned: {sorted(unsaid)[0]!r} ({name})"

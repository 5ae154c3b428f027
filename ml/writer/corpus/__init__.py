"""The writer's own language: hand-written, delexicalised sentences and how they combine.

A file holds blocks. A block serves one or more situations and lists plans (which roles, in which
order) and roles (variants of a sentence or two). `compose` draws texts from them; `lint` proves
that every situation can be told in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from ml.types import MOODS, Channel, Mood
from ml.writer.rules import SLOT
from ml.writer.situations import SITUATIONS, SLOTS

HERE = Path(__file__).parent
GENERIC = "*"
Standing = Literal["verified", "guest"]
STANDINGS: tuple[Standing, ...] = ("verified", "guest")
_ROLE = re.compile(r"[a-z][a-z0-9-]*(?:/[a-z-]+)?")


class CorpusError(ValueError):
    """A corpus file breaks the format; the message starts with file:line."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """One reading of a variant, its inline choices made."""

    text: str
    slots: frozenset[str]


@dataclass(frozen=True, slots=True)
class Variant:
    """One line of a role. Without `moods` it serves all of them; `collapsed` lines serve only
    facts without a window, `told` lines only what was told before, and a line with a `standing`
    only who is verified or who is a guest."""

    where: str
    expansions: tuple[Expansion, ...]
    moods: frozenset[Mood] = frozenset()
    collapsed: bool = False
    told: bool = False
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Step:
    role: str
    optional: bool
    paragraph: int


@dataclass(frozen=True, slots=True)
class Plan:
    where: str
    steps: tuple[Step, ...]
    moods: frozenset[Mood] = frozenset()
    told: bool = False
    standing: Standing | None = None


@dataclass(slots=True)
class Script:
    """Everything the corpus says about one situation."""

    plans: list[Plan] = field(default_factory=list)
    roles: dict[str, list[Variant]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All scripts of a channel; `GENERIC` roles stand in where a situation has none of its own."""

    channel: Channel
    scripts: dict[str, Script]

    def plans(self, situation: str) -> list[Plan]:
        own = self.scripts.get(situation, Script()).plans
        return own or self.scripts.get(GENERIC, Script()).plans

    def variants(self, situation: str, role: str) -> list[Variant]:
        own = self.scripts.get(situation, Script()).roles.get(role)
        return own or self.scripts.get(GENERIC, Script()).roles.get(role, [])


def load(channel: Channel, folder: Path | None = None) -> Corpus:
    """Read every `*.txt` of a channel, in name order."""
    scripts: dict[str, Script] = {}
    for path in sorted((folder or HERE / channel).glob("*.txt")):
        _read(path.name, path.read_text(encoding="utf-8"), channel, scripts)
    return Corpus(channel, scripts)


def parse(text: str, channel: Channel, name: str = "corpus") -> Corpus:
    """Parse one file's text. Raises CorpusError with file:line."""
    scripts: dict[str, Script] = {}
    _read(name, text, channel, scripts)
    return Corpus(channel, scripts)


def _read(name: str, text: str, channel: Channel, scripts: dict[str, Script]) -> None:
    block: list[Script] = []
    role: tuple[str, frozenset[Mood], frozenset[str]] | None = None
    for number, raw in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        line, where = raw.strip(), f"{name}:{number}"
        if not line or line.startswith(";"):
            continue
        if line.startswith("=="):
            names = _block_names(line[2:], channel, where)
            block, role = [scripts.setdefault(each, Script()) for each in names], None
        elif not block:
            raise CorpusError(f"{where}: text before the first '== situation' line")
        elif line.startswith("@"):
            role = _role_line(line[1:], where)
            for script in block:
                script.roles.setdefault(role[0], [])
        elif re.match(r"plan\b[^:.!?]*:", line):
            role = None
            plans = _plan_line(line, where)
            for script in block:
                script.plans += plans
        elif role is None:
            raise CorpusError(f"{where}: a sentence outside of a role; start one with '@role'")
        else:
            variant = _variant(line, role[1], role[2], where)
            for script in block:
                script.roles[role[0]].append(variant)


def _block_names(text: str, channel: Channel, where: str) -> list[str]:
    names = [part.strip() for part in text.strip().strip("=").split(",") if part.strip()]
    if not names:
        raise CorpusError(f"{where}: '==' needs the names of situations")
    for name in names:
        known = SITUATIONS.get(name)
        if name != GENERIC and (known is None or known.channel != channel):
            raise CorpusError(f"{where}: {name!r} is not a {channel} situation")
    return names


def _qualifiers(text: str, where: str, flags: set[str]) -> tuple[frozenset[Mood], frozenset[str]]:
    words = [word for word in re.split(r"[,\s]+", text) if word]
    moods = frozenset(mood for mood in MOODS if mood in words)
    rest = set(words) - moods
    if unknown := rest - flags:
        raise CorpusError(f"{where}: unknown qualifier {sorted(unknown)[0]!r}; moods are {', '.join(MOODS)}")
    return moods, frozenset(rest)


def _role_line(text: str, where: str) -> tuple[str, frozenset[Mood], frozenset[str]]:
    name, _, rest = text.strip().partition(" ")
    if not _ROLE.fullmatch(name):
        raise CorpusError(f"{where}: {name!r} is not a role's name")
    return name, *_qualifiers(rest, where, {"day", "told", *STANDINGS})


def _plan_line(line: str, where: str) -> list[Plan]:
    head, _, body = line.partition(":")
    moods, flags = _qualifiers(head.removeprefix("plan"), where, {"told", *STANDINGS})
    return [
        Plan(where, _steps(alternative, where), moods, "told" in flags, _standing(flags, where))
        for alternative in body.split("|")
    ]


def _standing(flags: frozenset[str], where: str) -> Standing | None:
    found = [standing for standing in STANDINGS if standing in flags]
    if len(found) > 1:
        raise CorpusError(f"{where}: 'verified guest' is everybody; leave both out")
    return found[0] if found else None


def _steps(text: str, where: str) -> tuple[Step, ...]:
    steps = [
        Step(word.removesuffix("?"), word.endswith("?"), paragraph)
        for paragraph, part in enumerate(text.split(" / "))
        for word in part.split()
    ]
    if not steps:
        raise CorpusError(f"{where}: an empty plan")
    for step in steps:
        if not _ROLE.fullmatch(step.role):
            raise CorpusError(f"{where}: {step.role!r} is not a role's name")
    return tuple(steps)


def _variant(line: str, moods: frozenset[Mood], flags: frozenset[str], where: str) -> Variant:
    expansions = []
    for text in dict.fromkeys(_tidy(each) for each in expand(line, where)):
        if re.sub(r"\{[a-z_]+\}", "", text).count("{") or "}" in re.sub(r"\{[a-z_]+\}", "", text):
            raise CorpusError(f"{where}: a brace that is not a slot in {text!r}")
        slots = frozenset(SLOT.findall(text))
        if unknown := slots - SLOTS.keys():
            raise CorpusError(f"{where}: unknown slot {{{sorted(unknown)[0]}}}")
        expansions.append(Expansion(text, slots))
    return Variant(where, tuple(expansions), moods, "day" in flags, "told" in flags, _standing(flags, where))


def expand(line: str, where: str = "text") -> Iterator[str]:
    """Every reading of a line with `[a|b]` choices; choices may nest and may be empty."""
    parts, rest = _choices(line, 0, where)
    if rest != len(line):
        raise CorpusError(f"{where}: ']' without '['")
    return ("".join(pieces) for pieces in product(*parts))


def _choices(line: str, at: int, where: str) -> tuple[list[list[str]], int]:
    """Parse from `at` to the end of the line or the closing bracket's level."""
    parts: list[list[str]] = []
    start = at
    while at < len(line) and line[at] not in "]|":
        if line[at] != "[":
            at += 1
            continue
        parts.append([line[start:at]])
        options, at = [], at + 1
        while True:
            inner, at = _choices(line, at, where)
            options += ["".join(pieces) for pieces in product(*inner)]
            if at >= len(line):
                raise CorpusError(f"{where}: '[' without ']'")
            at += 1
            if line[at - 1] == "]":
                break
        parts.append(options)
        start = at
    parts.append([line[start:at]])
    return parts, at


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([,.;:?!])", r"\1", text)
    return text[:1].upper() + text[1:]

"""The customer's side of a training conversation: a message that a reply could answer.

It is put together from a core (an opener written here, or a public utterance of a fitting intent), a
theme's clause, the colour of a mood and the slips of a thumb. A tenth of the cores, and the clauses
marked so, are held out of training.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ml.types import MOODS, Mood
from ml.writer.corpus import GENERIC, HERE, CorpusError, expand
from ml.writer.situations import SITUATIONS
from ml.writer.themes import THEMES, heard, themes_for

Utterances = Mapping[str, Sequence[str]]
# How often a core is a public utterance where both kinds fit, and how often a mood colours it.
_PUBLIC_SHARE, _COLOUR_SHARE, _CAREFUL_SHARE = 0.5, 0.45, 0.35
_TRIES = 30
# Demands that no reply gives in to: invented facts, promises, other roles.
INJECTED, _INJECTED_SHARE = "injected", 0.05
# What is said in a word or two needs no "could you let me know".
_UNCOLOURED = frozenset(
    {"greeting", "thanks", "goodbye", "nothing_pending", "not_understood", "handoff_waiting"}
)
_HELD_OUT_TENTHS = 1
# Any word would do that leaves each situation lines on both sides; a test watches over it.
_SALT = "1634 "


@dataclass(slots=True)
class Openers:
    """What customers write in one situation: lines by mood ("" for all), and the public intents."""

    intents: tuple[str, ...] = ()
    lines: dict[str, list[str]] = field(default_factory=dict)


def read_openers(text: str, name: str = "customer.txt") -> dict[str, Openers]:
    """Parse the customer's file. Raises CorpusError with file:line."""
    found: dict[str, Openers] = {}
    block: list[Openers] = []
    key = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line, where = raw.strip(), f"{name}:{number}"
        if not line or line.startswith(";"):
            continue
        if line.startswith("=="):
            block, key = [found.setdefault(each, Openers()) for each in _names(line, where)], ""
        elif not block:
            raise CorpusError(f"{where}: text before the first '== situation' line")
        elif line.startswith("intents:"):
            for each in block:
                each.intents = tuple(line.removeprefix("intents:").split())
        elif line.startswith("@"):
            key = _key(line, where)
        else:
            for each in block:
                each.lines.setdefault(key, []).extend(expand(line, where))
    return found


def _names(line: str, where: str) -> list[str]:
    names = [part.strip() for part in line.strip("= ").split(",")]
    if unknown := [name for name in names if name != GENERIC and name not in SITUATIONS]:
        raise CorpusError(f"{where}: {unknown[0]!r} is not a situation")
    return names


def _key(line: str, where: str) -> str:
    words = line[1:].split()
    if words == [INJECTED]:
        return INJECTED
    if not words or words[-1] not in MOODS or (words[:-1] and words[:-1] not in (["before"], ["after"])):
        raise CorpusError(f"{where}: expected '@ mood', '@ before mood' or '@ after mood'")
    return " ".join(words)


@lru_cache(maxsize=1)
def openers() -> dict[str, Openers]:
    return read_openers((HERE / "customer.txt").read_text(encoding="utf-8"))


def customer_message(
    situation: str,
    mood: Mood,
    theme: str,
    rng: random.Random,
    utterances: Utterances,
    held_out: bool = False,
) -> str:
    """A message that a reply in this situation could answer. It mentions the theme, and no other that
    the reply could take up. `utterances` are public ones by intent, and may be empty; `held_out` draws
    only what training never sees. Deterministic by the random state."""
    rivals = set(themes_for(situation, mood)) - {theme}
    for _ in range(_TRIES):
        core = _core(situation, mood, rng, utterances, held_out)
        if not heard(core) & rivals:
            break
    parts = [core] if situation in _UNCOLOURED else _coloured(core, mood, rng)
    if rng.random() < _INJECTED_SHARE:
        parts.append(rng.choice(_part(tuple(openers()[GENERIC].lines[INJECTED]), held_out)))
    if theme:
        clause = rng.choice(THEMES[theme].held_out if held_out else THEMES[theme].says)
        parts.insert(rng.choice((0, len(parts), len(parts))), clause)
    plain = _joined(parts, mood, rng)
    if rng.random() < _CAREFUL_SHARE:
        return _tidied(plain)
    slipped = _slips(plain, mood, rng)
    # A slip must not hide the theme that the reply will take up.
    return slipped if not theme or _still_said(theme, plain, slipped) else plain


def _still_said(theme: str, plain: str, slipped: str) -> bool:
    words = set(re.findall(r"[a-z]+", plain.lower())) & THEMES[theme].echo
    return theme in heard(slipped) and words <= set(re.findall(r"[a-z]+", slipped.lower()))


def _core(situation: str, mood: Mood, rng: random.Random, utterances: Utterances, held_out: bool) -> str:
    entry = openers()[situation]
    intent = rng.choice(entry.intents) if entry.intents and rng.random() < _PUBLIC_SHARE else ""
    if public := _part(tuple(utterances.get(intent, ())), held_out):
        return rng.choice(public).strip()
    own = _part(tuple(entry.lines.get(mood, [])), held_out)
    return rng.choice(own if own and rng.random() < 0.5 else _part(tuple(entry.lines.get("", [])), held_out))


@lru_cache(maxsize=512)
def _part(lines: tuple[str, ...], held_out: bool) -> tuple[str, ...]:
    """The held-out tenth of some lines, or the rest. Which of both a line belongs to follows from its
    own words, so that it stays there when others are added, and wherever it is read."""
    return tuple(line for line in lines if is_held_out_line(line) == held_out)


def is_held_out_line(line: str) -> bool:
    words = _SALT + re.sub(r"\W+", " ", line.lower()).strip()
    return hashlib.sha256(words.encode()).digest()[0] % 10 < _HELD_OUT_TENTHS


def _coloured(core: str, mood: Mood, rng: random.Random) -> list[str]:
    parts, generic = [core], openers()[GENERIC].lines
    if mood == "curt" or rng.random() > _COLOUR_SHARE:
        return parts
    place = rng.choice(("before", "after"))
    if lines := generic.get(f"{place} {mood}"):
        parts.insert(0 if place == "before" else 1, rng.choice(lines))
    return parts


def _joined(parts: Sequence[str], mood: Mood, rng: random.Random) -> str:
    text = parts[0]
    for part in parts[1:]:
        if text.endswith((".", "?", "!")):
            text += " " + part
        else:
            text += rng.choice((", ", ". ", ". ", " - ", " ", "... ")) + part
    endings = {"angry": ("!", "!!", "?!", "."), "worried": ("?", "??", "."), "cheerful": ("!", ".", " :)")}
    if text[-1].isalnum() and rng.random() < 0.4:
        text += rng.choice(endings.get(mood, (".", "?", "")))
    return text


def _tidied(text: str) -> str:
    """As somebody writes who takes care: capitals where sentences start."""
    return re.sub(r"(?:^|[.!?] )[a-z]", lambda found: found[0].upper(), text)


_SHORT: dict[str, str] = {
    "you": "u",
    "please": "pls",
    "thanks": "thx",
    "are": "r",
    "your": "ur",
    "because": "cuz",
    "I'm": "im",
    "don't": "dont",
    "can't": "cant",
    "it's": "its",
    "where's": "wheres",
    "haven't": "havent",
    "tomorrow": "tmrw",
}


def _slips(text: str, mood: Mood, rng: random.Random) -> str:
    chances: Iterable[tuple[float, Callable[[str, random.Random], str]]] = (
        (0.12, _abbreviated),
        (0.25, _mistyped),
        (0.08, _mistyped),
        (0.6, _lowered),
        (0.4, _unmarked),
        (0.2 if mood == "angry" else 0.02, _shouted),
    )
    for chance, slip in chances:
        if rng.random() < chance:
            text = slip(text, rng)
    return text


def _abbreviated(text: str, rng: random.Random) -> str:
    return re.sub(r"[\w']+", lambda found: _SHORT.get(found[0], found[0]), text)


def _mistyped(text: str, rng: random.Random) -> str:
    """Two letters swapped, one left out, or one doubled, inside a word of four letters or more."""
    places = [found.start() for found in re.finditer(r"(?<=[A-Za-z])[a-z](?=[a-z]{2})", text)]
    if not places:
        return text
    at = rng.choice(places)
    pair = text[at : at + 2]
    return text[:at] + rng.choice((pair[::-1], pair[1], pair[0] + pair)) + text[at + 2 :]


def _lowered(text: str, rng: random.Random) -> str:
    return text.lower()


def _unmarked(text: str, rng: random.Random) -> str:
    return re.sub(r"[.,;!?']+(?=\s|$)", "", text)


def _shouted(text: str, rng: random.Random) -> str:
    return text.upper()

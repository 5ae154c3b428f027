"""Training pairs out of what people wrote: a prompt as the writer asks it, an answer with its slots open.

A pair teaches what it says, so it is held to the checker that a model's own text has to pass. What
states a fact no slot supplies, names a person or says again what another pair says is left out and
counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ml.types import Fact, Facts
from ml.writer.delexicalise import delexicalise
from ml.writer.grounding import FactsError, check
from ml.writer.prompts import Message, messages

ALIKE = 0.7  # share of word triples in common from which two answers are the same
_GREETING = r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))(?: (?:mr|mrs|ms|miss)\.?)?"
_SIGN_OFF = (
    r"(?:(?:with )?(?:best|kind|warm)(?: regards| wishes)?|regards|best wishes|thanks|thank you|many thanks|"
    r"cheers|sincerely|yours(?: \w+)?|take care)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text that a person wrote or approved, and the facts it was written from.

    `began` is the delexicalised text it was made from, `changed` names the fields that a person changed,
    `private` holds names and addresses that no pair may carry, `aliases` further readings of a slot."""

    id: str
    facts: Facts
    text: str
    subject: str = ""
    preheader: str = ""
    began: str = ""
    changed: tuple[str, ...] = ()
    private: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a file of pairs. `messages` are system, user and assistant; `asked` describes the
    facts behind the prompt without their values; an empty `changed` means approved as it was."""

    id: str
    source: str  # "mail" or "chat"
    messages: list[Message]
    asked: dict[str, Any]
    changed: list[str]

    @property
    def facts(self) -> Facts:
        """Facts that give the same prompt; every display value is its slot's name."""
        slots = {slot: Fact(slot.replace("_", " "), self.id) for slot in self.asked["slots"]}
        rest = {name: value for name, value in self.asked.items() if name not in ("slots", "committed")}
        return Facts(slots=slots, committed=frozenset(self.asked["committed"]), **rest)


@dataclass(slots=True)
class Collected:
    pairs: list[Pair] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class PairsError(ValueError):
    """A file holds no pairs; `str(error)` names the line."""


def collect(written: Iterable[Written], *, mask: Callable[[str], str]) -> Collected:
    """Pairs in the order they come, the first of those that say the same. `mask` hides personal data
    in what a customer wrote."""
    collected, seen = Collected(), _Alike()
    for each in written:
        pair = make_pair(each, mask=mask)
        if isinstance(pair, str):
            collected.left_out[pair] += 1
        elif seen.knows(pair):
            collected.left_out["says what another pair says"] += 1
        else:
            collected.pairs.append(pair)
    return collected


def make_pair(written: Written, *, mask: Callable[[str], str]) -> Pair | str:
    """The pair, or why there is none."""
    facts = written.facts
    asked = _asked(facts, _hidden(mask(facts.customer_text), written.private))
    parts = (written.subject, written.preheader, _plain(written.text, facts, written.private))
    if any("{" in part or "}" in part for part in parts):
        return "a brace in the text"
    try:
        opened = [delexicalise(part, facts, began=written.began, aliases=written.aliases) for part in parts]
        subject, preheader, text = (part.text for part in opened)
        faults = check(text, facts, subject=subject, preheader=preheader)
    except FactsError:
        return "its facts do not carry its situation"
    if any(part.unclear for part in opened):
        return "two facts read the same"
    if _names("\n".join((subject, preheader, text)), written.private):
        return "names a person or a place of theirs"
    if faults:
        return _kind(faults[0])
    pair = Pair(written.id, facts.channel, [], asked, list(written.changed))
    answer: Message = {"role": "assistant", "content": answer_of(text, subject, preheader)}
    pair.messages.extend([*messages(pair.facts), answer])
    return pair


def answer_of(text: str, subject: str = "", preheader: str = "") -> str:
    """A text as a general model writes it; `prompts.read_answer` reads it back."""
    return f"Subject: {subject}\nPreheader: {preheader}\n\n{text}" if subject else text


def write_pairs(pairs: Iterable[Pair], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)
    path.write_text("".join(lines), encoding="utf-8")


def read_pairs(path: Path) -> list[Pair]:
    """Raises PairsError."""
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            pair = Pair(**json.loads(line))
            roles = [message["role"] for message in pair.messages]
        except (ValueError, TypeError, KeyError) as error:
            raise PairsError(f"{path}, line {number}: not a pair ({error})") from error
        if roles[-1:] != ["assistant"]:
            raise PairsError(f"{path}, line {number}: the last message is not the assistant's")
        pairs.append(pair)
    return pairs


def _asked(facts: Facts, customer_text: str) -> dict[str, Any]:
    return {
        "situation": facts.situation,
        "channel": facts.channel,
        "mood": facts.mood,
        "told": facts.told,
        "committed": sorted(facts.committed),
        "slots": sorted(facts.slots),
        "customer_text": customer_text,
    }


def _plain(text: str, facts: Facts, private: Collection[str]) -> str:
    """Without what the product adds itself (a sign-off), nor, in chat, a greeting by name."""
    names = "|".join(re.escape(name) for name in sorted(private, key=len, reverse=True)) or r"(?!)"
    text = re.sub(r"[ \t]+", " ", text).strip()
    text = re.sub(rf"\s+[-–—]?\s*{_SIGN_OFF}?[,.!]?\s*(?:{names})[.!]?$", "", text, flags=re.I)
    if facts.channel == "mail":
        text = re.sub(rf"\n\s*\n{_SIGN_OFF}[,.!]?(?:\n.{{0,60}}){{0,3}}$", "", text, flags=re.I)
        return re.sub(r"\s*\n\s*\n\s*", "\n\n", text).strip()
    text = " ".join(text.split())
    if "first_name" not in facts.slots:
        text = re.sub(rf"{_GREETING} (?:{names})\s*[,.!–—-]*\s+", "", text, flags=re.I)
    return text[:1].upper() + text[1:]


def _names(text: str, private: Collection[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in private if len(name) > 1)


def _hidden(text: str, private: Collection[str]) -> str:
    for name in sorted(private, key=len, reverse=True):
        if len(name) > 1:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[private]", text, flags=re.I)
    return text


_STATES = ("digit", "money", "URL", "email address", "weekday", "month", "relative day", "spelled quantity")


def _kind(fault: str) -> str:
    """The checker's fault as a reason that can be counted."""
    label = re.sub(r"\{\w+\}", "{…}", fault.partition(":")[0])
    return "states a fact that no slot supplies" if label in _STATES else f"refused by the checker: {label}"


class _Alike:
    """Answers met so far, by their word triples."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, ...], list[int]] = {}
        self._sizes: list[int] = []

    def knows(self, pair: Pair) -> bool:
        """Whether an answer to the same situation has nearly the same words; if not, it is met now."""
        triples = _triples(pair)
        shared = Counter(holder for triple in triples for holder in self._holders.get(triple, ()))
        if any(
            count / (len(triples) + self._sizes[holder] - count) >= ALIKE for holder, count in shared.items()
        ):
            return True
        for triple in triples:
            self._holders.setdefault(triple, []).append(len(self._sizes))
        self._sizes.append(len(triples))
        return False


def _triples(pair: Pair) -> set[tuple[str, ...]]:
    """The situation stands before every triple: the same words may answer two of them."""
    words: Sequence[str] = ["", *re.findall(r"[\w{}'’]+", pair.messages[-1]["content"].lower()), ""]
    situation = str(pair.asked["situation"])
    return {(situation, *words[at : at + 3]) for at in range(max(1, len(words) - 2))}

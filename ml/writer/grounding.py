"""No fact without a source: what may be said, whether a draft kept to it, and filling its slots.

`check` reads finished text and knows nothing of the model that wrote it. It is the law; the token
mask of the embedded models only makes breaking it rare.
"""

from __future__ import annotations

import re
from collections import Counter

from ml.types import Channel, Draft, Facts
from ml.writer.claims import claim_faults
from ml.writer.manner import loop_faults, voice_faults
from ml.writer.names import language_faults, name_faults
from ml.writer.rules import SLOT, content_faults, hidden_faults, sentences, words
from ml.writer.situations import COLLAPSIBLE, SITUATIONS, Situation
from ml.writer.themes import theme_faults

_CHAT_WORDS = 90
_CHAT_SENTENCES = 5
_MAIL_WORDS = (50, 170)
_SUBJECT_CHARACTERS = 80  # filled; the corpus aims at 60
_CHAT_RUN, _MAIL_RUN = 6, 9  # words that may not come twice in a row-for-row repetition
_SLOT_TIMES: dict[Channel, int] = {"chat": 1, "mail": 2}
_NAMES = frozenset({"order", "item", "carrier", "shop"})  # what a thing is called may come once more
_LEAVE_AS_IS = frozenset({"email", "tracking_link", "order"})


class FactsError(ValueError):
    """The caller asks for a text that its facts cannot carry."""


def situation_of(facts: Facts) -> Situation:
    """The situation's entry. Raises FactsError where it is unknown or a required fact is missing."""
    situation = SITUATIONS.get(facts.situation)
    if situation is None or situation.channel != facts.channel:
        raise FactsError(f"{facts.situation!r} is not a {facts.channel} situation")
    if missing := sorted(set(situation.required) - COLLAPSIBLE - facts.slots.keys()):
        raise FactsError(f"{facts.situation!r} needs the facts {', '.join(missing)}")
    if undone := sorted(set(situation.acts) - facts.committed):
        raise FactsError(f"{facts.situation!r} tells {', '.join(undone)}, which is not committed")
    return situation


def available(facts: Facts) -> frozenset[str]:
    """The slots a text may use: those of the situation that the facts fill. Half a window is none."""
    held = frozenset(facts.slots) & frozenset(situation_of(facts).slots)
    return held if held >= COLLAPSIBLE else held - COLLAPSIBLE


def required(facts: Facts) -> frozenset[str]:
    """The slots a text must use."""
    return frozenset(situation_of(facts).required) - (COLLAPSIBLE - available(facts))


# What waits for an answer has to ask: for something we lack in any of the ways people do, for a yes by
# a question.
_REQUEST = re.compile(
    r"\?|\b(?:please|need|send|tell me|give me|let me know|look it up|let me have|check that|pick|choose|"
    r"one more thing|missing|half|closed|yet|opens?)\b",
    re.I,
)
_QUESTION = re.compile(r"\?")
_ASKING = {
    **dict.fromkeys(
        ("ask_identity", "ask_proof", "ask_order_number", "address_ask", "which_order", "clarify"), _REQUEST
    ),
    **dict.fromkeys(("cancel_confirm", "address_confirm", "refund_confirm"), _QUESTION),
}


def check(text: str, facts: Facts, *, subject: str = "", preheader: str = "") -> list[str]:
    """Every fault of a delexicalised draft; an empty list means that it may be shown."""
    whole = "\n".join(part for part in (subject, preheader, text) if part)
    return [
        *literal_faults(whole, facts),
        *_slot_faults(text, whole, facts),
        *theme_faults(whole, facts.customer_text),
        *_form_faults(text, whole, facts),
        *(_headline_faults(subject, preheader, facts) if facts.channel == "mail" else ()),
    ]


def literal_faults(text: str, facts: Facts) -> list[str]:
    """Faults of the words around slots, of a whole draft or of a sentence of it: facts stated or hidden,
    names, another language, claims, promises and tone."""
    return [
        *content_faults(text, facts.situation),
        *hidden_faults(text),
        *name_faults(text),
        *language_faults(text),
        *claim_faults(text, facts.situation, facts.committed),
        *voice_faults(text, facts.situation, facts.mood),
    ]


def _slot_faults(text: str, whole: str, facts: Facts) -> list[str]:
    used, allowed = SLOT.findall(whole), available(facts)
    faults = [f"slot {{{slot}}} has no fact" for slot in sorted(set(used) - allowed)]
    faults += [
        f"required {{{slot}}} is not told" for slot in sorted(required(facts) - set(SLOT.findall(text)))
    ]
    told = Counter(SLOT.findall(text))
    faults += [f"slot {{{slot}}} comes too often" for slot in told if told[slot] > most(slot, facts.channel)]
    doubled = [slots for each in sentences(text) if len(slots := SLOT.findall(each)) > len(set(slots))]
    faults += [f"a slot twice in one sentence: {{{slots[0]}}}" for slots in doubled]
    if re.search(r"[{}<>]", SLOT.sub("", whole)):
        faults.append("a brace or a control mark in the text")
    return faults


def most(slot: str, channel: Channel) -> int:
    """How often a text may use a slot."""
    return _SLOT_TIMES[channel] + (slot in _NAMES)


def _form_faults(text: str, whole: str, facts: Facts) -> list[str]:
    faults = []
    length, lines = words(text), sentences(text)
    if facts.channel == "chat":
        if not text.strip() or length > _CHAT_WORDS or len(lines) > _CHAT_SENTENCES:
            faults.append(f"length: {length} words in {len(lines)} sentences")
        if "\n" in text:
            faults.append("more than one paragraph")
    elif not _MAIL_WORDS[0] <= length <= _MAIL_WORDS[1]:
        faults.append(f"length: {length} words")
    if facts.situation in _ASKING and not _ASKING[facts.situation].search(text):
        faults.append("asks for nothing")
    if not text.rstrip().endswith((".", "?", "!", "{quote}", "{tracking_link}")):
        faults.append("breaks off")
    faults += loop_faults(text, _CHAT_RUN if facts.channel == "chat" else _MAIL_RUN)
    if re.search(r"\s[,.;:?!]|[,.;:]{2}|  |\b(\w+) \1\b", whole):
        faults.append("doubled word or stray mark")
    return faults


def _headline_faults(subject: str, preheader: str, facts: Facts) -> list[str]:
    faults = [
        f"no {name}" for name, line in (("subject", subject), ("preheader", preheader)) if not line.strip()
    ]
    if "\n" in subject + preheader:
        faults.append("a headline of several lines")
    if len(fill(subject, facts)) > _SUBJECT_CHARACTERS:
        faults.append("subject too long")
    return faults


def parts(text: str, facts: Facts) -> list[tuple[str, bool]]:
    """(words, whether they fill a slot) in order; joined they are the text as the reader sees it.

    A slot's first letter is raised where a sentence starts, and of two full stops (a quote's own
    and the sentence's) one is dropped."""
    found: list[tuple[str, bool]] = []
    done, at = "", 0
    for match in SLOT.finditer(text):
        literal = _after(done, text[at : match.start()])
        fact = facts.slots.get(match[1])
        display = fact.display if fact else ""
        if _starts_sentence(done + literal) and match[1] not in _LEAVE_AS_IS:
            display = _raised(display)
        found += [(literal, False), (display, True)]
        done += literal + display
        at = match.end()
    found.append((_after(done, text[at:]), False))
    return [(words_, slot) for words_, slot in found if words_]


def fill(text: str, facts: Facts) -> str:
    """The delexicalised text with every slot's display value in its place."""
    return "".join(words_ for words_, _ in parts(text, facts))


def _after(done: str, literal: str) -> str:
    return literal[1:] if done.endswith((".", "?", "!")) and literal.startswith(".") else literal


def _starts_sentence(before: str) -> bool:
    return not before.strip() or bool(re.search(r"(?:[.?!]\s+|\n\s*)$", before))


def _raised(display: str) -> str:
    """First letter upper case, names such as iPhone left alone."""
    return display if display[1:2].isupper() else display[:1].upper() + display[1:]


def pieces(draft: Draft, facts: Facts, size: int = 3) -> list[str]:
    """A checked reply in groups of about `size` words, as it is streamed to the reader.

    A slot's value is never split. Joined, the pieces are exactly the draft's text."""
    units = [""]
    for words_, slot in parts(draft.delexicalised, facts):
        for chunk in [words_] if slot else re.findall(r"\S*\s+|\S+", words_):
            units[-1] += chunk
            if not slot and chunk[-1].isspace():
                units.append("")
    units = [unit for unit in units if unit]
    return ["".join(units[at : at + size]) for at in range(0, len(units), size)]

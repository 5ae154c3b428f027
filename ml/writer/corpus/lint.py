"""Proof that the corpus tells every situation in full, in the voice, and states no fact itself."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ml.types import MOODS, Fact, Facts, Mood
from ml.writer.claims import claim_faults
from ml.writer.corpus import GENERIC, Corpus, Script, Variant
from ml.writer.corpus.compose import (
    ANYBODY,
    GUESTS_ONLY,
    Request,
    compose,
    plans_for,
    tell,
    usable,
)
from ml.writer.corpus.tedium import MAIL_WORDS
from ml.writer.grounding import check
from ml.writer.manner import voice_faults
from ml.writer.names import language_faults, name_faults
from ml.writer.rules import SLOT, content_faults, hidden_faults, words
from ml.writer.situations import COLLAPSIBLE, SITUATIONS, Situation
from ml.writer.themes import THEMES, Theme, theme_faults

_SUBJECT_LENGTH = 60
_HEADLINES = ("subject", "preheader")
_SAMPLES = 30
_CHECKED = 5


def lint(corpus: Corpus) -> list[str]:
    """Every fault found, each with file:line or the situation's name."""
    situations = [entry for entry in SITUATIONS.values() if entry.channel == corpus.channel]
    faults = [fault for script in corpus.scripts.items() for fault in _lines(*script)]
    for situation in situations:
        if situation.name not in corpus.scripts:
            faults.append(f"{corpus.channel}: situation {situation.name!r} has no block")
        else:
            faults += _coverage(corpus, situation)
    return list(dict.fromkeys(faults))


def _lines(name: str, script: Script) -> Iterator[str]:
    for role, variants in script.roles.items():
        if not variants:
            yield f"{name}: role {role!r} has no sentences"
        for variant in variants:
            yield from _line(name, role, variant, variant.moods or _moods(script, role))


def _moods(script: Script, role: str) -> frozenset[Mood]:
    """The moods whose plans use a role; a plan for all of them counts as neutral."""
    plans = [plan for plan in script.plans if any(step.role == role for step in plan.steps)]
    moods = frozenset[Mood]().union(*(plan.moods for plan in plans))
    serves_all = not plans or any(not plan.moods for plan in plans)
    return moods | {"neutral"} if serves_all else moods


def _line(name: str, role: str, variant: Variant, moods: frozenset[Mood]) -> Iterator[str]:
    situation = SITUATIONS.get(name)
    committed = frozenset(situation.acts) if situation else frozenset()
    for expansion in variant.expansions:
        text = expansion.text
        faults = [
            *content_faults(text, name),
            *hidden_faults(text),
            *name_faults(text),
            *language_faults(text),
        ]
        faults += claim_faults(text, name, committed)
        for mood in sorted(moods):
            faults += voice_faults(text, name, mood)
        faults += [*_form(text, role), *theme_faults(text, "")]
        if situation and not expansion.slots <= set(situation.slots):
            extra = sorted(expansion.slots - set(situation.slots))[0]
            if all(not each.slots <= set(situation.slots) for each in variant.expansions):
                faults.append(f"slot {{{extra}}} is never available in {name!r}")
        yield from (f"{variant.where}: {fault} in {text!r}" for fault in faults)


def _form(text: str, role: str) -> list[str]:
    faults = []
    if "  " in text or ".." in text or "{quote}." in text:
        faults.append("doubled punctuation")
    if role not in (*_HEADLINES, "greeting") and not text.endswith((".", "?", "!", "{quote}", ":")):
        faults.append("no full stop at the end")
    return faults


def _coverage(corpus: Corpus, situation: Situation) -> Iterator[str]:
    """Each plan must reach every required slot, in each mood, told before or not, with the window
    or without, and with no optional slot at hand."""
    for request in _requests(situation):
        plans = plans_for(corpus, request)
        if not plans:
            yield f"{situation.name}: no plan for mood {request.mood!r}"
        for plan in plans:
            for step in plan.steps:
                if not corpus.variants(situation.name, step.role):
                    yield f"{plan.where}: role {step.role!r} of {situation.name!r} has no sentences"
            needed = tuple(step for step in plan.steps if not step.optional)
            if tell(corpus, request, needed, random.Random(0)) is None:
                why = _why(corpus, request, plan.where)
                yield f"{plan.where}: {situation.name!r} {_describe(request)}: {why}"
        yield from _checked(corpus, request)
        if corpus.channel == "mail":
            yield from _mail(corpus, request)


def _checked(corpus: Corpus, request: Request) -> Iterator[str]:
    """What the live checker would refuse of composed texts; a model must not learn to be refused."""
    facts = Facts(
        request.situation,
        {slot: Fact(slot, "lint") for slot in request.available},
        request.mood,
        corpus.channel,
        told=int(request.told),
        committed=frozenset(SITUATIONS[request.situation].acts),
    )
    for seed in range(_CHECKED):
        composed = compose(corpus, request, random.Random(seed))
        if composed is None:
            return  # told with the plan that lacks something
        for fault in check(composed.text, facts, subject=composed.subject, preheader=composed.preheader):
            if corpus.channel == "chat" or not fault.startswith("length"):  # how often is `_mail`'s to say
                yield f"{request.situation} {_describe(request)}: {fault} in {composed.text!r}"


def _requests(situation: Situation) -> Iterator[Request]:
    full = frozenset(situation.required)
    windows = [full, full - COLLAPSIBLE] if full & COLLAPSIBLE else [full]
    for mood in MOODS:
        for available in windows:
            for told in (False, True) if situation.channel == "chat" else (False,):
                for verified in _standings(situation.name):
                    yield Request(situation.name, available, mood, told, verified)


def _standings(name: str) -> tuple[bool, ...]:
    return (False,) if name in GUESTS_ONLY else (True, False) if name in ANYBODY else (True,)


def _why(corpus: Corpus, request: Request, where: str) -> str:
    plan = next(plan for plan in plans_for(corpus, request) if plan.where == where)
    reached: set[str] = set()
    for step in plan.steps:
        options = usable(corpus, request, step.role)
        if not options and not step.optional:
            return f"role {step.role!r} has no usable sentence (without optional slots)"
        reached |= {slot for _, expansions in options for each in expansions for slot in each.slots}
    missing = sorted(request.needed - reached)
    return f"required {missing} never told" if missing else "no combination tells all required slots at once"


def _describe(request: Request) -> str:
    notes = [
        request.mood,
        *(["told"] if request.told else []),
        *(["guest"] if not request.verified else []),
        *(["single day"] if request.collapsed else []),
    ]
    return "(" + ", ".join(notes) + ")"


def _mail(corpus: Corpus, request: Request) -> Iterator[str]:
    name = request.situation
    for role in _HEADLINES:
        if not usable(corpus, request, role):
            yield f"{name}: no {role} usable with required slots only {_describe(request)}"
    lengths = []
    for seed in range(_SAMPLES):
        composed = compose(corpus, request, random.Random(seed))
        if composed is None:
            return
        lengths.append(words(composed.text))
        if len(composed.subject) > _SUBJECT_LENGTH + 10:
            yield f"{name}: subject over {_SUBJECT_LENGTH} characters: {composed.subject!r}"
    low, high = MAIL_WORDS
    outside = sum(not low <= length <= high for length in lengths)
    if outside > _SAMPLES // 5:
        yield f"{name} {_describe(request)}: {outside} of {_SAMPLES} bodies are outside {low} to {high} words"


def lint_themes() -> list[str]:
    """Every fault of the themes: what their patterns miss, and what a reply's sentence may not say."""
    return [fault for theme in THEMES.values() for fault in _theme(theme)]


def _theme(theme: Theme) -> Iterator[str]:
    for line in (*theme.says, *theme.held_out):
        if not theme.heard.search(line):
            yield f"{theme.name}: not heard in {line!r}"
    for reply in theme.replies:
        others = [other.name for other in THEMES.values() if other.marks.search(reply.text)]
        if others != [theme.name]:
            yield f"{reply.where}: marked as {others} instead of {theme.name!r} in {reply.text!r}"
        for mood in reply.moods or MOODS[:1]:
            # A colleague's follow-up belongs to no acknowledgment, so none of the exempt situations.
            faults = content_faults(reply.text) + voice_faults(reply.text, "", mood)
            faults += claim_faults(reply.text, "", frozenset())
            yield from (f"{reply.where}: {fault} in {reply.text!r}" for fault in faults)
        if SLOT.search(reply.text):
            yield f"{reply.where}: a slot in {reply.text!r}"


def summary(corpus: Corpus) -> str:
    """How much language there is, for the reader of the check."""
    scripts = {name: script for name, script in corpus.scripts.items() if name != GENERIC}
    variants = {v.where for s in corpus.scripts.values() for vs in s.roles.values() for v in vs}
    return f"{corpus.channel}: {len(scripts)} situations, {len(variants)} hand-written lines"

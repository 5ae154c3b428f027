"""Draw texts from the corpus: one plan, one variant for each of its roles, every needed slot told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ml.types import Mood
from ml.writer.corpus import Corpus, Expansion, Plan, Step, Variant
from ml.writer.rules import SLOT, sentences, words
from ml.writer.situations import COLLAPSIBLE, SITUATIONS

# Own lines of a mood are drawn more often than the ones that serve all moods.
MOOD_SHARE = 0.7
# Of this many drafts the one that repeats itself least is kept.
TRIES = 6
MAIL_WORDS = (60, 150)
CHAT_SENTENCES = 4


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be told: a situation with the slots that its facts hold."""

    situation: str
    available: frozenset[str]
    mood: Mood = "neutral"
    told: bool = False

    @property
    def needed(self) -> frozenset[str]:
        required = frozenset(SITUATIONS[self.situation].required)
        return required - (COLLAPSIBLE - self.available)

    @property
    def collapsed(self) -> bool:
        window = COLLAPSIBLE & frozenset(SITUATIONS[self.situation].slots)
        return bool(window) and not window & self.available


@dataclass(frozen=True, slots=True)
class Composed:
    request: Request
    text: str
    subject: str = ""
    preheader: str = ""


def sample_request(situation: str, rng: random.Random) -> Request:
    """A plausible request: any mood, told before or not, some optional slots, a window or none."""
    entry = SITUATIONS[situation]
    share = rng.choice((0.25, 0.6, 0.9, 1.0))
    available = {slot for slot in entry.optional if rng.random() < share} | set(entry.required)
    if rng.random() < 0.2:
        available -= COLLAPSIBLE
    mood: Mood = rng.choices(("neutral", "worried", "angry", "cheerful", "curt"), (4, 2, 2, 1.5, 1.5))[0]
    return Request(
        situation, frozenset(available), mood, told=entry.channel == "chat" and rng.random() < 0.25
    )


def compose(corpus: Corpus, request: Request, rng: random.Random) -> Composed | None:
    """A text for this request, or None where the corpus cannot tell every needed slot.

    Same corpus, request and random state, same text."""
    plans = plans_for(corpus, request)
    best: tuple[int, Composed] | None = None
    for _ in range(TRIES):
        composed = _draft(corpus, request, rng.sample(plans, len(plans)), rng)
        if composed is None:
            return best[1] if best else None
        cost = _cost(composed)
        if best is None or cost < best[0]:
            best = cost, composed
        if cost == 0:
            break
    return best[1] if best else None


def _draft(corpus: Corpus, request: Request, plans: Sequence[Plan], rng: random.Random) -> Composed | None:
    for plan in plans:
        kept = tuple(step for step in plan.steps if not step.optional or rng.random() < 0.5)
        for steps in (kept, plan.steps, tuple(step for step in plan.steps if not step.optional)):
            text = tell(corpus, request, steps, rng)
            if text is not None:
                return _with_headline(corpus, request, text, rng)
    return None


def _with_headline(corpus: Corpus, request: Request, text: str, rng: random.Random) -> Composed:
    if corpus.channel == "chat":
        return Composed(request, text)
    subject = _pick(corpus, request, "subject", rng)
    preheader = _pick(corpus, request, "preheader", rng, unlike=subject)
    return Composed(request, text, subject, preheader)


def _pick(corpus: Corpus, request: Request, role: str, rng: random.Random, unlike: str = "") -> str:
    options = usable(corpus, request, role)
    if not options:
        return ""
    drawn = [_draw(options, rng).text for _ in range(4)]
    fresh = [text for text in drawn if not set(SLOT.findall(text)) & set(SLOT.findall(unlike))]
    return (fresh or drawn)[0]


def plans_for(corpus: Corpus, request: Request) -> list[Plan]:
    """The most specific plans: told and mood, then told, then mood, then any."""
    plans = corpus.plans(request.situation)
    by_mood = [plan for plan in plans if request.mood in plan.moods]
    anyone = [plan for plan in plans if not plan.moods]
    told = [plan for plan in by_mood if plan.told] or [plan for plan in anyone if plan.told]
    first = [plan for plan in by_mood if not plan.told] or [plan for plan in anyone if not plan.told]
    return (told or first) if request.told else first


def usable(corpus: Corpus, request: Request, role: str) -> list[tuple[Variant, list[Expansion]]]:
    """The variants of a role that fit the request, each with its expansions that do."""
    found = []
    for variant in corpus.variants(request.situation, role):
        if variant.moods and request.mood not in variant.moods:
            continue
        if (variant.collapsed and not request.collapsed) or (variant.told and not request.told):
            continue
        if expansions := [each for each in variant.expansions if each.slots <= request.available]:
            found.append((variant, expansions))
    return found


def tell(corpus: Corpus, request: Request, steps: Sequence[Step], rng: random.Random) -> str | None:
    """One variant for each step so that all needed slots are told, by search with pruning."""
    options = [usable(corpus, request, step.role) for step in steps]
    if any(not each for each in options):
        return None
    reach = [frozenset[str]()]
    for each in reversed(options):
        reach.append(reach[-1] | frozenset().union(*(e.slots for _, es in each for e in es)))
    reach.reverse()
    chosen = _search(options, reach, 0, request.needed, rng)
    if chosen is None:
        return None
    paragraphs: dict[int, list[str]] = {}
    for step, expansion in zip(steps, chosen, strict=True):
        paragraphs.setdefault(step.paragraph, []).append(expansion.text)
    return "\n\n".join(" ".join(parts) for parts in paragraphs.values())


def _search(
    options: list[list[tuple[Variant, list[Expansion]]]],
    reach: list[frozenset[str]],
    at: int,
    missing: frozenset[str],
    rng: random.Random,
) -> list[Expansion] | None:
    if not missing <= reach[at]:
        return None
    if at == len(options):
        return []
    for expansion in _shuffled(options[at], rng):
        rest = _search(options, reach, at + 1, missing - expansion.slots, rng)
        if rest is not None:
            return [expansion, *rest]
    return None


def _shuffled(options: list[tuple[Variant, list[Expansion]]], rng: random.Random) -> list[Expansion]:
    """Candidates in random order, one per distinct slot set and variant; first the drawn one."""
    first = _draw(options, rng)
    rest = []
    for _, expansions in rng.sample(options, len(options)):
        by_slots: dict[frozenset[str], list[Expansion]] = {}
        for expansion in expansions:
            by_slots.setdefault(expansion.slots, []).append(expansion)
        rest += [rng.choice(group) for group in by_slots.values()]
    return [first, *rest]


def _draw(options: list[tuple[Variant, list[Expansion]]], rng: random.Random) -> Expansion:
    """A variant made for this request's mood, told-before or single day goes before a general one."""
    special = [pair for pair in options if pair[0].moods or pair[0].collapsed or pair[0].told]
    pool = special if special and (len(special) == len(options) or rng.random() < MOOD_SHARE) else options
    return rng.choice(rng.choice(pool)[1])


def _cost(composed: Composed) -> int:
    """Slots told twice, a sentence told twice, a text too long or too short."""
    slots = SLOT.findall(composed.text)
    lines = sentences(composed.text)
    cost = len(slots) - len(set(slots)) + 3 * (len(lines) - len(set(lines)))
    if composed.subject:
        low, high = MAIL_WORDS
        return cost + 5 * (not low <= words(composed.text) <= high)
    return cost + 2 * max(0, len(lines) - CHAT_SENTENCES)

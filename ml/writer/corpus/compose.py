"""Draw texts from the corpus: one plan, one variant for each of its roles, every needed slot told."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ml.types import MOODS, Mood
from ml.writer.corpus import Corpus, Expansion, Plan, Standing, Step, Variant
from ml.writer.corpus.tedium import runs, tedium
from ml.writer.rules import SLOT
from ml.writer.situations import COLLAPSIBLE, SITUATIONS
from ml.writer.themes import NEWS, THEMES, themes_for

# Own lines of a mood are drawn more often than the ones that serve all moods.
MOOD_SHARE = 0.7
# Of this many drafts the one that repeats itself least is kept.
TRIES = 6
_OFFERS = frozenset({"offer", "treat", "person", "ask", "next", "change", "missing", "look"})


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be told: a situation with the slots that its facts hold. `verified` says whether
    the customer has proved who they are, `theme` what their message mentions beside its question."""

    situation: str
    available: frozenset[str]
    mood: Mood = "neutral"
    told: bool = False
    verified: bool = True
    theme: str = ""

    @property
    def standing(self) -> Standing:
        return "verified" if self.verified else "guest"

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
    """A text and the customer's message that it answers, which may be empty."""

    request: Request
    text: str
    subject: str = ""
    preheader: str = ""
    customer: str = ""


# Who may be asking: these come before anybody is verified, those may come before or after.
GUESTS_ONLY = frozenset(
    {"ask_identity", "ask_proof", "ask_order_number", "identity_failed", "identity_locked"}
)
ANYBODY = frozenset(
    {
        "policy",
        "policy_unknown",
        "handoff_done",
        "handoff_waiting",
        "complaint",
        "review",
        "greeting",
        "thanks",
        "goodbye",
        "nothing_pending",
        "clarify",
        "out_of_scope",
        "not_understood",
    }
)
_GUEST_SHARE, _TOLD_SHARE, _THEME_SHARE, _PASSED_OVER_SHARE = 0.5, 0.25, 0.35, 0.06
_HELD_OUT_TENTHS = 1


def sample_request(situation: str, rng: random.Random, *, held_out: bool = False) -> Request:
    """A plausible request: any mood, told before or not, verified or not where both can be, some
    optional slots, a window or none, now and then a theme. Never one of those that are held out of
    training, or only those."""
    while True:
        request = _any_request(situation, rng)
        if is_held_out(request) == held_out:
            return request


def _any_request(situation: str, rng: random.Random) -> Request:
    entry = SITUATIONS[situation]
    share = rng.choice((0.25, 0.6, 0.9, 1.0))
    available = {slot for slot in entry.optional if rng.random() < share} | set(entry.required)
    if rng.random() < 0.2:
        available -= COLLAPSIBLE
    mood: Mood = rng.choices(MOODS, (4, 2, 2, 1.5, 1.5))[0]
    guest = situation in GUESTS_ONLY or (situation in ANYBODY and rng.random() < _GUEST_SHARE)
    return Request(
        situation,
        frozenset(available),
        mood,
        told=entry.channel == "chat" and rng.random() < _TOLD_SHARE,
        verified=not guest,
        theme=_any_theme(situation, mood, rng),
    )


def _any_theme(situation: str, mood: Mood, rng: random.Random) -> str:
    """Mostly none, else one that a reply here takes up, and now and then one that it passes over."""
    drawn = rng.random()
    if drawn < _THEME_SHARE and (themes := themes_for(situation, mood)):
        return rng.choice(themes)
    return rng.choice(sorted(THEMES)) if drawn > 1 - _PASSED_OVER_SHARE else ""


def is_held_out(request: Request) -> bool:
    """Whether this scenario is put aside for evaluation: about one in ten, the same ones for ever."""
    scenario = (
        request.situation,
        request.mood,
        request.told,
        request.verified,
        request.theme,
        *sorted(request.available),
    )
    return hashlib.sha256(repr(scenario).encode()).digest()[0] % 10 < _HELD_OUT_TENTHS


def compose(corpus: Corpus, request: Request, rng: random.Random, customer: str = "") -> Composed | None:
    """A text for this request, or None where the corpus cannot tell every needed slot.

    `customer` is the message that it answers: a theme's acknowledgment takes no word from elsewhere.
    Same corpus, request, message and random state, same text."""
    plans = plans_for(corpus, request)
    best: tuple[int, Composed] | None = None
    for _ in range(TRIES):
        composed = _draft(corpus, request, rng.sample(plans, len(plans)), rng, customer)
        if composed is None:
            return best[1] if best else None
        cost = tedium(composed.text, request.available, mail=corpus.channel == "mail")
        if best is None or cost < best[0]:
            best = cost, composed
        if cost == 0:
            break
    return best[1] if best else None


def _draft(
    corpus: Corpus, request: Request, plans: Sequence[Plan], rng: random.Random, customer: str
) -> Composed | None:
    for plan in plans:
        kept = tuple(step for step in plan.steps if not step.optional or rng.random() < 0.5)
        for steps in (kept, plan.steps, tuple(step for step in plan.steps if not step.optional)):
            told = tell(corpus, request, steps, rng)
            if told is not None:
                text = _joined(_acknowledged(told, steps, request, rng, customer))
                return _with_headline(corpus, request, text, customer, rng)
    return None


def _joined(told: Sequence[tuple[int, str]]) -> str:
    paragraphs: dict[int, list[str]] = {}
    for paragraph, text in told:
        paragraphs.setdefault(paragraph, []).append(text)
    return "\n\n".join(" ".join(parts) for parts in paragraphs.values())


def _acknowledged(
    told: list[tuple[int, str]], steps: Sequence[Step], request: Request, rng: random.Random, customer: str
) -> list[tuple[int, str]]:
    """With a sentence that takes up the theme: behind the answer and before any offer, or in front
    where the text asks for something or the sentence is made to come first."""
    if not request.theme:
        return told
    fitting = THEMES[request.theme].acknowledgments(request.situation, request.mood, customer)
    if not fitting:
        return told
    special = [each for each in fitting if each.moods]
    line = rng.choice(special if special and rng.random() < MOOD_SHARE else fitting)
    at = _place(told, steps, request, line.place)
    paragraph = told[max(at - 1, 1 if request.situation.startswith("mail_") else 0)][0]
    return [*told[:at], (paragraph, line.text), *told[at:]]


def _place(told: Sequence[tuple[int, str]], steps: Sequence[Step], request: Request, place: str) -> int:
    if request.situation.startswith("mail_"):  # step 0 is the greeting, the answer a paragraph
        return 1 if place == "before" else sum(paragraph <= told[1][0] for paragraph, _ in told)
    if place == "before" or NEWS[request.situation] == "ask" or (place != "after" and "?" in told[0][1]):
        return 0
    closing = (at for at, step in enumerate(steps) if at and (step.role in _OFFERS or "?" in told[at][1]))
    return next(closing, len(told))


def _with_headline(
    corpus: Corpus, request: Request, text: str, customer: str, rng: random.Random
) -> Composed:
    if corpus.channel == "chat":
        return Composed(request, text, customer=customer)
    subject = _pick(corpus, request, "subject", rng)
    preheader = _pick(corpus, request, "preheader", rng, unlike=subject)
    return Composed(request, text, subject, preheader, customer)


def _pick(corpus: Corpus, request: Request, role: str, rng: random.Random, unlike: str = "") -> str:
    """Of a few lines the one that repeats the least of `unlike`; a subject names the item if it can."""
    options = usable(corpus, request, role)
    if not options:
        return ""
    drawn = [_draw(options, rng).text for _ in range(4)]
    shown = set(SLOT.findall(unlike))
    return min(
        drawn,
        key=lambda text: (
            len(shown & set(SLOT.findall(text))) + 2 * bool(runs(text, 2) & runs(unlike, 2)),
            role == "subject" and "{item}" not in text,
        ),
    )


def plans_for(corpus: Corpus, request: Request) -> list[Plan]:
    """The most specific plans: told and mood, then told, then mood, then any."""
    plans = [plan for plan in corpus.plans(request.situation) if plan.standing in (None, request.standing)]
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
        if variant.standing not in (None, request.standing):
            continue
        if expansions := [each for each in variant.expansions if each.slots <= request.available]:
            found.append((variant, expansions))
    return found


def tell(
    corpus: Corpus, request: Request, steps: Sequence[Step], rng: random.Random
) -> list[tuple[int, str]] | None:
    """(paragraph, variant) for each step so that all needed slots are told, by search with pruning."""
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
    return [(step.paragraph, expansion.text) for step, expansion in zip(steps, chosen, strict=True)]


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
    """A variant made for this request's mood, standing, told-before or single day goes before a
    general one."""
    special = [
        pair
        for pair in options
        if pair[0].moods or pair[0].collapsed or pair[0].told or pair[0].standing is not None
    ]
    pool = special if special and (len(special) == len(options) or rng.random() < MOOD_SHARE) else options
    return rng.choice(rng.choice(pool)[1])

"""What a model says of an estimate, in words that fit into a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from ml.types import Reason

SMALLEST = 0.25  # days; less is not worth a word
MOST = 2  # in one sentence

# (code, direction) → a noun phrase after "The estimate allows for". What is missing here is said nowhere.
PHRASES: dict[tuple[str, str], str] = {
    ("seller", "later"): "slow packing these days",
    ("seller", "sooner"): "quick packing these days",
    ("route", "later"): "slow going on this route",
    ("route", "sooner"): "fast going on this route",
    ("distance", "later"): "the long route",
    ("distance", "sooner"): "the short route",
    ("calendar", "later"): "the days of rest in between",
    ("calendar", "sooner"): "the working days ahead",
    ("holiday", "later"): "the holidays ahead",
    ("load", "later"): "a busy week at the warehouse",
    ("load", "sooner"): "a quiet week at the warehouse",
    ("goods", "later"): "the size of the order",
    ("goods", "sooner"): "the small size of the order",
    ("promise", "later"): "the delivery time that was chosen",
    ("promise", "sooner"): "the delivery time that was chosen",
    ("carrier", "later"): "slow days at the carrier",
    ("carrier", "sooner"): "fast days at the carrier",
    ("progress", "later"): "the wait so far",
    ("progress", "sooner"): "the way it has come already",
    ("shop", "later"): "slower deliveries of late",
    ("shop", "sooner"): "faster deliveries of late",
}


def telling(reasons: Iterable[Reason]) -> list[tuple[Reason, str]]:
    """The reasons that are worth words, the weightiest first, each with its own."""
    found = [
        (reason, PHRASES[reason.code, reason.direction])
        for reason in sorted(reasons, key=lambda reason: -abs(reason.days))
        if abs(reason.days) >= SMALLEST and (reason.code, reason.direction) in PHRASES
    ]
    # two codes may share their words
    return list({words: (reason, words) for reason, words in reversed(found)}.values())[::-1]


def in_a_sentence(reasons: Iterable[Reason]) -> str:
    """ "the long route and a busy week at the warehouse"; empty where nothing weighs much."""
    return " and ".join(words for _, words in telling(reasons)[:MOST])


def chance(share: float) -> str:
    """ "about 9 in 10"; near the ends only a bound, since nothing is certain."""
    tenths = round(10 * share)
    if tenths >= 10:
        return "better than 9 in 10"
    return f"about {tenths} in 10" if tenths else "less than 1 in 10"

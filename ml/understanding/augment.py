"""Variants of an example: a typo, a greeting before it, what people say around it."""

from __future__ import annotations

import random

_OPENINGS = (
    "hi, {}",
    "hello, {}",
    "hey {}",
    "Hi there. {}",
    "good morning, {}",
    "sorry, {}",
    "ok so {}",
    "excuse me, {}",
)
_CLOSINGS = (
    "{} please",
    "{} thanks",
    "{} asap",
    "{}. It's urgent.",
    "{}. Can you help?",
    "{}. This is getting silly.",
    "{}, thank you",
    "{}!!",
)
_STORIES = (
    "I ordered a lamp from you last week. {}",
    "I bought a jacket for my son. {}",
    "So I placed an order on Sunday and paid by card. {}",
    "My order number is DS-10345. {}",
    "{}. I ordered two weeks ago and my order is DS-10345.",
    "{}. It was a present for my sister.",
)


def variants(text: str, *, rng: random.Random, told_at_length: bool) -> list[str]:
    """A few further wordings. `told_at_length` also wraps it into a small story, which
    only fits sentences that ask for something."""
    bare = text.rstrip(".!?")
    made = [rng.choice(_OPENINGS).format(text), rng.choice(_CLOSINGS).format(bare)]
    if told_at_length:
        made.append(rng.choice(_STORIES).format(bare))
    if mistyped := _typo(text, rng):
        made.append(mistyped)
    return made


def _typo(text: str, rng: random.Random) -> str | None:
    """One letter swapped, dropped or doubled inside one longer word."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return None
    place = rng.choice(long)
    word = words[place]
    at = rng.randrange(1, len(word) - 2)
    words[place] = rng.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )
    return " ".join(words)


def disturbed(text: str, rng: random.Random) -> str:
    """As it is typed on a phone: half of the time no capitals and marks, at times with slips."""
    if rng.random() < 0.5:
        text = text.lower().rstrip(".?!")
    elif rng.random() < 0.4:
        text = f"{text[:1].upper()}{text[1:]}" + rng.choice(("", ".", "?", "!", "??"))
    if rng.random() < 0.3:
        text = text.replace("'", "")
    for chance in (0.15, 0.05):
        if rng.random() < chance:
            text = _typo(text, rng) or text
    return text

"""Sentences composed of our own frames: `examples/frames/INTENT.txt` filled from `examples/slots`.

A frame is a line with alternatives, `[where is|wheres] my {thing} [now|]`, and slots, each a file of
words. Its sentences stay together: what is held out is a whole frame, never one filling of it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ml.understanding.augment import disturbed

EXAMPLES = Path(__file__).parent / "examples"
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_TRIES = 4  # draws for each sentence wanted, since a frame of few alternatives repeats itself


@dataclass(frozen=True, slots=True)
class Composed:
    """`frame` is the line it came from, `text` one filling, as somebody in a hurry may type it."""

    frame: str
    label: str
    text: str


def compose(kind: str, *, each: int, seed: int, framed: frozenset[str]) -> list[Composed]:
    """At most `each` different sentences of every frame of a kind ("frames" holds the intents).
    Labels in `framed` ask for something, so a greeting, a story or a closing may stand around them."""
    made: list[Composed] = []
    for path in sorted((EXAMPLES / kind).glob("*.txt")):
        for frame in filter(None, path.read_text(encoding="utf-8").splitlines()):
            rng = random.Random(f"{seed} {path.stem} {frame}")
            drawn = (fill(frame, rng) for _ in range(each * _TRIES))
            plain = list(dict.fromkeys(drawn))[:each]
            texts = [_said(text, rng, told_at_length=path.stem in framed) for text in plain]
            made += [Composed(frame, path.stem, text) for text in texts]
    return made


def fill(frame: str, rng: random.Random) -> str:
    """One of the sentences that a frame stands for."""
    chosen = _CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), frame)
    filled = _SLOT.sub(lambda match: rng.choice(slot(match.group(1))), chosen)
    return re.sub(r" (?=[?,.!])|\s+$|^\s+", "", " ".join(filled.split()))


@cache
def slot(name: str) -> tuple[str, ...]:
    lines = (EXAMPLES / "slots" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line)


def _said(text: str, rng: random.Random, *, told_at_length: bool) -> str:
    """With what people write around it, and how they write it."""
    if told_at_length:
        if rng.random() < 0.15:
            told = rng.sample(slot("story"), rng.choice((1, 1, 2, 3)))
            story = " ".join(fill(line, rng) for line in told)
            text = rng.choice((f"{story} {text}", f"{text}. {story}"))
        if rng.random() < 0.12:
            text = f"{rng.choice(slot('opening'))}{rng.choice((', ', ' ', '. ', '! '))}{text}"
        if rng.random() < 0.12:
            text = f"{text}{rng.choice((' ', ', ', '. '))}{rng.choice(slot('closing'))}"
    return disturbed(text, rng)

"""How varied a set of texts is: repeats, distinct-n and self-BLEU."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[\w{}'’]+|[.,:;?!]")
_JUDGED = 100  # of a set this many texts are compared with all others; more change the mean little


def distinct(texts: Iterable[str], size: int = 3) -> float:
    """Different runs of `size` words over all such runs (Li et al. 2016)."""
    runs = [
        tuple(tokens[at : at + size])
        for tokens in (re.findall(r"[\w{}'’]+", text.lower()) for text in texts)
        for at in range(len(tokens) - size + 1)
    ]
    return len(set(runs)) / max(1, len(runs))


def repeats(texts: Sequence[str]) -> int:
    """How many texts are word for word one of the others before them."""
    return len(texts) - len(set(texts))


def self_bleu(texts: Sequence[str], seed: int = 0) -> float:
    """Mean BLEU-4 of a text against all the others (Zhu et al. 2018); 1 is the same text again and again."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    tokens = [_WORD.findall(text.lower()) for text in texts]
    judged = random.Random(seed).sample(range(len(tokens)), min(_JUDGED, len(tokens)))
    smooth = SmoothingFunction().method1
    scores: list[float] = [
        sentence_bleu(tokens[:at] + tokens[at + 1 :], tokens[at], smoothing_function=smooth) for at in judged
    ]
    return sum(scores) / max(1, len(scores))

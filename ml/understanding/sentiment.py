"""How a message feels: three classes with a score, and one of five moods.

Both are linear heads on the vector that the intents use. What letters alone cannot tell the
encoder (capitals, rows of exclamation marks, swear words) is added by rule.
"""

from __future__ import annotations

import re
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from ml.types import Mood, Sentiment, SentimentLabel
from ml.understanding.head import Head, Probabilities

SENTIMENTS: tuple[SentimentLabel, ...] = get_args(SentimentLabel)
OF_MOOD: dict[Mood, SentimentLabel] = {
    "angry": "negative",
    "worried": "negative",
    "cheerful": "positive",
    "neutral": "neutral",
    "curt": "neutral",
}

# A mood other than neutral changes how we answer, so it has to be likelier than not.
MOOD_LEVEL = 0.5

_SWEARING = re.compile(
    r"\b(?:f+u+c+k\w*|wtf|ffs|shit\w*|bullshit|bloody|damn\w*|crap\w*|piss(?:ed|ing)|bastards?|arse\w*|"
    r"assholes?|idiots?|morons?|useless|scam\w*|thieves)\b",
    re.I,
)
_CURT_LETTERS = 12


def feel(probabilities: Probabilities, head: Head) -> Sentiment:
    """From one row (k,) of the sentiment head. The score is P(positive) - P(negative)."""
    of = dict(zip(head.labels, probabilities.tolist(), strict=True))
    label = cast(SentimentLabel, max(of, key=lambda name: of[name]))
    return Sentiment(label, round(of["positive"] - of["negative"], 4))


def mood_of(text: str, probabilities: Probabilities, head: Head) -> Mood:
    """From one row (k,) of the mood head and the marks of anger in the text itself."""
    of = dict(zip(head.labels, probabilities.tolist(), strict=True))
    anger = of["angry"] + 0.25 * heat(text)
    if anger >= MOOD_LEVEL and anger > of["cheerful"]:
        return "angry"
    best = max(of, key=lambda name: of[name])
    if best == "angry" or of[best] < MOOD_LEVEL:
        return "neutral"
    if best == "curt" and len(text.split()) > 6:  # a long message is many things, but not curt
        return "neutral"
    return cast(Mood, best)


def heat(text: str) -> int:
    """Marks of anger that the encoder cannot see: 0 to 3."""
    letters = [character for character in text if character.isalpha()]
    shouted = len(letters) >= _CURT_LETTERS and sum(map(str.isupper, letters)) > 0.7 * len(letters)
    return int(shouted) + int("!!" in text or "?!" in text) + 2 * int(bool(_SWEARING.search(text)))


def balanced(labels: NDArray[np.str_], *, per_label: int, seed: int) -> NDArray[np.int64]:
    """Indices of at most `per_label` rows of each label, in their own order."""
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(labels == name))[:per_label] for name in np.unique(labels)]
    return np.sort(np.concatenate(chosen))

"""How a message feels: three classes with a score, one of five moods, how urgent it is, and flags.

All are linear heads on the vector that the intents use. What letters alone cannot tell the
encoder (capitals, rows of exclamation marks, swear words) is added by rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast, get_args

from ml.types import Flag, Flags, Mood, Sentiment, SentimentLabel
from ml.understanding.artifact import Artifact
from ml.understanding.encoder import Vectors
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


FLAGS: tuple[Flag, ...] = get_args(Flag)
_HASTE = re.compile(
    r"\b(?:urgent\w*|asap|immediately|right now|right away|today|tonight|tomorrow|emergency|wedding|funeral|"
    r"birthday|deadline|hurry)\b",
    re.I,
)
_HASTE_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Feeling:
    """What one message feels like; `urgency` is the chance that any of anger, a threat to leave and
    haste (which counts for little by itself) calls for a person."""

    sentiment: Sentiment
    mood: Mood
    urgency: float
    flags: Flags


def read(text: str, vectors: Vectors, artifact: Artifact) -> Feeling:
    """From the text and its one row of vectors (1, 768)."""
    of = {name: head.probabilities(vectors)[0] for name, head in artifact.heads.items() if name != "intents"}
    flags = flags_of({name: _chance(artifact.heads[name], of[name], name) for name in FLAGS}, artifact.flags)
    moods = artifact.heads["moods"]
    anger = min(1.0, _chance(moods, of["moods"], "angry") + 0.25 * heat(text))
    haste = _HASTE_WEIGHT * bool(_HASTE.search(text))
    mood = mood_of(text, of["moods"], moods)
    return Feeling(
        sentiment=feel(of["sentiment"], artifact.heads["sentiment"], angry=mood == "angry"),
        mood=mood,
        urgency=round(1 - (1 - anger) * (1 - flags.leaving) * (1 - haste), 4),
        flags=flags,
    )


def flags_of(chances: dict[Flag, float], levels: dict[str, float]) -> Flags:
    """A flag is raised where its chance reaches its level."""
    return Flags(
        **{name: round(chance, 4) for name, chance in chances.items()},
        raised=tuple(name for name in FLAGS if chances[name] >= levels[name]),
    )


def _chance(head: Head, probabilities: Probabilities, label: str) -> float:
    return float(probabilities[head.labels.index(label)])


def feel(probabilities: Probabilities, head: Head, *, angry: bool = False) -> Sentiment:
    """From one row (k,) of the sentiment head. The score is P(positive) - P(negative). Who is angry is not
    neutral, whatever the words alone say."""
    of = dict(zip(head.labels, probabilities.tolist(), strict=True))
    if angry:
        of["negative"], of["neutral"] = of["negative"] + of["neutral"], 0.0
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

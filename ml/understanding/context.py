"""Short answers, read from what we have just asked.

`pending` is the open question: "confirm" (yes or no), "identity", "address", "which_order" or
"choice". An unknown value counts as no question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ml.types import Entity, EntityKind
from ml.understanding.text import without

_YES = (
    r"y|yes+|yep|yeah+|yup|ye|yea|yh|ok+|okay|okey|k|sure|of course|certainly|definitely|absolutely|correct|"
    r"that'?s (?:right|correct|fine|it|the one)|right|alright|fine|go ahead|go for it|do it|please do|"
    r"i'?m sure|i am sure|confirm(?:ed)?|i confirm|agreed|sounds good|si|oui|ja"
)
_NO = (
    r"n|no+|nope|nah|no way|not now|not yet|don'?t|do not|do not do (?:it|that)|don'?t do (?:it|that)|"
    r"never ?mind|nvm|forget it|leave it|keep it|stop|wait|negative|nein|non"
)
_FILLER = r"please|pls|plz|thanks|thank you|thx|then|mate|now|it|that|is fine|i'?m sure|i am sure"


def _only(words: str) -> re.Pattern[str]:
    """These words and the small ones around them, and nothing else."""
    return re.compile(rf"(?:{words})(?:[\s,.!]+(?:{_FILLER}|{words}))*[\s.!]*", re.I)


_AFFIRM = _only(_YES)
_DENY = _only(_NO)
# "Yes, cancel it" repeats what we asked; anything beyond these words is a request of its own.
_YES_AGAIN = re.compile(
    rf"(?:{_YES})(?:[\s,.!]+(?:{_FILLER}|{_YES}|cancel|refund|return|change|update|send|email|use|order|address|"
    r"me|my|the|this|them|i|i'?d|want|would|like|to|just|so))*[\s.!]*",
    re.I,
)
_DENY_CLAUSE = re.compile(r"(?:no+|nope|nah)\b[\s,.!]*(?:don'?t|do not|leave|keep|forget|stop|not)\b", re.I)
_THUMBS = {"👍": "affirm", "✅": "affirm", "👌": "affirm", "👎": "deny", "❌": "deny"}
_THUMB_UNASKED = {"affirm": "thanks"}  # a thumb up where nothing was asked is a nod
_TONES = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff\\s]")

_PICK = re.compile(
    r"(?:the |option |number |no\.? ?|#)?"
    r"(?:[1-9]|one|two|three|four|five|first|second|third|fourth|fifth|last|latest|newest|oldest|older|newer|"
    r"former|latter|top|bottom|most recent|other|both|either)"
    r"(?: one| order| option)?(?: please| pls| thanks)?[\s.!]*",
    re.I,
)
_ASKS = re.compile(
    r"\?|\b(?:but|wait|actually|instead|how|what|when|where|why|who|which|can|could|before|first tell)\b",
    re.I,
)
_ACT = re.compile(r"\b(?:cancel\w*|refund\w*|return\w*|change\w*|delete\w*)\b", re.I)
_NEGATION = re.compile(r"\b(?:no|not|never|nope|nah|dont|keep|stop|leave)\b|n['’]t\b", re.I)
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?,? +[a-z]"
    r"|\b(?:flat|apt|apartment|street|road|lane|avenue|close|drive|court|place|st|rd|ave)\b",
    re.I,
)

_SHORT = 60  # characters; what is longer is no short answer, and not worth matching
_SMALL = re.compile(r"[\W_]|\band\b", re.I)

_BOOSTS: dict[str, dict[str, float]] = {
    "confirm": {"affirm": 6.0, "deny": 6.0},
    "identity": {"inform": 3.0},
    "address": {"inform": 4.0},
    "which_order": {"inform": 4.0},
    "choice": {"inform": 3.0},
}
_CARRIES = {"identity": 12.0, "address": 8.0, "which_order": 12.0, "choice": 4.0}
# what a message mentions where it answers the question; a day or a sum says something of its own
_IDENTITY: frozenset[EntityKind] = frozenset({"order_number", "email", "postcode"})
_ANSWERS: dict[str, frozenset[EntityKind]] = {
    "identity": _IDENTITY,
    "address": frozenset({"postcode"}),
    "which_order": _IDENTITY | {"product"},
    "choice": _IDENTITY,
}


def settled(text: str, entities: Sequence[Entity], pending: str | None) -> str | None:
    """The intent of an answer so short that its words decide: yes, no, a pick, a bare number or thing."""
    if entities and not _SMALL.sub("", without(text, entities)):
        return "inform"
    words = " ".join(text.replace("’", "'").split())
    if len(words) > _SHORT:
        return None
    if thumb := _THUMBS.get(_TONES.sub("", text)):
        return thumb if pending == "confirm" else _THUMB_UNASKED.get(thumb)
    if pending in ("choice", "which_order") and _PICK.fullmatch(words):
        return "inform"
    if _AFFIRM.fullmatch(words) or (pending == "confirm" and _YES_AGAIN.fullmatch(words)):
        return "affirm"
    if _DENY.fullmatch(words) or (pending == "confirm" and _declines(words)):
        return "deny"
    return None


def _declines(words: str) -> bool:
    """Whether it is "no, leave it" and not "no, but where is it?"."""
    return bool(_DENY_CLAUSE.match(words)) and not _ASKS.search(words)


def weigh(
    ranking: Mapping[str, float], text: str, entities: Sequence[Entity], pending: str | None
) -> dict[str, float]:
    """Probabilities after the open question has shifted the odds; they still sum to one."""
    factors = dict(_BOOSTS.get(pending or "", {}))
    if pending == "confirm" and _ASKS.search(text):  # "yes, but when would it come?" is no plain yes
        factors = {"affirm": 0.3}
    elif pending == "confirm" and _ACT.search(text) and not _NEGATION.search(text):  # "cancel it please"
        factors = {"deny": 0.2}
    answers = any(entity.kind in _ANSWERS.get(pending or "", ()) for entity in entities)
    if "inform" in factors and (answers or (pending == "address" and _STREET.search(text))):
        factors["inform"] *= _CARRIES.get(pending or "", 1.0)
    shifted = {intent: chance * factors.get(intent, 1.0) for intent, chance in ranking.items()}
    total = sum(shifted.values())
    return {intent: chance / total for intent, chance in shifted.items()}

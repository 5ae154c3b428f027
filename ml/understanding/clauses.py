"""The parts of a message: what it asks beside its main point, and what it names only to refuse it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 4  # parts that are looked at
_READ = 500  # characters; who writes more tells a story
_LEAST_WORDS = 2

_ENDS = re.compile(
    r"[.?!;]+(?:\s|$)|\n|,? ?\b(?:and also|and then|and while|also|as well as|plus|and|then)\b "
    r"| *[+&] +|, (?=(?:can|could|how|what|when|where|is|do|please|i)\b)",
    re.I,
)

# "It has not been sent yet" beside "please take it back" tells; "when is it sent" would ask.
_BEFORE = (
    r"(?:(?:so|but|even though|although|because|since|sadly|unfortunately|now|then|also|well|hello|hi|"
    r"dear \w+)\b,? )*"
)
_SOMEBODY = re.compile(
    rf"{_BEFORE}(?:i|we|it|he|she|they|you|there|nobody|nothing|everything)\b\S*\s+\w", re.I
)
_SOMETHING = re.compile(rf"{_BEFORE}(?:this|that|the|my|our|your|his|her|their|these|those)\b", re.I)
_VERB = re.compile(
    r"\b(?:is|are|am|was|were|be|been|has|have|had|did|does|do|will|would|said|says|told|got|took|came|went|bought|"
    r"paid|sent|gave|found|thought|\w{2,}(?:ed|n't|n’t))\b|\b(?:i|we|it|you)['’](?:m|ve|d|s|re)\b",
    re.I,
)
_WISH = re.compile(
    r"\?|\b(?:please|want|wanted|wish|need|like|prefer|hoping|how|what|when|where|which|why|who|whether|"
    r"let me|tell me|(?:can|could|will|would|may|shall) (?:you|u|i|it|we|someone|somebody))\b",
    re.I,
)
_NEGATION = r"(?:do not|don['’]?t|did not|didn['’]?t|am not|i['’]?m not|im not|was not|wasn['’]?t|not|never)"
_ACTS = r"(?:cancel|refund|return|delete|close|change)"
_THINGS = r"(?:refund|money back|replacement|invoice|agent|human|person|cancellation|return|discount|voucher)"
_REFUSED = re.compile(
    rf"\b{_NEGATION}\s+(?:"
    r"(?:(?:really|actually|even|just)\s+)?(?:want(?:ed|ing)?|wanna|wish(?:ing)?|need(?:ing)?|going|planning|trying|"
    r"looking|ask(?:ed|ing)?|mean(?:t)?|here|tell(?:ing)?|say(?:ing)?|said)\s+"
    rf"(?:(?:you|u|anyone|them)\s+)?(?:(?:to|for)\s+(?P<act>[^.,;!?\n]{{2,60}})|(?:a|an|any|my|the)?\s*(?P<thing>{_THINGS})\b)"
    rf"|(?P<bare>{_ACTS}\w*\b[^.,;!?\n]{{0,40}})|(?:be\s+)?(?P<passive>{_ACTS}\w*\b[^.,;!?\n]{{0,40}}))",
    re.I,
)
_TURN = re.compile(r"\s+(?:but|just|only|i just|instead|rather|so|please)\b.*$", re.I | re.S)
_JOINER = re.compile(
    r"^[\s,.;:!-]*(?:(?:i|but|just|only|and|so|please|pls|ok|thanks|instead)\b[\s,]*)*", re.I
)
_WANTS_NO_MORE = re.compile(r"\b(?:any ?more|any longer|want it\b|to wait\b|to pay\b|to be)", re.I)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`refused` is the act without its negation ("cancel my order"); `rest` what else is said, or ""."""

    refused: str
    rest: str


def parts(text: str) -> list[str]:
    """What can be asked apart, in order; empty where the message is of one piece. Of many, what asks."""
    found = [piece.strip(" ,.!?-") for piece in _ENDS.split(_tidy(text))]
    found = [piece for piece in found if len(piece.split()) >= _LEAST_WORDS]
    kept = sorted(sorted(range(len(found)), key=lambda place: tells(found[place]))[:MOST])
    return [found[place] for place in kept] if len(found) > 1 else []


def core(parts: Sequence[str]) -> str:
    """What of a story asks, where some of its parts do and some only tell; else ""."""
    asking = [part for part in parts if not tells(part)]
    return ". ".join(asking) if 0 < len(asking) < len(parts) else ""


def asks(part: str) -> bool:
    """Whether a part holds a question or a wish in so many words."""
    return bool(_WISH.search(part))


def tells(part: str) -> bool:
    """Whether a part only tells what is or was: a statement with no question and no wish in it."""
    if asks(part):
        return False
    return bool(_SOMEBODY.match(part) or (_SOMETHING.match(part) and _VERB.search(part)))


def refusal(text: str) -> Refusal | None:
    """ "I don't want to cancel, where is it" refuses "cancel" and leaves "where is it"."""
    plain = _tidy(text).replace("’", "'")
    match = _REFUSED.search(plain)
    if match is None or _WANTS_NO_MORE.search(plain):
        return None
    refused = next(group for group in match.groups() if group)
    act = _TURN.sub("", refused)
    cut = match.end() - (len(refused) - len(act))
    after = _JOINER.sub("", plain[cut:]).strip(" .,!")
    before = plain[: match.start()].strip(" .,!")
    before = re.sub(r"\b(?:i|no|please|but|pls)$", "", before, flags=re.I).strip(" .,!")
    rest = after if len(after.split()) >= _LEAST_WORDS else before
    return Refusal(act.strip(), rest if len(rest.split()) >= _LEAST_WORDS else "")


def _tidy(text: str) -> str:
    """The beginning, with single spaces: patterns stay fast on rows of blanks."""
    return "\n".join(" ".join(line.split()) for line in text[:_READ].splitlines())

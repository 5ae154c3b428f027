"""Slips of the thumb and short forms, put right before the encoder reads: "wheres my pasrel" has word pieces
that no training sentence has.

A word that neither English (the tokenizer's own vocabulary) nor we know becomes the nearest word of our
examples, if one is near. What is known stays, and so do names, numbers and other languages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

_WORD = re.compile(
    r"(?<![\w@.#&/'’-])(?:[A-Za-z]+\d?[A-Za-z]*|\d[A-Za-z]+)(?:['’][A-Za-z]+)?(?![\w@#/'’-]|\.\w)"
)
_FREQUENT = 4  # times that a word which English does not have stands in our examples
_LEAST, _LONG = 3, 6  # letters of a word that is put right, and those from which two slips are forgiven
_DOUBLED = re.compile(r"(.)\1+")

# What thumbs leave out. Words that are also English ("ill", "id", "were") are not among them.
SHORT_FORMS: dict[str, str] = {
    short: whole
    for line in """
u you|ur your|r are|k ok|pls please|plz please|plse please|pleas please|thx thanks|thnx thanks|
tnx thanks|ty thanks|tks thanks|wen when|wat what|wot what|wht what|wut what|wher where|wer where|
whr where|wil will|wll will|hav have|hv have|giv give|gv give|gimme give me|lemme let me|wanna want to|
gonna going to|gotta have to|dunno don't know|abt about|bout about|coz because|cuz because|cos because|
msg message|spk speak|tlk talk|sum1 someone|some1 someone|any1 anyone|no1 no one|ppl people|
tmrw tomorrow|tmr tomorrow|tmw tomorrow|2moro tomorrow|2day today|2nite tonight|b4 before|l8 late|
l8r later|gr8 great|m8 mate|wk week|wks weeks|hrs hours|mins minutes|acc account|acct account|
addy address|addr address|adr address|pw password|pwd password|pword password|deliv delivery|ord order|
oder order|ordr order|odr order|qty quantity|amt amount|num number|nr number|info information|ph phone|
eta estimated time of arrival|btw by the way|idk I don't know|im I'm|ive I've|dont don't|cant can't|
wont won't|didnt didn't|doesnt doesn't|isnt isn't|arent aren't|wasnt wasn't|werent weren't|hasnt hasn't|
havent haven't|hadnt hadn't|couldnt couldn't|wouldnt wouldn't|shouldnt shouldn't|wheres where's|
whats what's|whens when's|hows how's|whos who's|whys why's|thats that's|theres there's|heres here's|
youre you're|youve you've|youll you'll|theyre they're|theyve they've|weve we've|itll it'll|
thatll that'll|aint isn't|nope no|yea yes|yeh yes|yh yes|recieve receive|recieved received|teh the|
adn and|adress address|
""".replace("\n", "").split("|")
    if line
    for short, _, whole in [line.partition(" ")]
}


class Speller:
    """Holds the words of our examples, the most frequent first; `english` is what needs no help."""

    def __init__(self, words: Sequence[str], english: Iterable[str]) -> None:
        self.words = tuple(words)
        self._known = set(english) | set(words)
        self._likely = [word for word in words if len(word) >= _LEAST]
        self._bones = {_bones(word): word for word in reversed(self._likely)}

    def correct(self, text: str) -> str:
        """The same text with its slips put right; case does not matter to the encoder."""
        return _WORD.sub(lambda match: self._meant(match.group()), text)

    def _meant(self, word: str) -> str:
        low = word.lower()
        if whole := SHORT_FORMS.get(low):
            return whole
        if len(low) < _LEAST or low in self._known or not low.isalpha():
            return word
        if same := self._bones.get(_bones(low)):
            return same
        slips = 2 if len(low) >= _LONG else 1
        near = process.extractOne(low, self._likely, scorer=OSA.distance, score_cutoff=slips)
        if near is None or near[0][0] != low[0] or len(near[0]) == len(low) == _LEAST:
            return word  # "bom" is no "box"
        return near[0]


def lexicon(texts: Iterable[str], english: Iterable[str]) -> list[str]:
    """The words of these texts, the most frequent first; what is no English has to be frequent, since a
    slip is not."""
    allowed = set(english)
    counts = Counter(word.lower() for text in texts for word in re.findall(r"[A-Za-z]+", text))
    common = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        word
        for word, count in common
        if len(word) >= _LEAST and count >= (2 if word in allowed else _FREQUENT)
    ]


def _bones(word: str) -> str:
    """What is left when doubled letters are one and a silent e is gone: "ariv" and "arrive" are alike."""
    return _DOUBLED.sub(r"\1", word).removesuffix("e")

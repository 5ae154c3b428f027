"""Which words are ordinary: the corpus' own, a hand-written list, and their regular endings.

A name is a word that is none of these, and so is another language. `words.txt` can grow freely; a
word in it may open a sentence, and nothing else follows from it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_SHORT = re.compile(r"(?:'(?:s|ll|d|ve|re|m)|n't)$")
# what is taken off a word, and what may stand in its place
_ENDINGS = (
    ("ies", ("y",)),
    ("ied", ("y",)),
    ("ier", ("y",)),
    ("iest", ("y",)),
    ("ily", ("y",)),
    ("ing", ("", "e")),
    ("est", ("", "e")),
    ("ed", ("", "e")),
    ("er", ("", "e")),
    ("es", ("", "e")),
    ("ly", ("", "e")),
    ("s", ("",)),
)
_PREFIXES = ("un", "re", "non", "over", "mis")


@lru_cache(maxsize=1)
def ordinary() -> frozenset[str]:
    """Every word written in lower case in the list or in the corpus' files, slots apart. What
    customers say, in its themes, does not count."""
    folders = (HERE / "corpus" / "chat", HERE / "corpus" / "mail")
    texts = [HERE / "words.txt", *(path for folder in folders for path in sorted(folder.glob("*.txt")))]
    raw = "\n".join(path.read_text(encoding="utf-8") for path in texts).replace("’", "'")
    lines = (line for line in raw.splitlines() if not line.startswith((";", "=", "plan")))
    return frozenset(
        word
        for line in lines
        for word in re.findall(r"(?<![\w'])[a-z][a-z']*", re.sub(r"\{\w*\}", " ", line))
    )


@lru_cache(maxsize=65536)
def is_ordinary(word: str) -> bool:
    """Whether a word, in any case, is a plain English word that we know. Hyphens join several."""
    parts = [part for part in word.lower().replace("’", "'").split("-") if part]
    return bool(parts) and all(_known(part) for part in parts)


def _known(word: str) -> bool:
    if not _WORD.fullmatch(word):
        return False
    words = ordinary()
    if word in words or (bare := _SHORT.sub("", word)) in words:
        return True
    return any(stem in words for stem in _stems(bare)) or any(
        bare.removeprefix(prefix) in words for prefix in _PREFIXES if bare.startswith(prefix)
    )


def _stems(word: str) -> list[str]:
    found = []
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word.removesuffix(ending)
            found += [stem + letter for letter in instead]
            if stem[-1] == stem[-2] and ending in ("ing", "ed", "er", "est"):
                found.append(stem[:-1])
    return found

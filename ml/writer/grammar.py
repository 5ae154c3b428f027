"""A grammar that keeps any model to the form of a draft: plain words, and slots only when whole.

It is written in llama.cpp's GBNF for one request. It rules out digits, links, addresses, markup,
other scripts and slots without a fact while a model decodes, at the cost of two or three open
readings of the text. Words (days, months, numbers, names, promises) are left to the checker: a
regular language without them would hold a state for every beginning of each of them.
"""

from __future__ import annotations

from ml.types import Facts
from ml.writer.grounding import available

# A word needs a space or a mark behind it, and a full stop needs a space, so "shop.example" is none.
_WORDS = r"""
token ::= "("? (word | slot) ")"?
word ::= [A-Za-z] ([A-Za-z] | ['’-] [A-Za-z])*
gap ::= [,;:]? " " | " – " | [.?!] " "
sentences ::= (token gap)* (token [.?!] | last)
"""
_CHAT = """
root ::= sentences
"""
_MAIL = r"""
root ::= "Subject: " line "\n" "Preheader: " line "\n\n" greeting ",\n\n" sentences ("\n\n" sentences)*
line ::= token (gap token)* [.?!]?
greeting ::= token (" " token)*
"""
# These bring their own last mark: a quote its full stop, and a link must not be followed by one.
_LAST = ("quote", "tracking_link")


def grammar(facts: Facts) -> str:
    """The grammar of drafts that these facts can carry, GBNF with the start symbol `root`.

    Raises FactsError where the facts cannot carry their situation."""
    slots = sorted(available(facts))
    last = [slot for slot in slots if slot in _LAST]
    rules = [
        f"slot ::= {_any(slots)}" + (' "\'s"?' if slots else ""),
        f"last ::= {_any(last)}",
    ]
    return (_CHAT if facts.channel == "chat" else _MAIL) + _WORDS + "\n".join(rules) + "\n"


def _any(slots: list[str]) -> str:
    """One of these slots; without any, what no text can hold."""
    return "(" + " | ".join(f'"{{{slot}}}"' for slot in slots) + ")" if slots else "[\\x00]"

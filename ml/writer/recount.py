"""A second count of what finished texts state and promise, by other means than the checker's.

The checker reads patterns in text with open slots. Here the filled text is read word by word: what the
facts display is cut out, and of the rest each word is looked up. A draft that the checker let pass by
a hole in a pattern shows up here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from ml.types import Draft, Facts

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("january", "february", "april", "june", "july", "august", "september", "october")
_TIMES = frozenset(
    (
        *(day + ending for day in _DAYS for ending in ("", "s")),
        *(*_MONTHS, "november", "december", "mon", "tue", "tues", "thu", "thur", "thurs", "fri"),
        *("jan", "feb", "apr", "jun", "jul", "aug", "sept", "oct", "nov", "dec"),
        *("tomorrow", "yesterday", "tonight", "overnight", "noon", "midnight", "fortnight", "weekend"),
        *("christmas", "easter"),
    )
)
_AMOUNTS = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "million",
        "dozen",
        "couple",
        "pounds",
        "dollars",
        "euros",
        "pence",
        "cents",
        "quid",
        "percent",
    ]
)
_LINKS = ("http", "www", "@", "://", ".com", ".org", ".net", ".co.")
_MAY_TELL_TODAY = "order_out_for_delivery"

# Outcomes by the beginnings of their words, and the act that allows each.
_OUTCOMES = {
    "refund": "",
    "reimburs": "",
    "compensat": "",
    "credited": "",
    "replac": "",
    "voucher": "",
    "discount": "",
    "cancel": "cancelled",
    "redirect": "address_changed",
    "escalat": "handed_over",
    "emailed": "email_queued",
    "arrang": "",
    "expedit": "",
    "prioriti": "",
    "guarant": "",
    "approv": "",
    "paid": "",
}
# Situations that tell an outcome as an old or a possible one: a beginning of a word → where.
_TOLD = {
    "refund": ("refund_", "mail_refund", "cancel_", "mail_cancelled", "order_cancelled", "order_returning"),
    "cancel": ("cancel_", "order_cancelled", "mail_cancelled", "refund_", "mail_timeline_other"),
    "paid": ("refund_", "mail_refund", "mail_invoice", "cancel_", "mail_cancelled"),
    "approv": ("refund_", "mail_refund"),
    "redirect": ("address_",),
    "emailed": ("email_", "invoice_"),
}
_ASSERTS = frozenset(
    [
        "have",
        "has",
        "had",
        "'ve",
        "been",
        "was",
        "were",
        "is",
        "are",
        "'ll",
        "will",
        "be",
        "i'm",
        "we're",
        "am",
        "it's",
        "that's",
        "you'll",
    ]
)
_SOFTENS = frozenset(
    [
        "if",
        "would",
        "could",
        "can",
        "may",
        "might",
        "shall",
        "should",
        "once",
        "whether",
        "no",
        "not",
        "never",
        "nothing",
        "nobody",
        "cannot",
        "until",
        "before",
        "unless",
        "to",
        "ask",
        "want",
        "like",
        "about",
        "any",
        "for",
        "of",
        "policy",
        "request",
        "requests",
    ]
)
_REACH = 5  # words before an outcome that bear on it


def unsupported(draft: Draft, facts: Facts) -> list[str]:
    """Each thing that the finished text states beyond the facts' own displays."""
    rest = _without_displays("\n".join((draft.subject, draft.preheader, draft.text)), facts)
    found = [mark for mark in _LINKS if mark in rest.lower()]
    found += [sign for sign in rest if unicodedata.category(sign) in ("Nd", "Nl", "No", "Sc", "Cf", "So")]
    words = list(_words(rest))
    found += [word for word in words if word in _TIMES or any(part in _AMOUNTS for part in word.split("-"))]
    if facts.situation != _MAY_TELL_TODAY:
        found += [word for word in words if word == "today"]
    return found + _capitals(rest)


def false_promises(text: str, facts: Facts) -> list[str]:
    """Outcomes that the text asserts or promises though the facts carry no such act: for each the words
    around it. `text` is a finished text."""
    found = []
    for sentence in _sentences(_without_displays(text, facts)):
        if sentence.endswith("?"):
            continue
        words = list(_words(sentence))
        for at, word in enumerate(words):
            before = words[max(0, at - _REACH) : at]
            if _is_promised(word, before, words[:at], facts):
                found.append(" ".join([*before, word]))
    return found


def _is_promised(word: str, before: list[str], clause: list[str], facts: Facts) -> bool:
    stem = next((stem for stem in _OUTCOMES if word.startswith(stem) and word != "refunds"), None)
    if stem is None or (_OUTCOMES[stem] and _OUTCOMES[stem] in facts.committed):
        return False
    if facts.situation.startswith(_TOLD.get(stem, ("-",))):
        return False
    softened = any(each in _SOFTENS or each.endswith("n't") for each in clause[-2 * _REACH :])
    return not softened and any(each in _ASSERTS or each.endswith(("'ve", "'ll")) for each in before)


def _without_displays(text: str, facts: Facts) -> str:
    """The text with each display value, in any case, replaced by a mark that is no word."""
    for display in sorted((fact.display for fact in facts.slots.values()), key=len, reverse=True):
        wanted = display.rstrip(".").lower()
        at = text.lower().find(wanted) if wanted else -1
        while at >= 0:
            text = text[:at] + "\u2026" + text[at + len(wanted) :]
            at = text.lower().find(wanted, at + 1)
    return text


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for at, sign in enumerate(text):
        if sign in ".?!\n":
            yield text[start : at + 1].strip()
            start = at + 1
    yield text[start:].strip()


def _words(text: str) -> Iterator[str]:
    """Words in lower case, compatibility forms folded."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    for chunk in folded.split():
        if word := chunk.strip(".,:;?!()\"'\u201c\u201d\u2013\u2014\u2026-"):
            yield word


def _capitals(text: str) -> list[str]:
    """Words with a capital in the middle of a sentence, "I" apart: names that no fact displays."""
    found, starts = [], True
    for chunk in text.replace("\n", " \n ").split(" "):
        word = chunk.strip(".,:;?!()\"'\u201c\u201d-")
        if word[:1].isupper() and not starts and word.replace("\u2019", "'").split("'")[0] != "I":
            found.append(word)
        if chunk:
            starts = chunk == "\n" or chunk[-1] in '.?!:\u2026\u201d"'
    return found

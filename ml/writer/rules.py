"""What no text may say on its own, as patterns over delexicalised text.

The corpus is linted with these rules, the decoder's mask is built from them, and the checker
applies them to every finished draft, so training text and live text obey one law.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ml.types import Mood

SLOT = re.compile(r"\{(\w*)\}")

_NUMBER = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    "million|dozen|couple"
)
_UNIT = "minute|hour|day|week|weekend|fortnight|month|year|pound|dollar|euro|penny|pence|cent|percent"

_WEEKDAY = r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"
_MONTH = (
    r"\b(?i:january|february|april|june|july|august|september|october|november|december)\b"
    r"|(?:\b(?:in|of|by|since|until|from|early|late|mid)\s+|\}\s*)(?:March|May)\b(?!\s+(?:I|we)\b)"
)
_RELATIVE = (
    r"\b(?:tomorrow|yesterday|tonight|this (?:morning|afternoon|evening|week|weekend|month)|"
    r"(?:next|last) (?:week|month|year|weekend)|within (?:the|a|an) (?:hour|day|week)|noon|midnight)\b"
)
_LONG_UNIT = "minute|hour|week|weekend|fortnight|month|year|pound|dollar|euro|penny|cent|percent"
# "A day to plan for" names no amount; "in a day" and "a working day" do.
_QUANTITY = (
    rf"\b(?:{_NUMBER})\b"
    rf"|\b(?:a few|few|several|some|another|half an?|a couple of)(?: \w+)? (?:{_UNIT})s?\b"
    rf"|\b(?:an?|one) (?:\w+ )?(?:{_LONG_UNIT})\b"
    rf"|\b(?:an?|one) (?:working|business|full|whole|half) (?:{_UNIT})\b"
    rf"|\b(?:in|within|takes?|took|after|than|about|only|just|every) (?:an?|one) (?:{_UNIT})\b"
    rf"|\b(?:an?|one) (?:{_UNIT}) (?:or|ago|late|early|earlier|later|ahead|from now)\b"
    r"|\b(?:first|second|third|fourth|fifth) of\b"
)

_CONTENT: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("digit", re.compile(r"\d")),
    ("money", re.compile(r"[£$€¥%]|\b(?:pounds?|dollars?|euros?|pence)\b", re.I)),
    ("URL", re.compile(r"https?:|www\.|\b\w+\.(?:com|org|net|co|uk|io)\b", re.I)),
    ("email address", re.compile(r"@")),
    ("weekday", re.compile(_WEEKDAY, re.I)),
    ("month", re.compile(_MONTH)),
    ("relative day", re.compile(_RELATIVE, re.I)),
    ("spelled quantity", re.compile(_QUANTITY, re.I)),
    ("emoji", re.compile("[\U0001f000-\U0001faff☀-➿⭐️]")),
)
_TODAY = re.compile(r"\btoday\b", re.I)
_SAYS_TODAY = frozenset({"order_out_for_delivery"})

# Phrases the voice rules out, whoever writes them.
_VOICE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (label, re.compile(pattern, re.I))
    for label, pattern in (
        ("vague time", r"(?<!as )\bsoon\b|\b(?:shortly|asap|as soon as possible|in no time|momentarily)\b"),
        ("padding", r"thank(?:s| you) for (?:reaching out|contacting|getting in touch|your patience)"),
        ("padding", r"\bhappy to\b|\brest assured\b|\bvalued customer\b|\bdelighted to\b|\bfeel free\b"),
        ("hollow apology", r"\binconvenience\b|\bunderstand (?:your|how|that you)\b|\byour frustration\b"),
        ("unfortunately", r"(?:^|[.!?]\s+)unfortunately\b"),
        ("promise", r"(?<!not a )(?<!no )\bguarantee\w*\b|\bi promise\b|\bmake sure that you\b"),
        ("empty headline", r"\bimportant update\b"),
    )
)

# Situations whose news is not good: no exclamation mark beside it.
BAD_NEWS = frozenset(
    {
        "identity_failed",
        "identity_locked",
        "no_orders",
        "order_late",
        "order_overdue",
        "order_cancelled",
        "order_exception",
        "order_no_estimate",
        "order_uncertain",
        "cancel_refused",
        "address_refused",
        "refund_too_early",
        "refund_too_late",
        "refund_closed",
        "refund_none",
        "email_no_address",
        "policy_unknown",
        "complaint",
        "not_understood",
        "mail_timeline_late",
        "mail_timeline_overdue",
        "mail_timeline_other",
        "mail_delay_notice",
        "mail_cancelled",
        "mail_complaint",
    }
)
_SMALL_TALK = frozenset({"greeting", "thanks", "goodbye", "review"})


@dataclass(frozen=True, slots=True)
class Claim:
    """Words that say an act is done. `states` are situations in which the act is an old fact
    that may be told without having been done in this turn."""

    act: str
    pattern: re.Pattern[str]
    states: frozenset[str]


def _claim(act: str, states: str, *patterns: str) -> Claim:
    return Claim(act, re.compile("|".join(patterns), re.I), frozenset(states.split()))


_DONE = r"\b(?:i|we)(?:'ve| have)(?: \w+)? "
_PASSIVE = r"(?:is now|has been|have been|has now been|is|was|'s been)(?: just| already| now)? "

CLAIMS: tuple[Claim, ...] = (
    _claim(
        "cancelled",
        "order_cancelled refund_closed mail_cancelled mail_timeline_other",
        _DONE + r"cancel?led\b",
        r"\bi just cancel?led\b",
        r"(?:\}|\bit|\border|\bthat) " + _PASSIVE + r"cancel?led\b",
    ),
    _claim(
        "address_changed",
        "",
        _DONE + r"(?:changed|updated|switched|corrected)\b",
        r"\baddress(?: for \{order\}| on \{order\})? " + _PASSIVE + r"(?:changed|updated|corrected)\b",
        r"\bnow (?:goes|ships|is going|going|heads|set) to \{new_address\}",
    ),
    _claim(
        "refund_requested",
        "refund_closed refund_pending refund_paid order_returning mail_refund_requested",
        _DONE + r"(?:requested|filed|logged|put in|stored|recorded|submitted|passed on your refund)\b",
        r"\brefund request(?: for (?:\{\w+\}|it))*(?: of \{\w+\})? (?:is|has been|was) (?:now )?"
        r"(?:in|stored|sent|received|made|logged|recorded|with|submitted)\b",
    ),
    _claim(
        "email_queued",
        "email_already mail_invoice",
        _DONE + r"(?:sent|emailed|mailed|queued)\b",
        r"\b(?:i'm|i am|we're|we are) (?:now )?(?:sending|emailing|mailing)\b",
        r"\b(?:is|are) (?:already |now )?on (?:its|the|their) way to \{email\}",
        r"\b(?:email|timeline|invoice) (?:is being|has been|was) (?:sent|emailed|mailed|queued)\b",
    ),
    _claim(
        "handed_over",
        "handoff_waiting",
        _DONE + r"(?:passed|handed|brought|transferred|forwarded|escalated|called in|put you)\b",
        r"\b(?:passed|handed) (?:you|this|it) (?:on|over) (?:now|just now)\b",
    ),
)

# Acts that no skill performs: nobody may claim or promise them. `refund_paid` tells an old fact.
_NEVER_DONE = re.compile(
    _DONE
    + r"(?:refunded|paid|credited|replaced|reshipped|resent|compensated|discounted|called|spoken|contacted)\b"
    r"|\b(?:i|we)(?:'ll| will| can) (?:refund|credit|compensate|replace|resend|reship|discount)\b"
    r"|\byou(?:'ll| will) (?:be refunded|get your money|get a refund|receive a refund)\b",
    re.I,
)
_PROMISE = re.compile(
    r"\b(?:i|we|a colleague|someone)(?:'ll| will) "
    r"(?:\w+ly )?(?:write|email|mail|send|call|phone|ring|text|update|notify|inform|let you|keep|get back|"
    r"follow up|make sure|ensure|arrange|chase|investigate|check back|be in touch|contact)\b",
    re.I,
)
_CONDITION = re.compile(
    r"\b(?:if|once|when|whenever|after|with (?:that|it|those|both)|then|say|tell|give|send me|just|reply|"
    r"want|like|or|until)\b",
    re.I,
)
# A colleague's own follow-up is part of these processes, so a text may announce it.
_FOLLOWED_UP = frozenset(
    {
        "refund_requested",
        "refund_pending",
        "invoice_queued",
        "handoff_done",
        "handoff_waiting",
        "mail_refund_requested",
        "mail_complaint",
        "mail_timeline_overdue",
        "mail_delay_notice",
        "mail_timeline_late",
        "mail_timeline_other",
        "complaint",
        "review",
    }
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def sentences(text: str) -> list[str]:
    """Split at sentence ends; slots hold no such marks while delexicalised."""
    return [part for part in _SENTENCE.split(text.strip()) if part]


def words(text: str) -> int:
    """Words as a reader counts them; a slot usually fills with two."""
    return len(re.findall(r"[\w'’-]+", SLOT.sub("slot slot", text)))


def content_faults(text: str, situation: str = "") -> list[str]:
    """Facts a text states by itself: digits, days, amounts, links."""
    faults = [f"{label}: {found[0]!r}" for label, pattern in _CONTENT if (found := pattern.search(text))]
    if situation not in _SAYS_TODAY and _TODAY.search(text):
        faults.append("relative day: 'today'")
    return faults


def voice_faults(text: str, situation: str = "", mood: Mood = "neutral") -> list[str]:
    """Phrases the voice rules out, and exclamation marks where they hurt."""
    faults = [
        f"{label}: {found[0].strip()!r}" for label, pattern in _VOICE if (found := pattern.search(text))
    ]
    if "!" in text and (situation in BAD_NEWS or (mood != "cheerful" and situation not in _SMALL_TALK)):
        faults.append("exclamation mark beside bad news or a sober mood")
    if text.count("{first_name}") > 1:
        faults.append("name used more than once")
    return faults


def claim_faults(text: str, situation: str, committed: frozenset[str]) -> list[str]:
    """Acts claimed as done that are not stored, and promises nobody made."""
    faults = [
        f"claims {claim.act!r}: {found[0]!r}"
        for claim in CLAIMS
        if claim.act not in committed
        and situation not in claim.states
        and (found := claim.pattern.search(text))
    ]
    if found := _NEVER_DONE.search(text):
        faults.append(f"claims what nobody did: {found[0]!r}")
    for sentence in sentences(text):
        promise = _PROMISE.search(sentence)
        if promise and situation not in _FOLLOWED_UP and not _CONDITION.search(sentence):
            faults.append(f"promise: {promise[0]!r}")
    return faults

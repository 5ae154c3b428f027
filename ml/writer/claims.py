"""What a text may not claim as done, tell as a state, or promise, unless the facts carry it.

Three kinds of words: acts of this desk ("cancelled"), which facts commit; states of an order
("delivered"), which a situation tells; and what no skill performs (refunds paid out, replacements,
calls), which nobody may claim or promise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ml.writer.rules import sentences

_WHO = (
    r"(?:i|we|they|he|she|someone|somebody|\{carrier\}|\{shop\}|(?:a|an|the|my|our|your|this) "
    r"(?:\w+ )?(?:colleague|team|manager|warehouse|carrier|courier|shop|driver|bank|system|support|"
    r"department|"
    r"agent|desk|staff|people|person|specialist)s?)"
)
_ADV = r"(?: (?:now|just|already|also|since|then|even|all|both|finally|duly|hereby|gladly|fully|\w+ly))*"
_HAVE = r"(?:'ve| have|'s| has|'d| had)"
_BE = r"(?:'s|'re|'s been|'ve been| (?:is|are|was|were|gets?|got|(?:has|have|had) been|(?:is|are) being))"
_SOON = r"(?:'ll| will| shall|'m going to| am going to|'re going to| are going to|'s going to| is going to)"

# Acts that no skill performs, in the forms that a claim takes.
_NEVER_PAST = (
    "compensated|replaced|reshipped|re-shipped|resent|re-sent|discounted|called|phoned|"
    "rung|spoken|contacted|issued|approved|processed|authori[sz]ed|granted|arranged|scheduled|rescheduled|"
    "booked|"
    "expedited|upgraded|prioriti[sz]ed|waived|reserved|handled|deleted|removed|added|applied|"
    "initiated|triggered|activated|finali[sz]ed|organi[sz]ed|dispatched|rebooked|restored|released|"
    "investigated|"
    "reported|flagged|notified|informed|alerted|instructed|doubled|extended|exchanged|unlocked|blocked|"
    "registered|subscribed|unsubscribed|created|generated|reordered|purchased|charged|deposited|wired|"
    "secured|ensured|"
    "accepted|allocated|redelivered|intercepted|recalled|escalated|assigned|chased|guaranteed|"
    "verified|"
    "confirmed|enrolled|redeemed|rushed|fast-tracked|fast-forwarded|reactivated"
)
_NEVER_BASE = (
    "refund|reimburse|credit|compensate|replace|resend|reship|re-ship|discount|pay|waive|expedite|upgrade|"
    "prioriti[sz]e|process|approve|issue|grant|authori[sz]e|double|extend|exchange|deposit|wire|rush|"
    "redeliver|"
    "intercept|reorder|delete|unlock|offer you|give you (?:a|your|back|the)|get you (?:a|your)|return your "
    "money|"
    "cover the|take care of|see to it|do everything|do (?:our|my) (?:best|utmost)"
)
_NEVER_ING = (
    "refunding|reimbursing|crediting|compensating|replacing|resending|reshipping|issuing|approving|"
    "processing|"
    "authori[sz]ing|granting|arranging|scheduling|booking|expediting|upgrading|prioriti[sz]ing|waiving|"
    "fixing|"
    "resolving|handling|deleting|initiating|organi[sz]ing|dispatching|investigating|contacting|calling|"
    "chasing|"
    "escalating|paying|rushing|exchanging|working on|taking care|getting this|cancel+ing|changing|updating|"
    "redirecting|transferring|forwarding|shipping"
)
_MONEY = r"(?:refund|money|amount|\{amount\}|payment|reimbursement|credit|compensation|voucher|discount)"
_MATTER = (
    rf"(?:{_MONEY}|replacement|exchange|cancellation|return|claim|case|request|change|redelivery|upgrade|"
    r"complaint|investigation|ticket|application|appeal)"
)
_SETTLED = (
    "approved|processed|confirmed|complete|completed|done|under way|underway|on (?:its|the|their) way|in "
    "progress|"
    "guaranteed|issued|paid|granted|accepted|authori[sz]ed|yours|coming|through|finali[sz]ed|successful|in "
    "your account|"
    "being processed|being arranged|being sent|scheduled|arranged|ready|good to go|secured|in the works|in "
    "hand|moving|"
    "taken care of|resolved|solved|sorted|opened|sent|initiated|started"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Words that say something is so. They need `act` to be committed, or a situation in `states`,
    which tells it as an old fact; without either nobody may say them. What is `supposable` may stand
    after an "if" or a "once"."""

    label: str
    pattern: re.Pattern[str]
    act: str = ""
    states: frozenset[str] = frozenset()
    supposable: bool = False

    def allowed(self, situation: str, committed: frozenset[str]) -> bool:
        return self.act in committed or situation in self.states


def _claim(label: str, *patterns: str, act: str = "", states: str = "", supposable: bool = False) -> Claim:
    return Claim(label, re.compile("|".join(patterns), re.I), act, frozenset(states.split()), supposable)


def _done(past: str) -> str:
    """Active and passive ways to say that something in `past` was done."""
    active = rf"\b{_WHO}{_HAVE}{_ADV}(?: \w+ and)? (?:{past})\b"
    bare = rf"\b(?:i|we){_ADV} (?:{past}) (?:it|this|that|you|your|the|order|\{{)"
    passive = rf"(?:\b\w+|\}}){_ADV}{_BE}{_ADV} (?:{past})\b"
    return f"{active}|{bare}|{passive}"


# Situations about a parcel that is under way or has been.
_UNDER_WAY = (
    "order_in_transit order_out_for_delivery order_late order_overdue order_delivered order_exception "
    "order_uncertain "
    "cancel_refused address_refused refund_too_early mail_timeline_transit mail_timeline_late "
    "mail_timeline_overdue "
    "mail_timeline_delivered mail_delay_notice mail_timeline_other order_no_estimate order_returning"
)

CLAIMS: tuple[Claim, ...] = (
    _claim(
        "claims 'cancelled'",
        _done("cancel+ed|voided|annulled|called off"),
        r"\bi just cancel+ed\b",
        r"\bconsider (?:it|this|that|your order|\{order\}) (?:cancel+ed|done)\b",
        r"\bcancellation (?:is|was|has been)(?: now)? (?:done|complete|completed|confirmed|through|final)\b",
        act="cancelled",
        states="order_cancelled refund_closed mail_cancelled mail_timeline_other refund_too_early",
    ),
    _claim(
        "claims 'address_changed'",
        rf"\b{_WHO}{_HAVE}{_ADV} (?:changed|updated|switched|corrected|amended|redirected|rerouted|edited|"
        rf"altered|adjusted)\b",
        r"\b(?:i|we) (?:changed|updated|switched|corrected|amended|redirected|rerouted) (?:it|the|your)\b",
        rf"\b(?:address|details|order|\{{order\}})(?: for \{{order\}}| on \{{order\}}| of \{{order\}})?"
        rf"{_BE}{_ADV} "
        r"(?:changed|updated|corrected|amended|redirected|rerouted)\b",
        r"\bnow (?:goes|ships|is going|going|heads|set) to \{new_address\}",
        act="address_changed",
    ),
    _claim(
        "claims 'refund_requested'",
        rf"\b{_WHO}{_HAVE}{_ADV} (?:requested|filed|logged|put in|stored|recorded|submitted|lodged|raised|"
        r"passed on your refund)\b",
        r"\b(?:i|we)(?: just)? (?:requested|filed|submitted|lodged) (?:it|a|the|your)\b",
        r"\brefund request(?: for (?:\{\w+\}|it))*(?: of \{\w+\})? (?:is|has been|was) (?:now )?"
        r"(?:in|stored|sent|received|made|logged|recorded|with|submitted)\b",
        r"\brefund (?:is|was|has been)(?: now| already| just)? (?:requested|filed|logged|submitted)\b(?! "
        r"(?:after|once|when|only))",
        act="refund_requested",
        states="refund_closed refund_pending refund_paid order_returning mail_refund_requested",
    ),
    _claim(
        "claims 'email_queued'",
        rf"\b{_WHO}{_HAVE}{_ADV} (?:sent|emailed|mailed|queued|forwarded)\b",
        r"\b(?:i|we)(?: just)? (?:sent|emailed|mailed) (?:it|the|your|you|this|that|an?)\b",
        r"\b(?:i'm|i am|we're|we are)(?: now)? (?:sending|emailing|mailing)\b",
        r"\b(?:is|are) (?:already |now )?on (?:its|the|their) way to \{email\}",
        r"\b(?:email|timeline|invoice|confirmation|message) (?:is being|has been|was|is) (?:sent|emailed|"
        r"mailed|queued)\b",
        r"\b(?:check|look in|it's in) your (?:inbox|email)\b",
        act="email_queued",
        states="email_already mail_invoice",
    ),
    _claim(
        "claims 'handed_over'",
        rf"\b{_WHO}{_HAVE}{_ADV} (?:passed|handed|brought|transferred|forwarded|escalated|called in|put "
        rf"you|put this|"
        r"connected|looped|assigned|involved)\b",
        r"\b(?:passed|handed|escalated|forwarded) (?:you|this|it|your \w+) (?:on|over|up|to)\b(?! "
        r"\{carrier\}| the carrier)",
        rf"\b(?:you|this|it|case|conversation){_BE}{_ADV} (?:passed|handed|transferred|escalated|"
        rf"forwarded|connected)\b",
        rf"\b(?:i'm|i am|we're|we are){_ADV} (?:passing|handing|transferring|connecting|escalating|putting "
        rf"you)\b",
        r"\ba colleague (?:has|is) (?:already |now )?(?:it|your (?:case|conversation)|on it|looking)\b",
        act="handed_over",
        states="handoff_waiting mail_timeline_overdue mail_complaint",
    ),
    _claim(
        "claims what nobody did",
        _done("refunded|reimbursed|paid(?: out)?|paid back|credited|returned to your (?:card|account)"),
        states="refund_paid",
    ),
    _claim("claims what nobody did", _done(_NEVER_PAST)),
    _claim(
        "claims what nobody did",
        _done("fixed|resolved|solved|cleared|settled"),
        states="address_refused policy cancel_done address_done",
    ),
    _claim(
        "claims what nobody did",
        rf"\b(?:i'm|i am|we're|we are|am|{_WHO} is){_ADV} (?:{_NEVER_ING})\b",
        rf"\bjust {_NEVER_ING.split('|')[0]}\b",
    ),
    _claim(
        "claims what nobody did",
        rf"\b{_MATTER}(?: (?:for|of|to) (?:\w+|\{{\w+\}})(?: \w+)?)?(?:'s| is| was| has been| has|'ll be| "
        rf"will be|"
        rf" have been| are|,){_ADV} (?:{_SETTLED})\b",
        states="refund_paid refund_requested mail_refund_requested mail_cancelled",
    ),
    _claim(
        "claims what nobody did",
        r"(?<!step )(?<!steps )\b(?:it|that|this|everything|all|which)(?:'s| is| has been|'s been| "
        r"was)?(?: now| already| just| "
        r"all| been)* "
        r"(?:done|sorted|taken care of|arranged|fixed|resolved|handled|dealt with|booked|settled|under "
        r"control)\b",
        r"(?:^|[.!?]\s+|\n)(?:all )?(?:done|sorted|all set|fixed|resolved|arranged|consider it)\b",
        r"\bconsider (?:it|this|that)\b|\btaken care of\b|\b(?:it|this) (?:shall|will) be done\b",
        states="cancel_done address_done refund_requested email_queued invoice_queued handoff_done "
        "mail_cancelled mail_refund_requested email_already policy refund_paid",
    ),
    _claim(
        "promises what nobody does",
        rf"\b{_WHO}(?:{_SOON}| can| could| would|'d){_ADV} (?:{_NEVER_BASE})\b",
        r"\blet me (?:refund|credit|compensate|replace|offer|give you|arrange|process|fix|sort|make it up)\b",
        rf"\b(?:you|your \w+|it|they|order|\{{\w+\}}|money|refund){_SOON}{_ADV} be "
        rf"(?:refunded|reimbursed|credited|returned|paid|sent|replaced|compensated|contacted|called|"
        rf"notified|informed|"
        rf"updated|{_NEVER_PAST})\b",
        rf"\byou{_SOON}{_ADV} (?:get|receive|have|see|be getting|be receiving|hear)(?: \w+)?(?: \w+)? "
        r"(?:refund|money|credit|voucher|discount|coupon|call|email|replacement|confirmation|update|from "
        r"(?:us|me)|back)\b",
        r"\b(?:you can|please|do|may) expect (?:(?:an?|your|the|our|their) (?:\w+ )?(?:refund|money|call|"
        r"email|"
        r"message|replacement|voucher|credit|answer|reply|update|visit)|to (?:hear|receive|get)|it back)\b",
        rf"\b{_MONEY}{_SOON}{_ADV} (?:be|arrive|reach|appear|come|go|follow|show|land)\b",
        r"\b(?:a|the|your|our) (?:replacement|new one|exchange|courier|driver)(?:'s| is|'ll be| will be)\b",
    ),
    _claim(
        "promises what nobody does",
        r"\b(?:compensation|compensate|vouchers?|coupons?|discounts?|store credit|gift ?cards?|goodwill|"
        r"free (?:of charge|"
        r"shipping|delivery|replacement|gift|returns?|item)|for free|at no (?:extra |additional )?(?:cost|"
        r"charge)|"
        r"complimentary|on the house|full refund|refund in full|freebie|loyalty points|partial refund|"
        r"without charge|bonus|our treat|make it up to you|extra mile)\b",
    ),
    _claim(
        "promise",
        r"(?<!not a )(?<!no )\bguarantee\w*\b|\b(?:i|we)(?: \w+ly| do| can)? promise\b|\byou have (?:my|"
        r"our) (?:word|promise)\b(?! for \{promised_day\})|\bthat's a promise\b(?! not)|\bmy promise\b|"
        r"\bpromise (?:you|to you)\b|\b(?:i|we) (?:hereby |can )?(?:swear|vow|pledge|assure|confirm that "
        r"(?:you|your))\b|"
        r"\bmy word\b|\bassure you\b|\byou can (?:always |safely |fully )?(?:count|rely|depend|bank) on "
        r"(?:it|us|me|that|this)\b|\bcount on (?:it|me)\b|\btrust (?:me|us)\b|"
        r"\bwithout (?:fail|doubt)\b|\bno matter what\b|\bfor sure\b|\b(?:definitely|certainly|surely|"
        r"absolutely) "
        r"(?:will|arrive|be|get|receive|come|reach)\b|\bwill (?:definitely|certainly|surely|absolutely)\b|"
        r"\bmake sure that you\b|\bmark my words\b|\bi personally\b",
    ),
    _claim(
        "tells a state: delivered",
        r"\b(?:it|order|parcel|package|\{order\}|\{item\})(?: \{order\})?(?: was|'s been| has been| is|'s| "
        r"has| have been)"
        r"(?: already| now| just)? (?:delivered|arrived)\b",
        r"\b(?:successfully|already|just) (?:delivered|arrived)\b",
        states="order_delivered mail_timeline_delivered cancel_refused refund_confirm refund_too_late "
        "refund_none mail_timeline_other order_returning refund_requested refund_pending refund_paid "
        "mail_refund_requested",
        supposable=True,
    ),
    _claim(
        "tells a state: under way",
        r"\b(?:it|order|parcel|package|\{order\}|\{item\})(?: \{order\})?(?:'s| is| was| has been| has)"
        r"(?: already| now| just| still| also)? (?:on (?:its|the) way|under way|underway|shipped|dispatched|"
        r"with the carrier|with \{carrier\}|in transit|en route)\b(?! through)",
        act="email_queued",  # of an email
        states=_UNDER_WAY,
        supposable=True,
    ),
    _claim(
        "tells a state: out for delivery",
        r"\b(?:out for delivery|on (?:the|its|a) van|left (?:the|our) (?:warehouse|depot))\b",
        states="order_out_for_delivery order_in_transit mail_timeline_transit order_late mail_timeline_late",
        supposable=True,
    ),
    _claim(
        "tells a state: gone wrong",
        r"\b(?:it|order|parcel|package|\{order\}|\{item\})(?: \{order\})?(?: was|'s been| has been| is|'s| "
        r"got| has)"
        r"(?: been)?(?: already| now| just| sadly)? (?:lost|damaged|stolen|destroyed|broken|returned|sent "
        r"back|missing)\b",
        states="order_exception order_returning refund_paid",
        supposable=True,
    ),
)
# "The refund goes back to you" tells a payment; only what cancelling leads to does so.
_MONEY_BACK = re.compile(
    r"\b(?:goes|go|going|comes|coming|returns|returned|flows) (?:straight |right )?(?:back )?to (?:you\b|"
    r"your (?:card|account|bank)"
    r"|\{payment_method\})|\bgoes back\b",
    re.I,
)
_TELLS_MONEY_BACK = frozenset(
    [
        "cancel_confirm",
        "cancel_done",
        "mail_cancelled",
        "refund_confirm",
        "refund_requested",
        "refund_pending",
        "refund_paid",
        "mail_refund_requested",
        "refund_closed",
    ]
)
_PROMISE = re.compile(
    rf"\b{_WHO}{_SOON} (?:\w+ly |also |then |now )*(?:write|email|mail|send|call|phone|ring|text|update|"
    rf"notify|"
    r"inform|let you|keep|get back|get in touch|reach out|follow up|make|ensure|arrange|chase|investigate|"
    r"check back|"
    r"be in touch|contact|speed|monitor|watch|track|stay|escalate|forward|cancel|change|fix|sort|resolve|"
    r"solve|handle|"
    r"bring|deliver|ship|hurry|push|see that|get this|get it|look into|return|transfer|remove|add|put|hold|"
    r"reserve|"
    r"remind|confirm)\b"
    r"|\b(?:i|we|someone|a (?:courier|driver))(?:'ll| will) (?:collect|pick|come)\b",
    re.I,
)
_CONDITION = re.compile(
    r"\b(?:if|once|when|whenever|with (?:that|it|those|both)|say so|say yes|say the word|tell me|tell us|"
    r"give me|"
    r"send me|reply|unless|until|should you|should it|should (?:the|order|\{\w+\})|before|would)\b|"
    r"\b(?:just say|say) \w+ and\b",
    re.I,
)
# A colleague's own follow-up is part of these processes, so a text may announce it.
_FOLLOWED_UP = frozenset(
    [
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
    ]
)
# Nothing is claimed where the words before deny it, or only ask, suppose or report a wish.
_DENIAL = re.compile(
    r"\b(?:no|not|nothing|never|none|nobody|neither|cannot|rather than|instead of|before|unless|"
    r"until)\b|n't\b",
    re.I,
)
_NO_DENIAL = re.compile(
    r"\b(?:no|not|never)(?: to)? (?:problem|worries|worry|doubt|need|trouble|fear|matter|only|just|longer|"
    r"wonder|question)\b|"
    r"\bdon't (?:worry|fret|fear)\b|\bnot only\b",
    re.I,
)
_SUPPOSED = re.compile(
    r"\b(?:if|whether|would|could|should|once|when|whenever|unless|suppose|in case|as soon as|shall|want|"
    r"like|may|might)\b",
    re.I,
)
_CLAUSE = re.compile(r"[,;:–—()]|\b(?:but|and|so|because)\b", re.I)
_ASKS_A_YES = frozenset(
    ["cancel_confirm", "refund_confirm", "address_confirm", "refund_requested", "mail_refund_requested"]
)


def claim_faults(text: str, situation: str, committed: frozenset[str]) -> list[str]:
    """Acts claimed as done that are not stored, states that the situation does not tell, and promises."""
    faults: list[str] = []
    for sentence in sentences(text.replace("’", "'")):
        for claim in CLAIMS:
            if claim.allowed(situation, committed):
                continue
            for found in claim.pattern.finditer(sentence):
                if not _is_open(sentence, found, situation, claim.supposable):
                    faults.append(f"{claim.label}: {found[0].strip()!r}")
                    break
        faults += _promises(sentence, situation)
    return faults


def _promises(sentence: str, situation: str) -> list[str]:
    found = _PROMISE.search(sentence)
    if found and situation not in _FOLLOWED_UP and not _CONDITION.search(sentence):
        return [f"promise: {found[0]!r}"]
    back = _MONEY_BACK.search(sentence)
    if back and situation not in _TELLS_MONEY_BACK and not _is_open(sentence, back, situation):
        return [f"promises what nobody does: {back[0]!r}"]
    return []


def _is_open(sentence: str, found: re.Match[str], situation: str, supposable: bool = False) -> bool:
    """Whether the words claim nothing: they are denied in their own clause, or, where a yes is being
    asked for, depend on it."""
    start = max((mark.end() for mark in _CLAUSE.finditer(sentence, 0, found.start())), default=0)
    first_word = re.match(r"\W*\w*", found[0])
    clause = _NO_DENIAL.sub(" ", sentence[start : found.start()] + (first_word[0] if first_word else ""))
    if supposable and _SUPPOSED.search(clause):
        return True
    return bool(_DENIAL.search(clause)) or (
        situation in _ASKS_A_YES and bool(_SUPPOSED.search(sentence) or _DENIAL.search(sentence))
    )

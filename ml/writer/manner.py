"""How a text may not sound, whoever writes it: padding, vague times, blame, insults, slang, loops."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from ml.types import Mood
from ml.writer.rules import SLOT, sentences

_VOICE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (label, re.compile(pattern, re.I))
    for label, pattern in (
        (
            "vague time",
            r"(?<!as )\bsoon(?:er|est)?\b(?! or later)|\b(?:shortly|asap|momentarily|imminently|promptly|"
            r"in due course|"
            r"as (?:soon|quickly|fast|promptly) as (?:possible|we can|i can)|in no time|before (?:too )?long|"
            r"any (?:day|time|minute|moment|hour) (?:now|soon)|in the near future|in the coming (?:days|"
            r"weeks)|"
            r"(?:over|in|within) the next (?:few|couple|days)|in a (?:moment|minute|second|sec|jiffy|flash|"
            r"bit|while)|"
            r"a little while|within (?:days|hours|minutes|moments)|in (?:a matter of )?(?:days|hours|"
            r"minutes))\b",
        ),
        (
            "padding",
            r"\bthank(?:s| you)(?: so much| very much)? for (?:reaching|contacting|getting in touch|"
            r"writing(?! so)|your(?! kind)|"
            r"bringing|choosing|shopping|being|waiting|messaging|bearing)\b"
            r"|\b(?:we|i) (?:truly |really |greatly |sincerely )?(?:appreciate|value) (?:your|you|that|"
            r"the)\b",
        ),
        (
            "padding",
            r"\b(?:happy|delighted|thrilled|excited|honoured) to\b|"
            r"\b(?:glad|pleased|eager) to (?:assist|inform|let|tell|announce|say|confirm|be of)\b"
            r"|\brest assured\b|\bvalued customer\b|\bfeel free\b|\bhesitate to\b|\bplease (?:be advised|"
            r"note that|know that)\b"
            r"|\bkindly (?:reply|note|provide|wait|contact|send|check|ask|request|confirm|allow|be)\b|\bas "
            r"per\b|\bhere to (?:help|assist)\b|\bassist you\b|\bat your (?:earliest )?convenience\b",
        ),
        (
            "padding",
            r"\b(?:hope (?:this|that|your)\b.{0,30}\b(?:well|helps?|finds|clear)|"
            r"hope you(?:'re| are) (?:well|doing|having)|"
            r"anything else (?:i|we) can (?:help|do|assist)|any (?:other|further|more) questions|"
            r"bear with (?:us|me)|(?:we|i) look forward to|looking forward to (?:hearing|serving|seeing|"
            r"helping|your)|top priority|strive|committed to|"
            r"your satisfaction|great (?:news|question)|of utmost|we're all about|"
            r"world[- ]class|seamless|hassle|smooth sailing|no worries|not to worry|don't worry|never "
            r"fear)\b",
        ),
        (
            "hollow apology",
            r"\binconvenien\w*|\b(?:i|we) (?:completely |totally |fully |truly |can |do )*"
            r"(?:understand|imagine) (?:your|how|that you|that this|the frustration|why you|you're)\b|"
            r"\byour frustration\b|\bfrustrating (?:it|this|that)\b|\bapologi[sz]e (?:for any|profusely|"
            r"sincerely)\b|"
            r"\b(?:sincere(?:st)?|deepest|heartfelt|humble) apologies\b|\bsorry (?:for any|to hear)\b|"
            r"\b(?:we|i) (?:sincerely|deeply|truly|humbly) (?:apologi[sz]e|regret)\b",
        ),
        (
            "small talk",
            r"\bhave a (?:great|nice|good|lovely|wonderful|fantastic|pleasant) (?:day|one|time|evening|"
            r"week)\b",
        ),
        ("unfortunately", r"(?:^|[.!?]\s+|\n)(?:unfortunately|regrettably|sadly|alas)\b"),
        ("empty headline", r"\bimportant (?:update|notice|information|message)\b|\bupdate regarding\b"),
        (
            "blame",
            r"(?<!n't )(?<!not )\byour (?:own )?(?:fault|mistake|error|carelessness|problem)\b|"
            r"\byou should have (?:told|checked|read|ordered|been more|given|known|waited|asked|said|"
            r"thought|paid|"
            r"looked|written)\b|\byou (?:failed|forgot|neglected|refused) to\b|\byou (?:must|should) learn\b|"
            r"\byou(?:'ve| have) only yourself\b|\bas i (?:already |clearly )(?:said|told)\b|\bread (?:it|"
            r"this) again\b",
        ),
    )
)
_OFF_REGISTER: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (label, re.compile(pattern, re.I))
    for label, pattern in (
        (
            "toxic",
            r"\b(?:f+u+c+k\w*|sh[i1]t\w*|bullshit|crap\w*|damn\w*|goddamn|hell|bastards?|bitch\w*|arse\w*|"
            r"ass|asshole\w*|"
            r"bloody|piss\w*|dick\w*|cunt\w*|wank\w*|slut\w*|whores?|porn\w*|sexy?|nazi\w*|kill\w*|murder\w*|"
            r"die|suicid\w*|bomb\w*|weapons?|drugs?|hate[sd]?|racist|scum|filth\w*|vermin|retard\w*)\b",
        ),
        (
            "insult",
            r"\b(?:idiot\w*|stupid\w*|dumb\w*|moron\w*|fools?|foolish|liars?|losers?|imbecile|jerk|clown|"
            r"dimwit|"
            r"pathetic|ridiculous|absurd|ignoran\w+|whin(?:e|ing|er)|crybaby|cry|ungrateful|lazy|clueless|"
            r"shut up|screw you|(?<!won't )(?<!not )(?<!can't )(?<!didn't )get lost|go away|buzz off|stop "
            r"complaining|get over it|calm down|grow up|"
            r"deal with it|suck it up|none of your (?:business|concern)|couldn't care less|don't care|who "
            r"cares|too bad|tough "
            r"luck|"
            r"cheap(?:skate)?s?|greedy|scam\w*|fraud\w*|thie(?:f|ves)|entitled brat|drama)\b",
        ),
        (
            "slang",
            r"\b(?:gonna|wanna|gotta|kinda|sorta|dunno|lemme|gimme|ain't|y'all|yo|bro|dude|mate|buddy|pal|"
            r"hun|babe|"
            r"sweetie|darling|honey|love(?=[,.!]|$)|folks|guys|yeah|nope|yep|yup|nah|meh|lol|lmao|rofl|omg|"
            r"wtf|btw|fyi|"
            r"tbh|imo|ngl|idk|thx|pls|plz|u|ur|haha\w*|hehe\w*|hey|oops|whoops|uh|um|uh-oh|ugh|phew|wow|"
            r"yay|woohoo|"
            r"awesome|epic|legit|chill|sucks?|crazy|insane|freaking|super|cool|no biggie|my bad|hang tight|"
            r"sit tight|stay tuned|fingers crossed|knock on wood|cheers|peachy|whatever(?=[,.!?]))\b",
        ),
        (
            "sarcasm",
            r"\b(?:oh,? (?:great|sure|please|really|no|boy|well)|congratulations|good luck with (?:that|it|"
            r"this)|big deal|"
            r"boo hoo|"
            r"how (?:shocking|surprising|original|adorable|tragic)|what a (?:surprise|shock|tragedy)|as if "
            r"(?:i|we) (?:care|would|had nothing)|"
            r"yeah right|"
            r"if you say so|lucky you|poor you|well done you|believe it or not|obviously|newsflash|shocker)\b"
            r"|\bsurprise,? surprise\b",
        ),
        (
            "speaks of itself",
            r"\b(?:as an? (?:ai|assistant|language|model|bot|chatbot)|language model|artificial "
            r"intelligence|chatbot|"
            r"system prompt|my (?:instructions|programming|training|rules|prompt|guidelines|developers?)|"
            r"prompts?(?! for)|jailbreak\w*|developer mode|role ?play\w*|unfiltered|placeholders?|"
            r"ignore (?:all|the|my|previous)|previous instructions|"
            r"here(?:'s| is) (?:a|the|your|my) (?:draft|reply|response|email|message|possible|revised|"
            r"rewritten)|"
            r"(?:draft|reply|response|version|option)\s*:|insert (?:the|your|name)|lorem|as requested|"
            r"i can(?:'t|not) (?:comply|fulfil\w*|assist with)|against my|my creators?)\b",
        ),
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
_SMALL_START = re.compile(r"(?:^|\n\s*|(?<!\b\w\.\w)[.?!]\s+)[a-z]")
_OFTEN = 4  # times that one pair of neighbouring words may come
_ECHO = 3  # words in a row that make a sentence echo another
_LITTLE = re.compile(
    r"(?:a|an|the|of|to|for|and|or|but|if|so|in|on|at|by|with|from|it|is|be|that|this|there|which|what|we|i|you|"
    r"your|our|us|me|as|are|was|not|no|can|do|don't|any|\s)+"
)
# Thoughts that people word in many ways, and that sound like a recital when they come twice.
_ONCE = {
    "owns the fault": re.compile(
        r"\bshould(?:n't| not) (?:have|be)\b|\b(?:must|may) not happen\b|\bshould have (?:had|been)\b"
        r"|\b(?:is|was)(?:n't| not) (?:how|good enough|the service)\b|\bthat's not how\b"
        r"|\b(?:is|it's|that's|was|still) (?:still )?on us\b|\bour (?:doing|side|fault)\b|\blet you down\b",
        re.I,
    ),
    "is sorry": re.compile(r"\bsorry\b|\bapolog|\bregret\b", re.I),
}
_POINTS_BACK = re.compile(r"that(?:'s| is) your right\b", re.I)
_ALIKE = 0.8  # share of words that make two sentences the same


def voice_faults(text: str, situation: str = "", mood: Mood = "neutral") -> list[str]:
    """Phrases the voice rules out, words below it, and exclamation marks where they hurt."""
    plain = text.replace("’", "'")
    faults = [
        f"{label}: {found[0].strip()!r}"
        for label, pattern in (*_VOICE, *_OFF_REGISTER)
        if not (label == "small talk" and situation in _SMALL_TALK) and (found := pattern.search(plain))
    ]
    if "!" in text and (situation in BAD_NEWS or (mood != "cheerful" and situation not in _SMALL_TALK)):
        faults.append("exclamation mark beside bad news or a sober mood")
    if text.count("{first_name}") > 1:
        faults.append("name used more than once")
    if re.search(r"\?!|!\?|[!?]{2}|\b[A-Z]{2,}\b", SLOT.sub("", text)):
        faults.append("shouting")
    if _SMALL_START.search(text):
        faults.append("a sentence without its capital")
    return faults


def loop_faults(text: str, run: int) -> list[str]:
    """Runs of `run` words that come twice, a pair or a sentence that comes again and again."""
    tokens = _tokens(text)
    pairs = Counter(pairwise(tokens))
    runs = _runs(tokens, run)
    lines = [frozenset(_tokens(line)) for line in sentences(text)]
    twice = any(
        len(a & b) > _ALIKE * len(a | b) and len(a | b) > 3 for at, a in enumerate(lines) for b in lines[:at]
    )
    often = [pair for pair, count in pairs.items() if count > _OFTEN]
    if len(set(runs)) < len(runs) or len({*sentences(text)}) < len(lines) or twice or often:
        return ["repeats itself"]
    return []


def echoed(sentence: str) -> set[tuple[str, ...]]:
    """What another sentence of a text must not hold too: runs of three words, without a slot and not of
    little words alone, and, by its name, a thought that is said once only."""
    runs = {
        run
        for run in _runs(_tokens(sentence), _ECHO)
        if not any("{" in word for word in run) and not _LITTLE.fullmatch(" ".join(run))
    }
    plain = sentence.replace("’", "'")
    return runs | {(thought,) for thought, pattern in _ONCE.items() if pattern.search(plain)}


def recites(sentence: str) -> bool:
    """Whether a sentence is sorry twice."""
    return len(_ONCE["is sorry"].findall(sentence)) > 1


def points_back(sentence: str) -> bool:
    """Whether a sentence takes up what the customer wrote by a mere "that": it can only come first."""
    return bool(_POINTS_BACK.match(sentence.replace("’", "'")))


def _tokens(text: str) -> list[str]:
    return re.findall(r"[\w{}'’-]+", text.lower())


def _runs(tokens: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[at : at + length]) for at in range(len(tokens) - length + 1)]

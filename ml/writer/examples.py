"""Made-up facts to try a writer on: every situation, mood and subset of slots, with display values
as the product makes them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ml.types import Channel, Fact, Facts
from ml.writer.corpus.compose import Request, sample_request
from ml.writer.corpus.customer import Utterances
from ml.writer.data import NOBODY, message_for
from ml.writer.situations import SITUATIONS

_PAST = ("Monday 16 November", "Thursday 19 November", "Saturday 21 November")
_VALUES: dict[str, tuple[str, ...]] = {
    "amount": ("£48.20", "€1,204.00", "$7.99"),
    "article": ("Returns and refunds", "Ways to pay"),
    "carrier": ("Northline", "Blue Parcel"),
    "choice_a": ("track an order", "get an invoice"),
    "choice_b": ("cancel an order", "ask for a refund"),
    "days_late": ("3 days", "1 day"),
    "email": ("a•••@example.com",),
    "first_name": ("Amara", "José", "Li"),
    "item": ("kettle", "women's running shoes", "bedside lamp"),
    "likely_day": ("Wednesday 25 November", "Thursday 26 November"),
    "item_count": ("3 items", "1 item"),
    "last_event": ("arrival at the depot", "hand-over to the carrier"),
    "new_address": ("4 Mill Lane, Leeds LS1 4DY",),
    "order": ("#W2611340", "#W4817420"),
    "order_count": ("4 orders", "2 orders"),
    "payment_method": ("your Visa card ending 9212", "your PayPal account"),
    "place": ("the Leeds depot", "Campinas"),
    "quote": ("You can return anything unused within 30 days. We pay for the label.",),
    "promise_chance": ("about 9 in 10", "about 2 in 3"),
    "reasons": ("the long route", "a busy week at the warehouse and the holiday on Friday 27 November"),
    "shop": ("Doorstep Demo Shop",),
    "return_deadline": ("Sunday 13 December",),
    "tracking_link": ("https://track.example.com/NL123456",),
    "window_end": ("Friday 27 November", "Monday 30 November"),
    "window_start": ("Tuesday 24 November",),
}


# States as the shop names them, and the situations in which an order can be in each.
_STATUS = ("placed", "paid", "being packed")
_GOING_BACK = ("waiting for its return", "waiting for its exchange")
_STATUSES = {
    "order_returning": _GOING_BACK,
    "refund_closed": _GOING_BACK,
    "order_uncertain": ("on its way", "being packed"),
    "mail_timeline_other": ("held up", *_GOING_BACK),
}
# Where a parcel is on time, the day we promised is still to come.
_ON_TIME = frozenset({"order_placed", "order_in_transit", "mail_timeline_placed", "mail_timeline_transit"})
_TO_COME = ("Monday 30 November", "Tuesday 1 December")


def values(slot: str, situation: str = "") -> tuple[str, ...]:
    """Displays for a slot; every other slot names a day that has passed."""
    if slot == "promised_day" and situation in _ON_TIME:
        return _TO_COME
    if slot == "return_deadline" and situation == "refund_too_late":
        return _PAST
    if slot == "status":
        return _STATUSES.get(situation, _STATUS)
    return _VALUES.get(slot, _PAST)


def sample_facts(
    channel: Channel, count: int, seed: int = 0, spoken: Utterances = NOBODY, *, held_out: bool = True
) -> Iterator[Facts]:
    """Each situation of the channel in turn, everything else at random: mood, slots, told before or not,
    known or a guest, and the customer's message. Of scenarios and messages those that training never
    saw, or with `held_out=False` the others. Deterministic by seed."""
    rng = random.Random(seed)
    names = [name for name, entry in SITUATIONS.items() if entry.channel == channel]
    for turn in range(count):
        request = sample_request(names[turn % len(names)], rng, held_out=held_out)
        yield facts_for(request, message_for(request, rng, spoken, held_out=held_out), rng)


def facts_for(request: Request, said: str, rng: random.Random) -> Facts:
    """The request with display values."""
    entry = SITUATIONS[request.situation]
    return Facts(
        request.situation,
        slots={
            slot: Fact(rng.choice(values(slot, request.situation)), f"example:{slot}")
            for slot in sorted(request.available)
        },
        mood=request.mood,
        channel=entry.channel,
        told=int(request.told),
        committed=frozenset(entry.acts),
        customer_text=said,
        verified=request.verified,
    )

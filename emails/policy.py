"""What holds for every email of a kind: who lets it go, who can stop it, and what makes it a new one.

A suppression holds back what we send unasked. What the customer asked for (a timeline, an invoice)
or needs as a record (a cancellation, a refund) is transactional and goes out all the same. Delivery
emails carry the stop link in either case: from the one that was asked for it stops the unasked ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from emails.models import Draft

Kind = Draft.Kind


@dataclass(frozen=True, slots=True)
class Policy:
    """`situation` is empty where the order's outlook decides it. `news` names the slots that make it
    another email when they change: the same request with the same news is the same row. What is sent
    unasked goes by its news alone, and stays discarded once staff have discarded it."""

    situation: str
    why: str
    news: tuple[str, ...] = ()
    sends_itself: bool = False
    is_unasked: bool = False
    has_stop_link: bool = False
    has_timeline: bool = False
    has_invoice: bool = False


_ARRIVAL = ("promised_day", "window_start", "window_end", "likely_day")

POLICIES: dict[str, Policy] = {
    Kind.DELIVERY_TIMELINE: Policy(
        situation="",
        why="You get this email because you asked us for it.",
        news=(*_ARRIVAL, "status", "last_event", "last_event_day", "place", "delivered_day", "cancelled_day"),
        sends_itself=True,
        has_stop_link=True,
        has_timeline=True,
    ),
    Kind.DELAY_NOTICE: Policy(
        situation="mail_delay_notice",
        why="You get this email because your order is late.",
        news=("promised_day",),  # one notice a promise, however often its window moves
        is_unasked=True,
        has_stop_link=True,
        has_timeline=True,
    ),
    Kind.CANCELLATION: Policy(
        situation="mail_cancelled",
        why="You get this email as your record of the cancellation.",
    ),
    Kind.REFUND_REQUEST: Policy(
        situation="mail_refund_requested",
        why="You get this email as your record of the refund request.",
    ),
    Kind.INVOICE: Policy(
        situation="mail_invoice",
        why="You get this email because you asked for the invoice.",
        news=("amount",),
        has_invoice=True,
    ),
    Kind.COMPLAINT: Policy(
        situation="mail_complaint",
        why="You get this email because you wrote to us about your order.",
        has_timeline=True,
    ),
}

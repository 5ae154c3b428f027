"""Every situation a reply or an email can be about, with the facts it needs.

A skill picks the situation and supplies the slots; the writer's corpus, the plain templates and
the checker are built from the same table, so none of them can drift from the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.types import Channel

# slot → what fills it, with an example as the customer reads it. Days carry their weekday and
# month ("Tuesday 24 November"), never "tomorrow", so "on {likely_day}" is always good English.
SLOTS: dict[str, str] = {
    "amount": "money with currency, £48.20",
    "article": "title of the help article a quote comes from, Returns and refunds",
    "cancelled_day": "day the order was cancelled, Tuesday 24 November",
    "carrier": "who carries the parcel, Northline",
    "choice_a": "first of two things the customer may have meant, track an order",
    "choice_b": "second of two things the customer may have meant, cancel an order",
    "days_late": "how long past the promise, 3 days",
    "delivered_day": "day of delivery, Tuesday 24 November",
    "email": "the customer's address, masked in chat, a•••@example.com",
    "first_name": "first name, Amara",
    "item": "short name of the main item, kettle",
    "item_count": "how many items the order holds, 3 items",
    "last_event": "latest tracking scan as a noun phrase, arrival at the depot",
    "last_event_day": "day of the latest tracking scan, Tuesday 24 November",
    "likely_day": "most likely day of arrival, Tuesday 24 November",
    "new_address": "address the customer gave, 4 Mill Lane, Leeds LS1 4DY",
    "order": "order number as the shop writes it, #W2611340",
    "order_count": "how many orders the customer has, 4 orders",
    "payment_method": "how it was paid, your Visa card ending 9212",
    "place": "where the parcel was last seen, the Leeds depot",
    "placed_day": "day of the order, Tuesday 24 November",
    "promise_chance": "chance that the promised day is kept, about 9 in 10",
    "promised_day": "day the shop promised, Tuesday 24 November",
    "quote": "one or more whole sentences from a help article",
    "reasons": "what weighs most in an estimate, as a noun phrase, the long route and a busy week at the warehouse",
    "refund_day": "day a refund was paid or is due, Tuesday 24 November",
    "return_deadline": "last day for a return, Tuesday 24 November",
    "shipped_day": "day of hand-over to the carrier, Tuesday 24 November",
    "shop": "name of the shop, Doorstep Demo Shop",
    "status": "state of the order as an adjective phrase, being packed",
    "tracking_link": "link to the carrier's tracking page",
    "window_end": "last day of the window, Friday 27 November",
    "window_start": "first day of the window, Tuesday 24 November",
}

# A window of a single day has no start and end to name: these may be missing where required.
COLLAPSIBLE = frozenset({"window_start", "window_end"})


@dataclass(frozen=True, slots=True)
class Situation:
    """`required` slots must appear in the text, `optional` ones may. `acts` are what the text is
    allowed to claim as done (and the skill must pass in `Facts.committed`)."""

    name: str
    channel: Channel
    about: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        return self.required + self.optional


_WINDOW = ("window_start", "window_end", "likely_day")

_CHAT: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    # name, about, required, optional, acts
    # who is asking
    ("ask_identity", "ask for order number and the email or postcode of the order", (), (), ()),
    ("ask_proof", "an order number was given; ask which email or postcode goes with it", (), (), ()),
    ("ask_order_number", "an email or postcode was given; ask for the order number", (), (), ()),
    ("identity_failed", "the pair does not match anything we can open; ask to check both", (), (), ()),
    ("identity_locked", "too many wrong pairs; a colleague can check in person instead", (), (), ()),
    ("identity_ok", "found the order, ask what they want to know", ("order",), ("first_name",), ()),
    (
        "which_order",
        "several orders, ask which one is meant (buttons follow)",
        ("order_count",),
        ("first_name",),
        (),
    ),
    ("no_orders", "no orders under this identity", (), (), ()),
    # where is it
    (
        "order_placed",
        "not handed over yet, estimate known",
        _WINDOW,
        ("order", "item", "promised_day", "placed_day", "reasons", "promise_chance"),
        (),
    ),
    (
        "order_in_transit",
        "with the carrier, on time",
        _WINDOW,
        ("order", "item", "carrier", "place", "shipped_day", "promised_day", "reasons", "promise_chance"),
        (),
    ),
    ("order_out_for_delivery", "on the van today", ("likely_day",), ("order", "item", "carrier"), ()),
    (
        "order_late",
        "past or about to miss the promise, new estimate known",
        ("promised_day", *_WINDOW),
        ("order", "item", "carrier", "place", "last_event_day", "reasons"),
        (),
    ),
    (
        "order_overdue",
        "far past the promise or silent tracking, no honest estimate; offer a colleague",
        ("order",),
        ("promised_day", "item", "carrier", "place", "last_event", "last_event_day"),
        (),
    ),
    ("order_delivered", "already delivered", ("delivered_day",), ("order", "item", "carrier"), ()),
    ("order_cancelled", "order is cancelled, nothing will arrive", ("order",), ("cancelled_day", "item"), ()),
    ("order_returning", "return or exchange has been asked for", ("order", "status"), ("item",), ()),
    (
        "order_exception",
        "lost, damaged or sent back; a colleague has to act",
        ("order",),
        ("carrier", "item", "last_event", "last_event_day"),
        (),
    ),
    (
        "order_no_estimate",
        "state is known, but not enough to name a day",
        ("order", "status"),
        ("item", "item_count"),
        (),
    ),
    (
        "order_uncertain",
        "under way, but the window is too wide to be of use; say so, name no day, offer a colleague",
        ("order",),
        ("status", "item", "carrier", "last_event", "last_event_day"),
        (),
    ),
    # cancel
    (
        "cancel_confirm",
        "say what cancelling does and ask for a yes",
        ("order", "amount"),
        ("item", "payment_method"),
        (),
    ),
    ("cancel_done", "cancelled just now", ("order",), ("amount", "payment_method", "item"), ("cancelled",)),
    ("cancel_kept", "customer said no, order stays", ("order",), ("item",), ()),
    (
        "cancel_refused",
        "too late to cancel, already with the carrier or delivered",
        ("order",),
        ("carrier", "item", "return_deadline"),
        (),
    ),
    # address
    ("address_ask", "ask for the new address", ("order",), (), ()),
    ("address_confirm", "repeat the new address and ask for a yes", ("order", "new_address"), (), ()),
    ("address_done", "address changed just now", ("order", "new_address"), (), ("address_changed",)),
    ("address_kept", "customer said no, address stays", ("order",), (), ()),
    (
        "address_refused",
        "too late, already with the carrier or closed",
        ("order",),
        ("carrier", "tracking_link"),
        (),
    ),
    # refund
    (
        "refund_confirm",
        "say what a refund request does and ask for a yes",
        ("order", "amount"),
        ("item", "payment_method"),
        (),
    ),
    (
        "refund_requested",
        "refund request stored just now, a colleague reviews it",
        ("order", "amount"),
        ("payment_method",),
        ("refund_requested",),
    ),
    ("refund_kept", "customer said no, nothing was requested", ("order",), (), ()),
    (
        "refund_too_early",
        "not delivered yet, so no refund request; cancelling or a colleague instead",
        ("order",),
        ("likely_day",),
        (),
    ),
    ("refund_too_late", "return period is over", ("order", "return_deadline"), (), ()),
    (
        "refund_closed",
        "cancelled, or already asked for, so there is nothing more to request",
        ("order", "status"),
        ("amount",),
        (),
    ),
    (
        "refund_pending",
        "a refund was requested and is not paid yet",
        ("order", "amount"),
        ("payment_method", "placed_day"),
        (),
    ),
    ("refund_paid", "refund was paid", ("order", "amount", "refund_day"), ("payment_method",), ()),
    ("refund_none", "no refund was ever requested for this order", ("order",), (), ()),
    # emails and papers
    ("email_queued", "the timeline is being emailed now", ("email",), ("order",), ("email_queued",)),
    ("email_already", "the same email was asked for before, not sent twice", ("email",), ("order",), ()),
    ("email_no_address", "we hold no email for this order", ("order",), (), ()),
    (
        "invoice_queued",
        "invoice email drafted, a colleague checks and sends it",
        ("order", "email"),
        ("amount",),
        ("email_queued",),
    ),
    # shop questions
    ("policy", "answer from a help article, quoted", ("quote",), ("article",), ()),
    ("policy_unknown", "no article answers it; offer a colleague", (), (), ()),
    # people
    ("handoff_done", "passed on to a colleague, who answers here", (), ("first_name",), ("handed_over",)),
    ("handoff_waiting", "already passed on, colleague still to come, the wait is seen", (), (), ()),
    ("complaint", "own it, ask or offer a colleague at once", (), ("order",), ()),
    ("review", "thank for the feedback, say where it goes", (), ("shop",), ()),
    # small talk and limits
    ("greeting", "hello, ask what it is about", (), ("shop", "first_name"), ()),
    ("thanks", "you're welcome", (), ("first_name",), ()),
    ("goodbye", "goodbye", (), ("first_name",), ()),
    ("nothing_pending", "a yes, no or fragment with no open question; ask what is meant", (), (), ()),
    ("clarify", "two likely meanings, ask which", ("choice_a", "choice_b"), (), ()),
    ("out_of_scope", "not something this desk does; say what it can do", (), ("shop",), ()),
    ("not_understood", "second miss or nothing readable; offer a colleague", (), (), ()),
)

_MAIL: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    ("mail_timeline_placed", "timeline asked for, order not handed over yet", ("order", *_WINDOW), ("first_name", "item", "promised_day", "placed_day", "reasons", "promise_chance", "shop"), ()),
    ("mail_timeline_transit", "timeline asked for, parcel under way and on time", ("order", *_WINDOW), ("first_name", "item", "carrier", "place", "shipped_day", "promised_day", "reasons", "promise_chance", "shop"), ()),
    ("mail_timeline_late", "timeline asked for, parcel late with a new estimate", ("order", "promised_day", *_WINDOW), ("first_name", "item", "carrier", "place", "shipped_day", "reasons", "shop"), ()),
    ("mail_timeline_overdue", "timeline asked for, no honest estimate, a colleague looks", ("order",), ("first_name", "item", "carrier", "promised_day", "last_event", "last_event_day", "shop"), ()),
    ("mail_timeline_delivered", "timeline asked for, delivered", ("order", "delivered_day"), ("first_name", "item", "carrier", "shop"), ()),
    ("mail_timeline_other", "timeline asked for, state known but no day to name", ("order", "status"), ("first_name", "item", "shop"), ()),
    ("mail_delay_notice", "we write first: it will be late", ("order", "promised_day", *_WINDOW), ("first_name", "item", "carrier", "place", "reasons", "shop"), ()),
    ("mail_cancelled", "confirms a cancellation", ("order", "amount"), ("first_name", "item", "payment_method", "shop"), ("cancelled",)),
    ("mail_refund_requested", "confirms that a refund request was received", ("order", "amount"), ("first_name", "item", "payment_method", "shop"), ("refund_requested",)),
    ("mail_invoice", "the invoice that was asked for, as a table below", ("order", "amount"), ("first_name", "item", "placed_day", "payment_method", "shop"), ()),
    ("mail_complaint", "answers a complaint, a colleague signs it", ("order",), ("first_name", "item", "shop"), ()),
)  # fmt: skip


def _table() -> dict[str, Situation]:
    rows = [Situation(name, "chat", about, req, opt, acts) for name, about, req, opt, acts in _CHAT]
    rows += [Situation(name, "mail", about, req, opt, acts) for name, about, req, opt, acts in _MAIL]
    return {row.name: row for row in rows}


SITUATIONS: dict[str, Situation] = _table()

# act → words that claim it; a text may use them only where the facts carry the act as committed.
ACTS: tuple[str, ...] = (
    "cancelled",
    "address_changed",
    "refund_requested",
    "email_queued",
    "handed_over",
)

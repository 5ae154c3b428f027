"""What an email may say: the facts its request was made with, or else those the rows give now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from emails import context, facts
from emails.facts import Row
from emails.models import Draft
from emails.policy import POLICIES
from ml.types import Fact, Facts
from ml.writer.situations import COLLAPSIBLE, SITUATIONS
from orders import lookups
from orders.estimates import Forecaster, Outlook, outlook
from orders.models import MOVING, Order, Status


@dataclass(frozen=True, slots=True)
class Gathered:
    facts: Facts
    timeline: list[Row]
    invoice: list[context.Line]
    link: str
    told: tuple[Order, Outlook] | None  # an estimate that this email is the first to tell

    @property
    def missing(self) -> list[str]:
        """Slots that the situation cannot be told without."""
        required = set(SITUATIONS[self.facts.situation].required) - COLLAPSIBLE
        return sorted(required - set(self.facts.slots))

    @property
    def is_true(self) -> bool:
        """Whether the rows hold what this email would claim as done."""
        return set(SITUATIONS[self.facts.situation].acts) <= self.facts.committed


def gather(draft: Draft, *, model: Forecaster | None, now: datetime) -> Gathered:
    order = lookups.order_by_id(draft.customer, draft.order_id) if draft.order_id else None
    policy = POLICIES[draft.kind]
    seen = outlook(order, model=model, now=now) if order else None
    found = context.unpack(draft.context) if draft.context else _facts(draft, order, seen)
    rows = draft.timeline
    if policy.has_timeline and not rows and order and seen:
        rows = facts.timeline(order, seen)
    return Gathered(
        facts=replace(found, committed=_committed(order)),
        timeline=rows if policy.has_timeline else [],
        invoice=context.invoice(order) if policy.has_invoice and order else [],
        link=_link(order) if policy.has_timeline and order else "",
        told=(order, seen) if policy.has_timeline and order and seen and not draft.context else None,
    )


def news(draft_kind: str, slots: Mapping[str, Fact]) -> list[tuple[str, str]]:
    """What makes this email another one than the last of its kind."""
    return [(slot, slots[slot].display) for slot in POLICIES[draft_kind].news if slot in slots]


def _facts(draft: Draft, order: Order | None, seen: Outlook | None) -> Facts:
    if order is None or seen is None:
        situation = POLICIES[draft.kind].situation or "mail_timeline_other"
        return Facts(situation, facts.customer_slots(draft.customer), channel="mail")
    situation = POLICIES[draft.kind].situation or facts.situation(seen)
    return Facts(situation, facts.order_slots(order, seen), channel="mail")


def _link(order: Order) -> str:
    """The carrier's page, while there is something to follow."""
    parcel = facts.parcel_of(order)
    return parcel.tracking_link if parcel and order.status in MOVING else ""


def _committed(order: Order | None) -> frozenset[str]:
    """The acts that the rows prove, whatever the request believed."""
    acts = {"cancelled"} if order and order.status == Status.CANCELLED else set()
    return frozenset(acts | {"refund_requested"} if order and facts.live_refund(order) else acts)

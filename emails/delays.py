"""We write first where an estimate no longer keeps to what the shop promised."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from emails import drafts
from emails.errors import NoAddress
from emails.facts import order_slots, timeline
from emails.models import Draft
from ml.types import Facts
from ml.writer.situations import SITUATIONS
from orders import paces, watch
from orders.estimates import Forecaster
from orders.watch import Seen

logger = logging.getLogger(__name__)
SITUATION = "mail_delay_notice"


def run(*, model: Forecaster, now: datetime) -> int:
    """Look at the orders whose turn it is; says how many new notices were asked for.

    A notice is one an order and promise, by the draft's key. The estimate that broke the promise and the
    request for its notice are stored together, so a run that dies is made again by the next.
    """
    paces.count_backlog()
    found = watch.look(model=model, now=now)
    with transaction.atomic():
        watch.keep(found, now=now)
        return sum(_ask_for_notice(seen) for seen in found if seen.broke_promise)


def _ask_for_notice(seen: Seen) -> bool:
    slots = order_slots(seen.order, seen.outlook)
    told = {slot: slots[slot] for slot in SITUATIONS[SITUATION].slots if slot in slots}
    try:
        _, created = drafts.request(
            kind=Draft.Kind.DELAY_NOTICE,
            customer=seen.order.customer,
            order=seen.order,
            facts=Facts(SITUATION, told, channel="mail"),
            timeline=timeline(seen.order, seen.outlook),
        )
    except NoAddress:
        logger.info("order %s breaks its promise and its customer has no email", seen.order.pk)
        return False
    return created

"""One shop, three people: Amara ordered a kettle, Ben ordered something else, Sam works at the shop."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from emails import drafts, queue
from emails.facts import order_slots, timeline
from emails.models import Draft
from ml.types import Facts, Forecast, Reason
from orders.estimates import Outlook
from orders.models import Customer, Item, Order, Shipment, Status, TrackingEvent
from tests.fakes import FakeWriter

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MODEL = "delivery 2026-11-01"


@pytest.fixture
def amara(db: None) -> Customer:
    return Customer.objects.create(
        email="amara@example.com",
        first_name="Amara",
        last_name="Okafor",
        timezone="Europe/London",
        external_id="c-1",
    )


@pytest.fixture
def ben(db: None) -> Customer:
    return Customer.objects.create(
        email="ben@example.com", first_name="Ben", timezone="UTC", external_id="c-2"
    )


@pytest.fixture
def order(amara: Customer) -> Order:
    """A kettle and two mugs, with the carrier since Thursday."""
    order = Order.objects.create(
        number="DS-10023",
        customer=amara,
        status=Status.SHIPPED,
        currency="GBP",
        total=Decimal("48.20"),
        placed_at=datetime(2026, 11, 17, 8, 0, tzinfo=UTC),
        paid_at=datetime(2026, 11, 17, 8, 1, tzinfo=UTC),
        promised_at=datetime(2026, 11, 27, 17, 0, tzinfo=UTC),
        payment_method="Visa card ending 9212",
    )
    Item.objects.create(order=order, position=1, name="mug", quantity=2, price=Decimal("6.00"))
    Item.objects.create(
        order=order, position=2, name="kettle", price=Decimal("31.20"), freight=Decimal("5.00")
    )
    shipment = Shipment.objects.create(
        order=order,
        carrier="Northline",
        tracking_number="NL1",
        tracking_link="https://northline.example/t/NL1",
        handed_over_at=datetime(2026, 11, 19, 15, 0, tzinfo=UTC),
    )
    TrackingEvent.objects.create(
        shipment=shipment, at=datetime(2026, 11, 19, 15, 0, tzinfo=UTC), kind=TrackingEvent.Kind.HANDED_OVER
    )
    TrackingEvent.objects.create(
        shipment=shipment,
        at=datetime(2026, 11, 22, 22, 30, tzinfo=UTC),
        kind=TrackingEvent.Kind.ARRIVED,
        place="the Leeds depot",
    )
    return order


@pytest.fixture
def make_outlook() -> Callable[..., Outlook]:
    """An outlook as `orders.estimates` gives one: Tuesday to Friday, most likely Wednesday."""

    def make(kind: str = "in_transit", **changes: Any) -> Outlook:
        values: dict[str, Any] = {
            "window_start": date(2026, 11, 24),
            "window_end": date(2026, 11, 27),
            "likely": date(2026, 11, 25),
            "promised": date(2026, 11, 27),
            "chance": 0.9,
            "forecast": Forecast(
                stage="handed_over",
                at=NOW,
                levels=(0.1, 0.5, 0.9),
                days=(1.0, 2.0, 4.0),
                confidence=0.8,
                too_wide=False,
                reasons=(Reason("distance", 1.4), Reason("load", 0.8), Reason("goods", 0.1)),
                model=MODEL,
                median=2.0,
                below=1.0,
                above=2.0,
            ),
        }
        return Outlook(**({"kind": kind} | values | changes))

    return make


class MailServer:
    """A real SMTP server on a free port. What it took is in `messages`; it can be told to misbehave."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[Envelope] = []
        self.rcpt_reply = ""
        self.data_reply = "250 OK"
        self.hangs_up_after_data = False
        self.before_reply: Callable[[], object] = lambda: None

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if not self.rcpt_reply:
            envelope.rcpt_tos.append(address)
        return self.rcpt_reply or "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.data_reply.startswith("250"):
            self.raw.append(envelope.content)
            self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            self.envelopes.append(envelope)
        await asyncio.to_thread(self.before_reply)
        if self.hangs_up_after_data:
            server.transport.abort()
        return self.data_reply


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    handler = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    yield handler
    controller.stop()


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was queued, in place of a broker."""
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "send", lambda task, draft_id: sent.append((task, draft_id)))
    return sent


@pytest.fixture
def writer() -> FakeWriter:
    return FakeWriter()


@pytest.fixture
def told(order: Order, make_outlook: Callable[..., Outlook]) -> Facts:
    """The facts that a chat told just now."""
    return Facts("mail_timeline_transit", order_slots(order, make_outlook()), channel="mail")


@pytest.fixture
def draft(order: Order, told: Facts, make_outlook: Callable[..., Outlook], writer: FakeWriter) -> Draft:
    """A delivery timeline, written and approved by policy."""
    asked, _ = drafts.request(
        kind=Draft.Kind.DELIVERY_TIMELINE,
        customer=order.customer,
        order=order,
        facts=told,
        timeline=timeline(order, make_outlook()),
    )
    return drafts.write(asked.pk, writer=writer, model=None, now=NOW)

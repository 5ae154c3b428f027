"""Orders as plain values, between whatever they come from and the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Place:
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    lat: float | None = None
    lng: float | None = None


@dataclass(frozen=True, slots=True)
class CustomerRow:
    external_id: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    place: Place = Place()
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SellerRow:
    external_id: str
    name: str = ""
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class ItemRow:
    name: str
    price: Decimal
    sku: str = ""
    options: dict[str, str] = field(default_factory=dict)
    category: str = ""
    quantity: int = 1
    freight: Decimal = Decimal(0)
    weight_g: float | None = None
    volume_cm3: float | None = None
    seller: SellerRow | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    at: datetime
    kind: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    carrier: str = ""
    service: str = ""
    tracking_number: str = ""
    tracking_link: str = ""
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None
    events: tuple[EventRow, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundRow:
    amount: Decimal
    state: str
    reason: str = ""
    requested_at: datetime | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One whole order. All times are aware; `line` is where it stands in its file."""

    number: str
    customer: CustomerRow
    status: str
    currency: str
    total: Decimal
    place: Place = Place()
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    promised_at: datetime | None = None
    cancelled_at: datetime | None = None
    payment_method: str = ""
    items: tuple[ItemRow, ...] = ()
    shipments: tuple[ShipmentRow, ...] = ()
    refunds: tuple[RefundRow, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not imported, where it stands and why, in one clear sentence."""

    file: str
    line: int
    reason: str

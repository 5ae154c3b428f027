"""The tables of the shop, and of what was said about when its parcels arrive."""

from __future__ import annotations

from orders.models.estimates import Backlog, GivenEstimate, Pace
from orders.models.shop import (
    MOVING,
    OPEN,
    PASSABLE,
    TRANSITIONS,
    Customer,
    Item,
    Order,
    Refund,
    Seller,
    Shipment,
    Status,
    TrackingEvent,
    number_key,
)

__all__ = [
    "MOVING",
    "OPEN",
    "PASSABLE",
    "TRANSITIONS",
    "Backlog",
    "Customer",
    "GivenEstimate",
    "Item",
    "Order",
    "Pace",
    "Refund",
    "Seller",
    "Shipment",
    "Status",
    "TrackingEvent",
    "number_key",
]

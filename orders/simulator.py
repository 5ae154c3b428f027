"""A shop that never was: placing, packing, hand-over, transit and trouble, up to a given moment.

Everything follows from (seed, now), so the same call gives the same orders. The numbers below are made
up to feel like a small homeware shop; nothing here was measured anywhere.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from orders.actions import STATUS_AFTER
from orders.models import Refund, Status, TrackingEvent
from orders.rows import (
    CustomerRow,
    EventRow,
    ItemRow,
    OrderRow,
    Place,
    RefundRow,
    SellerRow,
    ShipmentRow,
)
from orders.world import (
    CARRIERS,
    CITIES,
    FIRST_NAMES,
    HUBS,
    LAST_NAMES,
    PRODUCTS,
    STREETS,
    WAREHOUSES,
    WEEKDAYS,
    Carrier,
    City,
    Product,
    Warehouse,
)

Kind = TrackingEvent.Kind
Value = TypeVar("Value")

EXAMPLE_EMAIL = "amara.okafor@example.com"
EXAMPLE_TRIES = 8000
FIRST_NUMBER = 10_001
DAYS = 540  # how far back the shop's history goes
RECENT_DAYS = 14
CUT_OFF = time(14)  # orders placed later are picked the next working day at the earliest
FREE_FREIGHT_FROM = Decimal(60)

SHARE_EXPRESS = 0.25
SHARE_CANCELLED = 0.025
SHARE_HELD = 0.04
SHARE_ATTEMPTED = 0.05
SHARE_LOST = 0.006
SHARE_DAMAGED = 0.004
SHARE_SENT_BACK = 0.005
SHARE_RETURN = 0.03

# Working days from placing that the shop promises, by (express, abroad).
PROMISED_DAYS = {(False, False): 4, (True, False): 3, (False, True): 7, (True, True): 5}


@dataclass(frozen=True)
class Plan:
    customers: int = 2000
    orders: int = 5000
    seed: int = 20
    recent: float = 0.36  # share of the orders placed in the last RECENT_DAYS
    with_example: bool = True


@dataclass(frozen=True, slots=True)
class _Person:
    row: CustomerRow
    city: City


def simulate(plan: Plan, *, now: datetime) -> Iterator[OrderRow]:
    """Orders by the time of placing, none with anything after `now`, numbered DS-10001 onwards."""
    shop = _Shop(plan.seed, now)
    examples = _examples(shop) if plan.with_example else []
    people = [shop.person(index) for index in range(plan.customers - bool(examples))]
    usual = _usual(shop, people, count=plan.orders - len(examples), recent=plan.recent)
    merged = heapq.merge(usual, examples, key=lambda row: row.placed_at or now)
    for index, row in enumerate(merged):
        yield replace(row, number=f"DS-{FIRST_NUMBER + index}")


def _usual(shop: _Shop, people: list[_Person], *, count: int, recent: float) -> Iterator[OrderRow]:
    """Everyone orders once; who orders more is drawn, and a few do so again and again."""
    again = (len(people) * shop.rng.random(max(0, count - len(people))) ** 1.4).astype(int)
    who = np.concatenate([np.arange(len(people)), again])
    shop.rng.shuffle(who)
    for placed, index in zip(shop.times(count, recent), who, strict=False):
        yield shop.order(people[int(index)], placed)


class _Shop:
    def __init__(self, seed: int, now: datetime) -> None:
        self.rng: Generator = np.random.default_rng(seed)
        self.now = now
        self._seed = seed
        self._loads: dict[tuple[str, int], float] = {}
        shares = np.array([city.share for city in CITIES], dtype=float)
        self._city_shares = shares / shares.sum()

    def times(self, count: int, recent: float) -> list[datetime]:
        """When orders were placed, oldest first: more in the evening, more lately."""
        lately = self.rng.random(count) < recent
        ages = np.where(lately, self.rng.random(count) * RECENT_DAYS, self.rng.random(count) * DAYS)
        hours = np.clip(self.rng.normal(17.5, 4.2, count), 0.2, 23.8)
        times = []
        for age, hour in zip(ages, hours, strict=True):
            day = (self.now - timedelta(days=float(age))).replace(hour=0, minute=0, second=0, microsecond=0)
            at = day + timedelta(seconds=round(float(hour) * 3600))
            # an hour of today that has not come yet belongs to the day before
            times.append(at if at < self.now else at - timedelta(days=1))
        return sorted(times)

    def person(self, index: int) -> _Person:
        rng = self.rng
        first, last = self.pick(FIRST_NAMES), self.pick(LAST_NAMES)
        city = CITIES[int(rng.choice(len(CITIES), p=self._city_shares))]
        # the index keeps two people of one name apart
        return self.resident(f"{first}.{last}{index}@example.com".lower(), first, last, city, f"demo-{index}")

    def resident(self, email: str, first: str, last: str, city: City, external_id: str) -> _Person:
        place = Place(
            line1=f"{int(self.rng.integers(1, 180))} {self.pick(STREETS)}",
            city=city.name,
            region=city.region,
            postcode=self._postcode(city.postcode),
            country=city.country,
            lat=round(city.lat + float(self.rng.normal(0, 0.04)), 4),
            lng=round(city.lng + float(self.rng.normal(0, 0.06)), 4),
        )
        return _Person(CustomerRow(external_id, email, first, last, place, city.timezone), city)

    def order(self, person: _Person, placed: datetime) -> OrderRow:
        """One order from its placing to `now`, without a number."""
        items = self._items()
        goods = sum((item.price * item.quantity for item in items), Decimal(0))
        express = bool(self.rng.random() < SHARE_EXPRESS)
        freight = self._freight(goods, express=express)
        warehouse = self._warehouse(person.city)
        seller = _seller_row(warehouse)
        lines = tuple(
            replace(item, seller=seller, freight=freight if position == 0 else Decimal(0))
            for position, item in enumerate(items)
        )
        row = OrderRow(
            number="",
            customer=person.row,
            status=Status.PLACED,
            currency="GBP",
            total=goods + freight,
            place=person.row.place,
            placed_at=placed,
            paid_at=placed + timedelta(seconds=int(self.rng.integers(20, 260))),
            promised_at=self._promise(person.city, placed, express=express),
            payment_method=self._payment_method(),
            items=lines,
        )
        return self._happen(row, person.city, warehouse, express=express)

    def _happen(self, row: OrderRow, city: City, warehouse: Warehouse, *, express: bool) -> OrderRow:
        assert row.placed_at is not None
        handed_over = self._hand_over(row.placed_at, warehouse, express=express)
        if self.rng.random() < SHARE_CANCELLED:
            cancelled = _neat(
                row.placed_at + (handed_over - row.placed_at) * float(self.rng.uniform(0.05, 0.6))
            )
            if cancelled < self.now:
                return self._cancelled(row, cancelled)
        carrier = self._carrier(city.country)
        packed = handed_over - min(self._hours(1, 5), (handed_over - row.placed_at) / 2)
        events = [EventRow(_neat(packed), Kind.LABEL, warehouse.city)]
        events += self._journey(city, warehouse, carrier, handed_over, express=express)
        past = tuple(event for event in events if event.at <= self.now)
        if not past:
            return replace(row, status=self._waiting_status(row.placed_at))
        tracking = f"{carrier.prefix}{int(self.rng.integers(10**8, 10**9))}GB"
        shipment = ShipmentRow(
            carrier=carrier.name,
            service="express" if express else "standard",
            tracking_number=tracking,
            tracking_link=f"https://{carrier.name.lower().replace(' ', '-')}.example/track/{tracking}",
            handed_over_at=_time_of(past, Kind.HANDED_OVER),
            delivered_at=_time_of(past, Kind.DELIVERED),
            events=past,
        )
        return self._after(
            replace(row, status=_status_after(past), shipments=(shipment,)), shipment.delivered_at
        )

    def _after(self, row: OrderRow, delivered: datetime | None) -> OrderRow:
        """What a customer does with it once it is there."""
        if delivered is None or self.rng.random() >= SHARE_RETURN:
            return row
        asked = delivered + self._hours(24, 288)
        if asked > self.now:
            return row
        paid = asked + self._hours(144, 288)
        if paid > self.now:
            return replace(
                row,
                status=Status.RETURN_REQUESTED,
                refunds=(RefundRow(row.total, Refund.State.REQUESTED, "changed my mind", asked),),
            )
        refund = RefundRow(row.total, Refund.State.PAID, "changed my mind", asked, paid)
        return replace(row, status=Status.RETURNED, refunds=(refund,))

    def _cancelled(self, row: OrderRow, at: datetime) -> OrderRow:
        paid = at + self._hours(24, 96)
        is_paid = paid < self.now
        state = Refund.State.PAID if is_paid else Refund.State.APPROVED
        refund = RefundRow(row.total, state, "cancelled by customer", at, paid if is_paid else None)
        return replace(row, status=Status.CANCELLED, cancelled_at=at, refunds=(refund,))

    def _waiting_status(self, placed: datetime) -> Status:
        age = self.now - placed
        if age < timedelta(minutes=10):
            return Status.PLACED
        return Status.PAID if age < timedelta(hours=5) else Status.PROCESSING

    # --- placing

    def _items(self) -> list[ItemRow]:
        count = int(self.rng.choice([1, 2, 3, 4], p=[0.62, 0.25, 0.09, 0.04]))
        chosen = self.rng.choice(len(PRODUCTS), size=count, replace=False)
        return [self._item(PRODUCTS[int(index)]) for index in chosen]

    def _item(self, product: Product) -> ItemRow:
        return ItemRow(
            name=product.name,
            price=product.price,
            sku=product.name.upper().replace(" ", "-")[:24],
            options={name: self.pick(values) for name, values in product.options},
            category=product.category,
            quantity=int(self.rng.choice([1, 2, 3], p=[0.88, 0.09, 0.03])),
            weight_g=product.weight_g,
            volume_cm3=product.volume_cm3,
        )

    def _freight(self, goods: Decimal, *, express: bool) -> Decimal:
        if express:
            return Decimal("8.50")
        return Decimal(0) if goods >= FREE_FREIGHT_FROM else Decimal("3.90")

    def _payment_method(self) -> str:
        if self.rng.random() < 0.3:
            return self.pick(("PayPal", "gift card"))
        return f"{self.pick(('Visa', 'Mastercard'))} card ending {int(self.rng.integers(1000, 10_000))}"

    def _promise(self, city: City, placed: datetime, *, express: bool) -> datetime:
        """The evening of the promised day where the customer lives."""
        zone = ZoneInfo(city.timezone)
        at = placed.astimezone(zone)
        days = PROMISED_DAYS[express, city.country != "GB"] + _misses_cut_off(at, WEEKDAYS)
        at = _add_workdays(at, days, WEEKDAYS)
        return at.replace(hour=20, minute=0, second=0, microsecond=0).astimezone(placed.tzinfo)

    def _postcode(self, pattern: str) -> str:
        symbols = {"#": "123456789", "@": "ABDEFGHJLNPQRSTUWXYZ"}
        return "".join(self.pick(symbols[char]) if char in symbols else char for char in pattern)

    # --- packing

    def _warehouse(self, city: City) -> Warehouse:
        if self.rng.random() < 0.25:  # only that one has the goods
            return self.pick(WAREHOUSES)
        return min(WAREHOUSES, key=lambda w: _km(w.lat, w.lng, city.lat, city.lng))

    def _hand_over(self, placed: datetime, warehouse: Warehouse, *, express: bool) -> datetime:
        at = placed.astimezone(ZoneInfo(warehouse.timezone))
        queue = warehouse.queue * self._load(warehouse, at) * (0.4 if express else 1.0)
        days = int(self.rng.poisson(queue)) + _misses_cut_off(at, warehouse.workdays)
        day = _add_workdays(_next_workday(at, warehouse.workdays), days, warehouse.workdays)
        return _at_hour(day, 16.5 + float(self.rng.uniform(0, 1.5))).astimezone(placed.tzinfo)

    def _load(self, warehouse: Warehouse, at: datetime) -> float:
        """How busy a warehouse is in a week, around 1: the season, Mondays and luck."""
        week = at.toordinal() // 7
        if (warehouse.code, week) not in self._loads:
            luck = np.random.default_rng([self._seed, week, len(warehouse.code)]).lognormal(0, 0.25)
            self._loads[warehouse.code, week] = float(luck)
        season = 1.7 if (at.month, at.day) >= (11, 20) and (at.month, at.day) <= (12, 23) else 1.0
        return self._loads[warehouse.code, week] * season * (1.25 if at.weekday() == 0 else 1.0)

    # --- the way

    def _carrier(self, country: str) -> Carrier:
        shares = np.array([carrier.share.get(country, carrier.share[""]) for carrier in CARRIERS])
        return CARRIERS[int(self.rng.choice(len(CARRIERS), p=shares / shares.sum()))]

    def _journey(
        self, city: City, warehouse: Warehouse, carrier: Carrier, handed_over: datetime, *, express: bool
    ) -> list[EventRow]:
        """All that will happen to the parcel from the hand-over on, in order of time."""
        first_hub = min(HUBS, key=lambda hub: _km(*HUBS[hub], warehouse.lat, warehouse.lng))
        events = [EventRow(handed_over, Kind.HANDED_OVER, warehouse.city)]
        if first_hub != city.hub:
            events.append(EventRow(handed_over + self._hours(1.5, 4), Kind.ARRIVED, first_hub))
            events.append(EventRow(events[-1].at + self._hours(1, 4), Kind.DEPARTED, first_hub))
        arrival = self._arrival(city, warehouse, carrier, handed_over, express=express)
        events += self._last_depot(city, max(arrival, events[-1].at + self._hours(2, 4)))
        return self._end(city, carrier, events)

    def _arrival(
        self, city: City, warehouse: Warehouse, carrier: Carrier, handed_over: datetime, *, express: bool
    ) -> datetime:
        """At the last depot. Depots rest on Sunday; a border takes its time."""
        km = 1.25 * _km(warehouse.lat, warehouse.lng, *HUBS[city.hub])
        hours = (carrier.base_hours + km / carrier.km_per_hour) * (0.55 if express else 1.0)
        if city.country != warehouse.country:
            hours += float(self.rng.uniform(10, 44)) * (0.6 if express else 1.0)
        at = handed_over + timedelta(hours=hours * float(self.rng.lognormal(0, carrier.spread)))
        days = range(1, (at - handed_over).days + 2)
        sundays = sum((handed_over + timedelta(days=day)).weekday() == 6 for day in days)
        return _neat(at if express else at + timedelta(hours=14 * sundays))

    def _last_depot(self, city: City, at: datetime) -> list[EventRow]:
        events = [EventRow(at, Kind.ARRIVED, city.hub)]
        if self.rng.random() < SHARE_HELD:
            held = at + self._hours(1, 3)
            events += [
                EventRow(held, Kind.HELD, city.hub),
                EventRow(_neat(held + timedelta(days=0.5 + self.rng.gamma(2, 1.1))), Kind.DEPARTED, city.hub),
            ]
        return events

    def _end(self, city: City, carrier: Carrier, events: list[EventRow]) -> list[EventRow]:
        luck = self.rng.random()
        last = events[-1].at
        if luck < SHARE_LOST:
            return [*events, EventRow(last + self._hours(216, 288), Kind.LOST, city.hub)]
        if luck < SHARE_LOST + SHARE_DAMAGED:
            return [*events, EventRow(last + self._hours(2, 20), Kind.DAMAGED, city.hub)]
        van = self._van(city, carrier, last)
        events = [*events, EventRow(van, Kind.OUT_FOR_DELIVERY, city.hub)]
        if self.rng.random() < SHARE_ATTEMPTED:
            tried = van + self._hours(2, 9)
            van = self._van(city, carrier, tried)
            events += [
                EventRow(tried, Kind.ATTEMPTED, city.name),
                EventRow(van, Kind.OUT_FOR_DELIVERY, city.hub),
            ]
        if luck < SHARE_LOST + SHARE_DAMAGED + SHARE_SENT_BACK:
            return [*events, EventRow(van + self._hours(24, 90), Kind.SENT_BACK, city.hub)]
        return [*events, EventRow(van + self._hours(1.5, 11), Kind.DELIVERED, city.name)]

    def _van(self, city: City, carrier: Carrier, ready: datetime) -> datetime:
        """When a parcel that is ready is loaded: early on the next delivery day."""
        local = ready.astimezone(ZoneInfo(city.timezone))
        loaded = _at_hour(local, 6 + float(self.rng.uniform(0, 2)))
        if loaded <= local:
            loaded += timedelta(days=1)
        while loaded.weekday() not in carrier.delivery_days:
            loaded += timedelta(days=1)
        return loaded.astimezone(ready.tzinfo)

    def _hours(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=round(3600 * float(self.rng.uniform(low, high))))

    def pick(self, values: Sequence[Value]) -> Value:
        return values[int(self.rng.integers(len(values)))]


def _examples(shop: _Shop) -> list[OrderRow]:
    """Four orders of one customer whom the demo introduces, one for each common question."""
    leeds = next(city for city in CITIES if city.name == "Leeds")
    amara = shop.resident(EXAMPLE_EMAIL, "Amara", "Okafor", leeds, "demo-amara")
    today = shop.now.date()
    hour = 1 / 24
    wanted: list[tuple[float, float, Callable[[OrderRow], bool]]] = [
        (
            5,
            10,
            lambda row: row.status == Status.DELIVERED and _delivered_after(row, today - timedelta(days=4)),
        ),
        (6, 12, lambda row: _is_rolling(row, shop.now) and _promised(row) < today),
        (1, 4, lambda row: _is_rolling(row, shop.now) and _promised(row) > today),
        (0.5 * hour, 4 * hour, lambda row: row.status == Status.PAID),
    ]
    found = (_first_like(shop, amara, oldest, newest, like) for newest, oldest, like in wanted)
    return sorted((row for row in found if row), key=lambda row: row.placed_at or shop.now)


def _first_like(
    shop: _Shop, person: _Person, oldest: float, newest: float, like: Callable[[OrderRow], bool]
) -> OrderRow | None:
    """Orders are drawn until one fits; none may, on the eve of a long weekend."""
    for _ in range(EXAMPLE_TRIES):
        row = shop.order(
            person, shop.now - timedelta(seconds=round(86_400 * shop.rng.uniform(newest, oldest)))
        )
        if like(row):
            return row
    return None


def _is_rolling(row: OrderRow, now: datetime) -> bool:
    """Scanned on its way not long ago, and not held up."""
    if row.status != Status.SHIPPED or not row.shipments:
        return False
    last = row.shipments[0].events[-1]
    return last.kind in (Kind.ARRIVED, Kind.DEPARTED) and now - last.at < timedelta(days=2.5)


def _promised(row: OrderRow) -> date:
    assert row.promised_at is not None
    return row.promised_at.date()


def _delivered_after(row: OrderRow, day: date) -> bool:
    delivered = row.shipments[0].delivered_at
    return delivered is not None and delivered.date() >= day


def _seller_row(warehouse: Warehouse) -> SellerRow:
    place = Place(
        city=warehouse.city,
        region=warehouse.region,
        postcode=warehouse.postcode,
        country=warehouse.country,
        lat=warehouse.lat,
        lng=warehouse.lng,
    )
    return SellerRow(warehouse.code, warehouse.name, place)


def _status_after(events: Sequence[EventRow]) -> Status:
    status = Status.PROCESSING
    for event in events:
        status = STATUS_AFTER.get(event.kind, status)
    return status


def _time_of(events: Sequence[EventRow], kind: str) -> datetime | None:
    return next((event.at for event in events if event.kind == kind), None)


def _neat(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _misses_cut_off(at: datetime, workdays: frozenset[int]) -> bool:
    return at.weekday() in workdays and at.time() > CUT_OFF


def _next_workday(at: datetime, workdays: frozenset[int]) -> datetime:
    while at.weekday() not in workdays:
        at += timedelta(days=1)
    return at


def _add_workdays(at: datetime, days: int, workdays: frozenset[int]) -> datetime:
    for _ in range(days):
        at = _next_workday(at + timedelta(days=1), workdays)
    return at


def _at_hour(at: datetime, hour: float) -> datetime:
    return at.replace(hour=int(hour), minute=int(hour % 1 * 60), second=0, microsecond=0)


def _km(lat_a: float, lng_a: float, lat_b: float, lng_b: float) -> float:
    """Flat distance, near enough for a made-up road."""
    x = (lng_b - lng_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return 111.2 * math.hypot(lat_b - lat_a, x)

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ml.types import Reason
from orders.consignments import consignment
from orders.estimates import outlook, outlooks
from orders.models import Seller, Status, TrackingEvent
from tests import factories
from tests.fakes import FakeForecaster as Model
from tests.fakes import Quantiles

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
Kind = TrackingEvent.Kind
USUAL = Quantiles(1.5, 3.0, 5.0)


def order(**fields):
    defaults = {"placed_at": NOW - timedelta(days=2), "promised_at": NOW + timedelta(days=4)}
    return factories.order(**defaults | fields)


def test_an_order_that_is_packed_counts_from_its_placing():
    placed = order(status=Status.PROCESSING)
    model = Model()
    seen = outlook(placed, model=model, now=NOW)
    assert seen.kind == "placed"
    assert (seen.window_start, seen.likely, seen.window_end) == (
        date(2026, 11, 23),
        date(2026, 11, 24),
        date(2026, 11, 26),
    )
    assert (seen.promised, seen.days_late, seen.placed, seen.shipped) == (
        date(2026, 11, 27),
        0,
        date(2026, 11, 21),
        None,
    )
    assert (seen.forecast.stage, seen.forecast.model) == ("placed", "fake-1")
    assert model.asked[0].handed_over_at is None


def test_a_parcel_under_way_counts_from_its_hand_over():
    model = Model()
    seen = outlook(order(), model=model, now=NOW)
    assert seen.kind == "in_transit"
    assert seen.likely == date(2026, 11, 25)
    assert seen.forecast.stage == "handed_over"


def test_days_are_those_of_the_customers_zone():
    tokyo = factories.customer(timezone="Asia/Tokyo")
    model = Model(Quantiles(3.6, 3.7, 3.8))
    parcel = order(of=tokyo, placed_at=NOW - timedelta(days=4), promised_at=NOW + timedelta(hours=4))
    seen = outlook(parcel, model=model, now=NOW)
    # hand-over at noon UTC on the 20th, so 3.7 days later it is past midnight in Tokyo, on the 24th
    assert seen.likely == date(2026, 11, 24)
    assert seen.promised == date(2026, 11, 24)
    assert seen.kind == "in_transit"


@pytest.mark.parametrize("low", [-3.0, 0.0, 0.5])
def test_nothing_is_expected_in_the_past(low):
    seen = outlook(order(), model=Model(Quantiles(low, low + 0.1, low + 0.2)), now=NOW)
    assert seen.window_start == seen.likely == seen.window_end == NOW.date()


def test_a_median_beyond_the_promised_day_is_late_before_it_happens():
    seen = outlook(order(promised_at=NOW + timedelta(days=1)), model=Model(), now=NOW)
    assert (seen.kind, seen.likely, seen.promised, seen.days_late) == (
        "late",
        date(2026, 11, 25),
        date(2026, 11, 24),
        1,
    )


def test_arriving_on_the_promised_day_is_on_time_at_any_hour():
    promised = NOW.replace(hour=0) + timedelta(days=2)
    assert outlook(order(promised_at=promised), model=Model(), now=NOW).kind == "in_transit"


def test_a_missed_promise_is_late_and_packed_orders_can_be_late_too():
    missed = NOW - timedelta(days=1)
    assert outlook(order(promised_at=missed), model=Model(), now=NOW).days_late == 3
    packed = outlook(order(status=Status.PROCESSING, promised_at=missed), model=Model(), now=NOW)
    assert packed.kind == "late"


@pytest.mark.parametrize("model", [Model(days=None), Model(Quantiles(1, 9, 60)), None])
def test_without_an_honest_estimate_no_day_is_named(model):
    missed = outlook(order(promised_at=NOW - timedelta(days=3)), model=model, now=NOW)
    assert (missed.kind, missed.likely, missed.window_start, missed.days_late) == ("overdue", None, None, 3)
    within = outlook(order(), model=model, now=NOW)
    assert (within.kind, within.likely, within.chance) == (
        "uncertain" if model else "no_estimate",
        None,
        None,
    )


def test_how_wide_is_too_wide_is_a_setting(settings):
    wide = Model(Quantiles(2, 5, 12))
    assert outlook(order(), model=wide, now=NOW).kind == "in_transit"
    settings.ESTIMATE_WIDEST = 9
    assert outlook(order(), model=wide, now=NOW).kind == "uncertain"


def test_the_confidence_is_a_setting(settings):
    settings.ESTIMATE_CONFIDENCE = 0.6
    seen = outlook(order(), model=Model(), now=NOW)
    assert seen.forecast.confidence == 0.6
    assert seen.forecast.levels[1:3] == pytest.approx((0.2, 0.5))


def test_the_chance_of_the_promise_counts_until_the_end_of_its_day():
    parcel = order(promised_at=(NOW + timedelta(days=2)).replace(hour=8))
    # one day after the hand-over: half by Wednesday noon, 84 in 100 by Friday noon
    assert outlook(parcel, model=Model(), now=NOW).chance == pytest.approx(0.5 + 0.34 * 0.25)
    sure = outlook(order(promised_at=NOW + timedelta(days=9)), model=Model(), now=NOW)
    assert sure.chance == pytest.approx(0.9)
    missed = outlook(order(promised_at=NOW - timedelta(days=1)), model=Model(), now=NOW)
    assert missed.chance is None
    assert outlook(order(promised_at=None), model=Model(), now=NOW).chance is None


def test_a_carrier_that_fell_silent_makes_it_overdue():
    parcel = order(placed_at=NOW - timedelta(days=12), promised_at=NOW + timedelta(days=1))
    shipment = parcel.shipments.get()
    shipment.events.create(kind=Kind.ARRIVED, at=NOW - timedelta(days=8), place="Leeds")
    assert outlook(parcel, model=Model(Quantiles(9, 12, 20)), now=NOW).kind == "overdue"
    shipment.events.create(kind=Kind.DEPARTED, at=NOW - timedelta(days=1), place="Leeds")
    fresh = type(parcel).objects.get(pk=parcel.pk)
    assert outlook(fresh, model=Model(Quantiles(11, 12, 20)), now=NOW).kind == "in_transit"


def test_a_carrier_that_never_scans_is_not_silent():
    parcel = order(placed_at=NOW - timedelta(days=12))
    assert outlook(parcel, model=Model(Quantiles(11, 12, 20)), now=NOW).kind == "in_transit"


def test_on_the_van_means_today():
    van = order(status=Status.OUT_FOR_DELIVERY, promised_at=NOW - timedelta(days=1))
    van.shipments.get().events.create(kind=Kind.OUT_FOR_DELIVERY, at=NOW - timedelta(hours=5), place="Leeds")
    today = Model(Quantiles(1.0, 1.1, 1.2))
    seen = outlook(van, model=today, now=NOW)
    assert (seen.kind, seen.likely, seen.window_end) == ("out_for_delivery", NOW.date(), NOW.date())
    assert today.asked[0].out_for_delivery_at == NOW - timedelta(hours=5)
    at_night = outlook(van, model=today, now=NOW.replace(hour=22))
    assert at_night.kind == "late"
    assert outlook(van, model=Model(), now=NOW).kind == "late"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.CANCELLED, "cancelled"),
        (Status.RETURN_REQUESTED, "returning"),
        (Status.EXCHANGE_REQUESTED, "returning"),
        (Status.RETURNED, "returning"),
        (Status.EXCEPTION, "exception"),
        (Status.DELIVERED, "delivered"),
    ],
)
def test_what_nobody_waits_for_has_no_estimate(status, kind):
    settled = order(status=status)
    seen = outlook(settled, model=Model(), now=NOW)
    assert (seen.kind, seen.likely, seen.forecast) == (kind, None, None)


def test_a_delivery_without_a_date_names_no_day():
    undated = order(status=Status.DELIVERED, placed_at=None, promised_at=None, shipped=False)
    seen = outlook(undated, model=Model(), now=NOW)
    assert (seen.kind, seen.delivered) == ("no_estimate", None)


def test_an_order_of_unknown_age_has_no_estimate():
    undated = order(placed_at=None, promised_at=None, shipped=False)
    assert outlook(undated, model=Model(), now=NOW).kind == "no_estimate"


def test_an_order_waits_for_its_slowest_parcel():
    both = order()
    factories.shipment(both, handed_over_at=NOW - timedelta(hours=6))
    model = Model()
    outlook(both, model=model, now=NOW)
    assert model.asked[0].handed_over_at == NOW - timedelta(hours=6)
    factories.shipment(both, handed_over_at=None)
    outlook(type(both).objects.get(pk=both.pk), model=model, now=NOW)
    assert model.asked[0].handed_over_at is None


def test_many_at_once_say_what_each_says_alone():
    rows = [order(), order(status=Status.PROCESSING), order(status=Status.CANCELLED), order(placed_at=None)]
    model = Model(reasons=(Reason("route", 1.0),))
    together = outlooks(rows, model=model, now=NOW)
    assert len(model.asked) == 2
    assert together == [outlook(row, model=model, now=NOW) for row in rows]
    assert together[0].forecast.reasons == (Reason("route", 1.0),)


def test_rows_become_plain_values():
    seller = Seller.objects.create(
        external_id="leeds", source="test", country="GB", region="West Yorkshire", lat=53.8
    )
    bought = order(
        status=Status.DELIVERED, items=("kettle", "mug set"), region="Cornwall", lat=50.3, lng=-5.1
    )
    bought.items.update(seller=seller, weight_g=700, freight=2, quantity=2)
    row = consignment(type(bought).objects.get(pk=bought.pk), finished=True)
    assert (row.seller, row.origin_region, row.region) == ("leeds", "GB-West Yorkshire", "GB-Cornwall")
    assert (row.weight_g, row.freight, row.items, row.volume_cm3) == (2800.0, 4.0, 4.0, None)
    assert row.price == pytest.approx(float(bought.total) * 2)
    assert row.delivered_at == bought.delivered_at
    assert consignment(bought).delivered_at is None


def test_a_consignment_holds_the_scans_of_its_parcel_and_nothing_of_the_customers_card():
    parcel = order(status=Status.OUT_FOR_DELIVERY, payment_method="Visa card ending 9212")
    events = parcel.shipments.get().events
    for kind, hours in ((Kind.DEPARTED, 9), (Kind.ARRIVED, 12), (Kind.OUT_FOR_DELIVERY, 5), (Kind.LABEL, 30)):
        events.create(kind=kind, at=NOW - timedelta(hours=hours), place="Leeds")
    row = consignment(type(parcel).objects.get(pk=parcel.pk))
    assert row.scans == (NOW - timedelta(hours=12), NOW - timedelta(hours=9))
    assert row.out_for_delivery_at == NOW - timedelta(hours=5)
    assert (row.paid_at, row.payment, row.country) == (parcel.paid_at, "Visa card", "GB")

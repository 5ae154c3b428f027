from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders import actions
from orders.errors import AddressError, RefundError, TransitionError
from orders.models import TRANSITIONS, Order, Refund, Status, TrackingEvent
from tests import factories

Kind = TrackingEvent.Kind


@pytest.mark.django_db
def test_cancelling_a_paid_order_refunds_it():
    order = factories.order(status=Status.PROCESSING)
    cancelled = actions.cancel_order(order=order, reason="changed my mind")
    assert (cancelled.status, cancelled.cancelled_at is not None) == (Status.CANCELLED, True)
    refund = Refund.objects.get(order=order)
    assert (refund.amount, refund.state, refund.reason) == (order.total, "approved", "changed my mind")


@pytest.mark.django_db
def test_cancelling_an_unpaid_order_refunds_nothing():
    order = factories.order(status=Status.PLACED, paid_at=None)
    actions.cancel_order(order=order, reason="")
    assert not Refund.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "status", [Status.SHIPPED, Status.OUT_FOR_DELIVERY, Status.DELIVERED, Status.EXCEPTION, Status.RETURNED]
)
def test_an_order_that_left_cannot_be_cancelled_nor_readdressed(status):
    order = factories.order(status=status)
    with pytest.raises(TransitionError, match=order.number):
        actions.cancel_order(order=order, reason="")
    with pytest.raises(TransitionError, match=order.number):
        actions.change_shipping_address(order=order, address="4 Mill Lane, Leeds LS1 4DY")
    order.refresh_from_db()
    assert order.status == status
    assert order.line1 == "12 Albion Street"


@pytest.mark.django_db
def test_cancelling_looks_at_the_row_and_not_at_what_the_caller_holds():
    stale = factories.order(status=Status.PAID)
    Order.objects.filter(pk=stale.pk).update(status=Status.SHIPPED)
    with pytest.raises(TransitionError):
        actions.cancel_order(order=stale, reason="")


@pytest.mark.django_db(transaction=True)
def test_two_who_cancel_at_once_cancel_once():
    order = factories.order(status=Status.PAID)
    results: list[str] = []
    together = threading.Barrier(2)

    def cancel() -> None:
        try:
            together.wait(timeout=10)
            results.append(actions.cancel_order(order=order, reason="both of us").status)
        finally:
            connection.close()

    threads = [threading.Thread(target=cancel) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [Status.CANCELLED, Status.CANCELLED]
    assert Refund.objects.filter(order=order).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_and_a_hand_over_at_once_leave_one_story():
    order = factories.order(status=Status.PROCESSING, shipped=True)
    parcel = order.shipments.get()
    outcome: list[str] = []
    together = threading.Barrier(2)

    def cancel() -> None:
        try:
            together.wait(timeout=10)
            actions.cancel_order(order=order, reason="")
            outcome.append("cancelled")
        except TransitionError:
            outcome.append("refused")
        finally:
            connection.close()

    def hand_over() -> None:
        try:
            together.wait(timeout=10)
            actions.record_event(shipment=parcel, kind=Kind.DEPARTED, at=timezone.now(), place="Leeds")
        finally:
            connection.close()

    threads = [threading.Thread(target=cancel), threading.Thread(target=hand_over)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    order.refresh_from_db()
    assert (outcome, order.status) in [(["cancelled"], Status.CANCELLED), (["refused"], Status.SHIPPED)]


@pytest.mark.django_db
def test_the_address_is_replaced_as_a_whole():
    order = factories.order(status=Status.PAID, line2="Flat 2", region="West Yorkshire", lat=53.8, lng=-1.5)
    changed = actions.change_shipping_address(order=order, address="4 Mill Lane, York YO1 9QL")
    changed.refresh_from_db()
    assert (changed.line1, changed.line2, changed.city) == ("4 Mill Lane", "", "York")
    assert (changed.postcode, changed.region, changed.lat, changed.lng) == ("YO1 9QL", "", None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "   ", "no thanks", "12345", "x" * 500 + " 1"])
def test_what_is_no_address_changes_nothing(text):
    order = factories.order(status=Status.PAID)
    with pytest.raises(AddressError):
        actions.change_shipping_address(order=order, address=text)
    order.refresh_from_db()
    assert order.line1 == "12 Albion Street"


@pytest.mark.django_db
def test_asking_for_a_refund_twice_is_asking_once():
    order = factories.order(status=Status.DELIVERED)
    first = actions.request_refund(order=order, reason="broken")
    second = actions.request_refund(order=order, reason="still broken")
    assert (first.pk, first.amount, first.state) == (second.pk, order.total, "requested")
    assert Refund.objects.count() == 1


@pytest.mark.django_db
def test_after_a_refusal_a_refund_can_be_asked_for_again():
    order = factories.order(status=Status.DELIVERED)
    Refund.objects.create(order=order, amount=1, state=Refund.State.REFUSED)
    assert actions.request_refund(order=order, reason="").state == "requested"


@pytest.mark.django_db
def test_a_refund_is_for_what_was_delivered_within_thirty_days():
    now = timezone.now()
    on_its_way = factories.order(status=Status.SHIPPED)
    old = factories.order(status=Status.DELIVERED, placed_at=now - timedelta(days=40))
    on_last_day = factories.order(status=Status.DELIVERED, placed_at=now - timedelta(days=32))
    with pytest.raises(RefundError, match="not delivered yet"):
        actions.request_refund(order=on_its_way, reason="")
    with pytest.raises(RefundError, match="return period"):
        actions.request_refund(order=old, reason="")
    assert actions.return_deadline(on_last_day) == now.astimezone(on_last_day.customer.zone).date()
    assert actions.request_refund(order=on_last_day, reason="").pk


@pytest.mark.django_db
def test_a_delivery_without_a_date_has_no_deadline():
    order = factories.order(status=Status.DELIVERED, placed_at=None, shipped=False)
    assert actions.return_deadline(order) is None
    assert actions.request_refund(order=order, reason="").pk


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.CANCELLED, Status.RETURNED])
def test_nothing_is_left_to_refund_once_it_is_closed(status):
    order = factories.order(status=status)
    assert actions.refund_standing(order, now=timezone.now()) == "closed"
    with pytest.raises(RefundError):
        actions.request_refund(order=order, reason="")


@pytest.mark.django_db
def test_scans_move_the_order_and_the_same_scan_counts_once():
    order = factories.order(status=Status.PROCESSING, shipped=False)
    parcel = order.shipments.create(carrier="Northline")
    start = timezone.now() - timedelta(days=2)
    steps = [
        (Kind.LABEL, Status.PROCESSING),
        (Kind.HANDED_OVER, Status.SHIPPED),
        (Kind.ARRIVED, Status.SHIPPED),
        (Kind.HELD, Status.SHIPPED),
        (Kind.OUT_FOR_DELIVERY, Status.OUT_FOR_DELIVERY),
        (Kind.ATTEMPTED, Status.SHIPPED),
        (Kind.OUT_FOR_DELIVERY, Status.OUT_FOR_DELIVERY),
        (Kind.DELIVERED, Status.DELIVERED),
    ]
    for hour, (kind, status) in enumerate(steps):
        for _ in range(2):
            actions.record_event(shipment=parcel, kind=kind, at=start + timedelta(hours=hour), place="Leeds")
        order.refresh_from_db()
        assert order.status == status, kind
    parcel.refresh_from_db()
    assert parcel.events.count() == len(steps)
    assert parcel.handed_over_at == start + timedelta(hours=1)
    assert parcel.delivered_at == start + timedelta(hours=7)


@pytest.mark.django_db
def test_a_scan_that_comes_late_does_not_turn_the_clock_back():
    order = factories.order(status=Status.OUT_FOR_DELIVERY)
    parcel = order.shipments.get()
    now = timezone.now()
    actions.record_event(shipment=parcel, kind=Kind.DELIVERED, at=now, place="Leeds")
    actions.record_event(shipment=parcel, kind=Kind.ARRIVED, at=now - timedelta(hours=9), place="Leeds")
    actions.record_event(shipment=parcel, kind=Kind.DEPARTED, at=now + timedelta(hours=1), place="Leeds")
    order.refresh_from_db()
    assert order.status == Status.DELIVERED


@pytest.mark.django_db
def test_an_order_of_two_parcels_is_delivered_with_the_second():
    order = factories.order(status=Status.SHIPPED)
    first = order.shipments.get()
    second = factories.shipment(order)
    now = timezone.now()
    actions.record_event(shipment=first, kind=Kind.DELIVERED, at=now)
    order.refresh_from_db()
    assert order.status == Status.SHIPPED
    actions.record_event(shipment=second, kind=Kind.DELIVERED, at=now + timedelta(minutes=5))
    order.refresh_from_db()
    assert order.status == Status.DELIVERED
    assert order.delivered_at == now + timedelta(minutes=5)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Kind.LOST, Kind.DAMAGED, Kind.SENT_BACK])
def test_trouble_holds_the_order_up(kind):
    order = factories.order(status=Status.SHIPPED)
    actions.record_event(shipment=order.shipments.get(), kind=kind, at=timezone.now())
    order.refresh_from_db()
    assert order.status == Status.EXCEPTION


def test_a_cancelled_order_stays_cancelled():
    assert not any(Order(status=Status.CANCELLED).can_reach(status) for status in Status)


@pytest.mark.parametrize("status", Status)
def test_transitions_allow_what_they_list_and_nothing_else(status):
    for other in Status:
        order = Order(number="#1", status=status)
        if other in TRANSITIONS[status]:
            order.transition(other)
            assert order.status == other
        else:
            with pytest.raises(TransitionError, match="#1"):
                order.transition(other)


def test_steps_may_be_skipped_forwards_only():
    assert Order(status=Status.PLACED).can_reach(Status.DELIVERED)
    assert Order(status=Status.SHIPPED).can_reach(Status.RETURNED)
    assert not Order(status=Status.DELIVERED).can_reach(Status.SHIPPED)
    assert not Order(status=Status.SHIPPED).can_reach(Status.PAID)

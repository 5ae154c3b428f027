from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders import actions, lookups
from orders.models import Customer, Item, Order, Seller, Shipment, Status, TrackingEvent

pytestmark = pytest.mark.django_db

COUNTS = "{} imported, {} unchanged, {} updated, {} rejected."


def import_orders(kind, path, **options):
    """What the command prints: its report, and the rejected rows."""
    out, err = StringIO(), StringIO()
    call_command("import_orders", str(path), format=kind, verbosity=0, stdout=out, stderr=err, **options)
    return out.getvalue().strip(), err.getvalue().splitlines()


def everything():
    """Every row that an import writes, to see whether a second one changed any."""
    tables = (Customer, Seller, Order, Item, Shipment, TrackingEvent)
    return [list(table.objects.order_by("pk").values()) for table in tables]


# --- a shop's own CSV

HEADER = (
    "order_number,status,currency,placed_at,promised_at,customer_email,customer_first_name,postcode,timezone,"
    "item_name,item_price,item_quantity,carrier,handed_over_at,delivered_at"
)
KETTLE = (
    "A-1,shipped,GBP,2026-11-19T10:00:00,2026-11-25,ada@mail.example,Ada,LS1 4DY,Europe/London,"
    "kettle,39.00,1,Northline,2026-11-20T17:00:00,"
)
MUGS = KETTLE.replace("kettle,39.00,1", "mug set,28.00,2")
LAMP = (
    "A-2,delivered,GBP,2026-11-01,2026-11-06,ben@mail.example,Ben,M1 2AB,Europe/London,"
    "desk lamp,48.00,1,Swiftpost,2026-11-02,2026-11-04T15:00:00+00:00"
)


@pytest.fixture
def shop_csv(tmp_path):
    def write(*lines, header=HEADER):
        path = tmp_path / "orders.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


def test_a_csv_becomes_whole_orders_wherever_their_lines_stand(shop_csv):
    report, rejected = import_orders("csv", shop_csv(KETTLE, LAMP, MUGS))
    assert (report, rejected) == (COUNTS.format(2, 0, 0, 0), [])
    order = Order.objects.get(number="A-1")
    assert [(item.name, item.quantity) for item in order.items.all()] == [("kettle", 1), ("mug set", 2)]
    assert order.total == Decimal("95.00")
    assert order.placed_at
    assert order.promised_at
    assert order.placed_at.isoformat() == "2026-11-19T10:00:00+00:00"
    assert order.promised_at.astimezone(order.customer.zone).date() == date(2026, 11, 25)
    assert [event.kind for event in order.shipments.get().events.all()] == ["handed_over"]
    assert lookups.verify(order_number="a1", proof="ls1 4dy") == Customer.objects.get(first_name="Ada")


def test_importing_the_same_file_again_changes_nothing(shop_csv):
    path = shop_csv(KETTLE, LAMP, MUGS)
    import_orders("csv", path)
    before = everything()
    assert import_orders("csv", path)[0] == COUNTS.format(0, 2, 0, 0)
    assert everything() == before


def test_news_of_a_known_order_is_taken_over(shop_csv):
    import_orders("csv", shop_csv(KETTLE, LAMP))
    arrived = KETTLE.replace("shipped", "delivered") + "2026-11-23T11:00:00"
    assert import_orders(
        "csv", shop_csv(arrived, MUGS.replace("shipped", "delivered") + "2026-11-23T11:00:00", LAMP)
    )[0] == COUNTS.format(0, 1, 1, 0)
    order = Order.objects.get(number="A-1")
    assert order.status == Status.DELIVERED
    assert order.items.count() == 2
    assert [event.kind for event in order.shipments.get().events.all()] == ["handed_over", "delivered"]


def test_an_older_file_does_not_undo_what_a_customer_did_here(shop_csv):
    packed = KETTLE.replace("shipped", "processing").replace("Northline,2026-11-20T17:00:00,", ",,")
    import_orders("csv", shop_csv(packed))
    order = Order.objects.get(number="A-1")
    actions.change_shipping_address(order=order, address="4 Mill Lane, York YO1 9QL")
    actions.cancel_order(order=order, reason="asked for in chat")
    assert import_orders("csv", shop_csv(packed))[0] == COUNTS.format(0, 1, 0, 0)
    order.refresh_from_db()
    assert (order.status, order.postcode) == (Status.CANCELLED, "YO1 9QL")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (
            HEADER.replace("order_number", "order_no"),
            "orders.csv has a column 'order_no' that is not known; did you mean order_number?",
        ),
        (HEADER.replace("item_price,", ""), "orders.csv lacks the column item_price."),
        (HEADER.replace("promised_at", "placed_at"), "orders.csv has a column twice."),
        ("", "orders.csv lacks the column order_number."),
    ],
)
def test_a_wrong_column_stops_the_import_with_its_name(shop_csv, header, sentence):
    with pytest.raises(CommandError) as error:
        import_orders("csv", shop_csv(KETTLE, header=header))
    assert str(error.value) == sentence
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (KETTLE.replace("2026-11-19T10:00:00", "19.11.2026"), "placed_at is '19.11.2026', which is no date."),
        (KETTLE.replace("39.00", '"39,00"'), "item_price is '39,00', which is no amount."),
        (KETTLE.replace("39.00", "-1"), "item_price is '-1', which is no amount to pay."),
        (KETTLE.replace("39.00", "NaN"), "item_price is 'NaN', which is no amount."),
        (
            KETTLE.replace("kettle,39.00,1", "kettle,39.00,0"),
            "item_quantity is '0', which is no number of pieces.",
        ),
        (KETTLE.replace("shipped", "sent"), "status is 'sent'; known are"),
        (KETTLE.replace("GBP", "pounds"), "currency is 'pounds'"),
        (KETTLE.replace("ada@mail.example", ""), "customer_id and customer_email are both empty."),
        (KETTLE.replace("ada@mail.example", "ada at home"), "customer_email is 'ada at home'"),
        (KETTLE.replace("Europe/London", "Leeds"), "timezone is 'Leeds'"),
        (KETTLE.replace("kettle", "k" * 200), "item_name has more than 160 characters."),
        (KETTLE + "2026-11-01", "delivered_at lies before handed_over_at."),
        (KETTLE.replace("A-1", "--"), "order_number is empty or has neither letters nor digits."),
        ("A-1,shipped,GBP", "it has 3 cells, the header has 15."),
    ],
)
def test_a_bad_line_leaves_out_its_order_and_no_other(shop_csv, bad, reason):
    report, rejected = import_orders("csv", shop_csv(bad, LAMP))
    assert report == COUNTS.format(1, 0, 0, 1)
    assert rejected[0].startswith("orders.csv, line 2: Order ")
    assert reason in rejected[0]
    assert [order.number for order in Order.objects.all()] == ["A-2"]
    assert Item.objects.count() == 1


def test_one_bad_line_of_several_leaves_out_the_whole_order(shop_csv, tmp_path):
    bad = MUGS.replace("28.00", "cheap")
    rejects = tmp_path / "rejects.csv"
    report, rejected = import_orders("csv", shop_csv(KETTLE, LAMP, bad), rejects=rejects)
    assert report == COUNTS.format(1, 0, 0, 1)
    sentence = "Order A-1: item_price is 'cheap', which is no amount. Nothing of this order was imported."
    assert rejected == [f"orders.csv, line 4: {sentence}"]
    with rejects.open() as file:
        assert list(csv.reader(file)) == [["file", "line", "reason"], ["orders.csv", "4", sentence]]
    assert not Order.objects.filter(number="A-1").exists()


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (KETTLE, "it repeats line 2"),
        (MUGS.replace("Northline", "Swiftpost"), "carrier differs from line 2"),
    ],
)
def test_a_repeated_or_contradicting_line_leaves_out_the_order(shop_csv, second, reason):
    report, rejected = import_orders("csv", shop_csv(KETTLE, second, LAMP))
    assert report == COUNTS.format(1, 0, 0, 1)
    assert "line 3" in rejected[0]
    assert reason in rejected[0]


def test_a_number_that_belongs_to_somebody_else_is_refused(shop_csv):
    import_orders("csv", shop_csv(KETTLE))
    taken = LAMP.replace("A-2", "a 1")
    report, rejected = import_orders("csv", shop_csv(taken))
    assert report == COUNTS.format(0, 0, 0, 1)
    assert rejected == ["orders.csv, line 2: Order a 1 is already here and belongs to somebody else."]
    assert Order.objects.get().customer.first_name == "Ada"


def test_many_rejected_rows_are_summed_up(shop_csv):
    bad = [LAMP.replace("A-2", f"B-{n}").replace("48.00", "x") for n in range(14)]
    report, rejected = import_orders("csv", shop_csv(*bad))
    assert report == COUNTS.format(0, 0, 0, 14)
    assert len(rejected) == 11
    assert rejected[-1] == "… and 4 more; --rejects FILE writes them all."


def test_batches_do_not_change_the_result(shop_csv):
    lines = [LAMP.replace("A-2", f"B-{n}") for n in range(7)]
    assert import_orders("csv", shop_csv(*lines), batch=2)[0] == COUNTS.format(7, 0, 0, 0)
    assert Customer.objects.count() == 1
    with pytest.raises(CommandError, match="--batch"):
        import_orders("csv", shop_csv(*lines), batch=0)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(CommandError, match=r"orders\.csv cannot be read as CSV in UTF-8"):
        import_orders("csv", path)
    with pytest.raises(CommandError, match="is no file"):
        import_orders("csv", tmp_path / "missing.csv")


# --- Olist

OLIST = {
    "olist_customers_dataset.csv": [
        "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
        "c1,maria,4534,sao paulo,SP",
        "c2,maria,69005,manaus,AM",
        "c3,joao,20031,rio de janeiro,RJ",
    ],
    "olist_orders_dataset.csv": [
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
        "order_delivered_customer_date,order_estimated_delivery_date,sources",
        "o1,c1,delivered,2018-07-24 20:41:37,2018-07-24 21:00:00,2018-07-26 14:31:00,2018-08-07 15:27:45,"
        "2018-08-13 00:00:00,x",
        "o2,c2,shipped,2018-08-01 10:00:00,,2018-08-02 10:00:00,,2018-08-20 00:00:00,x",
        "o3,c3,canceled,2018-08-01 10:00:00,,,,2018-08-20 00:00:00,x",
        "o4,c3,shipped,2018-08-01 10:00:00,,2018-08-02 10:00:00,,2018-08-20 00:00:00,x",
        "o5,c9,delivered,2018-08-01 10:00:00,,,,2018-08-20 00:00:00,x",
        "o6,c3,delivered,yesterday,,,,2018-08-20 00:00:00,x",
        "o7,c3,delivered,2018-08-01 10:00:00,,,,2018-08-20 00:00:00,x",
        "o1,c1,delivered,2018-07-24 20:41:37,,,,2018-08-13 00:00:00,x",
        "o8,c3,unavailable,2018-08-01 10:00:00,,,,2018-08-20 00:00:00,x",
        "o9,c3,delivered,2018-08-01 10:00:00,,2018-07-30 10:00:00,2018-08-05 10:00:00,2018-08-20 00:00:00,x",
        "o10,c3,teleported,2018-08-01 10:00:00,,,,2018-08-20 00:00:00,x",
    ],
    "olist_order_items_dataset.csv": [
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
        "o7,1,p1,s1,,10.0,1.0",
        "o2,1,p2,s1,,199.9,18.14",
        "o1,2,p2,s1,,20.00,2.00",
        "o1,1,p1,s1,,58.90,13.29",
        "o5,1,p1,s1,,10.0,1.0",
        "o6,1,p1,s1,,10.0,1.0",
        "o7,1,p1,s1,,10.0,1.0",
        "o9,1,p1,s1,,10.0,1.0",
        "o10,1,p1,s1,,10.0,1.0",
    ],
    "olist_order_payments_dataset.csv": [
        "order_id,payment_sequential,payment_type,payment_installments,payment_value",
        "o1,1,voucher,1,14.19",
        "o1,2,credit_card,2,80.00",
        "o3,1,boleto,1,50.00",
    ],
    "olist_products_dataset.csv": [
        "product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,"
        "product_weight_g,product_length_cm,product_height_cm,product_width_cm",
        "p1,cama_mesa_banho,40,287,1,225,16,10,14",
        "p2,,40,287,1,,,,",
    ],
    "olist_sellers_dataset.csv": [
        "seller_id,seller_zip_code_prefix,seller_city,seller_state",
        "s1,1001,sao jose dos campos,SP",
    ],
    "product_category_name_translation.csv": [
        "product_category_name,product_category_name_english",
        "cama_mesa_banho,bed_bath_table",
    ],
    "geo_by_zip.csv": [
        "geolocation_zip_code_prefix,lat,lng,city,state",
        "04534,-23.58,-46.67,sao paulo,SP",
        "01001,-23.55,-46.63,sao paulo,SP",
    ],
}


@pytest.fixture
def olist(tmp_path):
    folder = tmp_path / "olist"
    folder.mkdir()
    for index, (name, lines) in enumerate(OLIST.items()):
        text = "\ufeff" + "\n".join(lines) + "\n"
        if index % 2:
            with gzip.open(folder / f"{name}.gz", "wt", encoding="utf-8") as file:
                file.write(text)
        else:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_olist_orders_are_put_together_from_all_files(olist):
    report, _ = import_orders("olist", olist, batch=3)
    assert report == COUNTS.format(5, 0, 0, 6)
    order = Order.objects.get(number="o1")
    assert [(i.name, i.price, i.freight) for i in order.items.all()] == [
        ("item", Decimal("20.00"), Decimal("2.00")),
        ("bed and bath item", Decimal("58.90"), Decimal("13.29")),
    ]
    assert (order.total, order.currency, order.payment_method) == (
        Decimal("94.19"),
        "BRL",
        "voucher and credit card",
    )
    assert (order.status, order.postcode, order.city, order.lat) == (
        "delivered",
        "04534",
        "Sao Paulo",
        -23.58,
    )
    assert order.placed_at
    assert order.placed_at.isoformat() == "2018-07-24T23:41:37+00:00"
    assert [(e.kind, e.place) for e in order.shipments.get().events.all()] == [
        ("handed_over", "Sao Jose dos Campos"),
        ("delivered", "Sao Paulo"),
    ]
    kettle = order.items.get(name="bed and bath item")
    assert kettle.seller
    assert (kettle.weight_g, kettle.volume_cm3, kettle.seller.postcode) == (225.0, 2240.0, "01001")
    assert lookups.verify(order_number="O1", proof="4534") == order.customer


def test_olist_customers_are_people_and_promises_last_the_day(olist):
    import_orders("olist", olist)
    maria = Customer.objects.get(external_id="maria")
    assert {order.number for order in maria.orders.all()} == {"o1", "o2"}
    assert (maria.email, maria.full_name, maria.country, maria.timezone) == (
        "",
        "",
        "BR",
        "America/Sao_Paulo",
    )
    manaus = Order.objects.get(number="o2")
    assert manaus.postcode == "69005"
    assert manaus.promised_at
    assert manaus.promised_at.isoformat() == "2018-08-21T03:59:59+00:00"
    assert manaus.paid_at is None


def test_olist_rejects_what_it_cannot_make_whole(olist):
    _, rejected = import_orders("olist", olist)
    orders = "olist_orders_dataset.csv, line"
    assert rejected == [
        f"{orders} 5: Order o4: it is shipped, yet olist_order_items_dataset.csv has no item of it.",
        f"{orders} 6: Order o5: customer c9 is not in olist_customers_dataset.csv.",
        f"{orders} 7: Order o6: order_purchase_timestamp is 'yesterday', which is no date.",
        f"{orders} 8: Order o7: item 1 stands twice in olist_order_items_dataset.csv, again on line 8.",
        f"{orders} 9: Order o1: it stands on line 2 already.",
        f"{orders} 12: Order o10: order_status is 'teleported', which is not known.",
    ]


def test_olist_orders_without_items_or_with_impossible_times(olist):
    import_orders("olist", olist)
    cancelled, unavailable, odd = (Order.objects.get(number=n) for n in ("o3", "o8", "o9"))
    assert (cancelled.status, cancelled.total, cancelled.items.count()) == ("cancelled", Decimal("50.00"), 0)
    assert (unavailable.status, unavailable.total) == ("exception", Decimal(0))
    assert odd.shipped_at is None
    assert odd.delivered_at is not None


def test_olist_again_changes_nothing(olist):
    import_orders("olist", olist)
    before = everything()
    assert import_orders("olist", olist, batch=2)[0] == COUNTS.format(0, 5, 0, 6)
    assert everything() == before


def test_an_olist_folder_that_is_not_whole_is_refused(olist):
    (olist / "olist_customers_dataset.csv").write_text("customer_id\nc1\n")
    with pytest.raises(
        CommandError, match=r"olist_customers_dataset\.csv lacks the column customer_unique_id"
    ):
        import_orders("olist", olist)
    (olist / "geo_by_zip.csv").unlink(missing_ok=True)
    (olist / "geo_by_zip.csv.gz").unlink(missing_ok=True)
    with pytest.raises(CommandError, match=r"has no file geo_by_zip\.csv"):
        import_orders("olist", olist)
    with pytest.raises(CommandError, match="is no folder"):
        import_orders("olist", olist / "geo_by_zip.csv")


# --- tau-bench

ADDRESS = {
    "address1": "996 Cedar Street",
    "address2": "Suite 656",
    "city": "Phoenix",
    "country": "USA",
    "state": "AZ",
    "zip": "85001",
}
USERS = {
    "ava_moore_2033": {
        "name": {"first_name": "Ava", "last_name": "Moore"},
        "address": ADDRESS,
        "email": "ava.moore@example.com",
        "payment_methods": {
            "credit_card_1": {
                "source": "credit_card",
                "brand": "mastercard",
                "last_four": "9212",
                "id": "credit_card_1",
            },
            "paypal_1": {"source": "paypal", "id": "paypal_1"},
        },
        "orders": [],
    }
}
PRODUCTS = {"p1": {"name": "Electric Kettle", "product_id": "p1", "variants": {}}}


def tau_order(**fields):
    item = {
        "name": "Electric Kettle",
        "product_id": "p1",
        "item_id": "i1",
        "price": 158.9,
        "options": {"color": "silver"},
    }
    payment = {"transaction_type": "payment", "amount": 158.9, "payment_method_id": "credit_card_1"}
    defaults = {
        "user_id": "ava_moore_2033",
        "address": ADDRESS,
        "items": [item],
        "fulfillments": [{"tracking_id": ["490313116609"], "item_ids": ["i1"]}],
        "status": "delivered",
        "payment_history": [payment],
    }
    return defaults | fields


def tau_folder(path, orders):
    path.mkdir(exist_ok=True)
    for name, value in (("orders", orders), ("users", USERS), ("products", PRODUCTS)):
        with gzip.open(path / f"{name}.json.gz", "wt") as file:
            json.dump(value, file)
    return path


def test_a_tau_order_has_no_dates_and_all_the_rest(tmp_path):
    folder = tau_folder(tmp_path / "tau", {"#W1": tau_order()})
    assert import_orders("tau_retail", folder) == (COUNTS.format(1, 0, 0, 0), [])
    order = Order.objects.get()
    assert (order.number, order.status, order.total, order.currency) == (
        "#W1",
        "delivered",
        Decimal("158.90"),
        "USD",
    )
    assert (order.placed_at, order.delivered_at, order.payment_method) == (
        None,
        None,
        "Mastercard ending 9212",
    )
    assert (order.line1, order.postcode, order.country) == ("996 Cedar Street", "85001", "US")
    assert order.customer.timezone == "America/Phoenix"
    assert order.shipments.get().tracking_number == "490313116609"
    item = order.items.get()
    assert (item.name, item.options, item.sku) == ("Electric Kettle", {"color": "silver"}, "i1")
    assert lookups.verify(order_number="w1", proof="AVA.MOORE@example.com") == order.customer


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("pending", "paid"),
        ("processed", "shipped"),
        ("cancelled", "cancelled"),
        ("return requested", "return_requested"),
        ("exchange requested", "exchange_requested"),
    ],
)
def test_tau_states(tmp_path, theirs, ours):
    history = [
        {"transaction_type": "payment", "amount": 158.9, "payment_method_id": "paypal_1"},
        {"transaction_type": "refund", "amount": 158.9, "payment_method_id": "paypal_1"},
    ]
    import_orders(
        "tau_retail", tau_folder(tmp_path / "tau", {"#W1": tau_order(status=theirs, payment_history=history)})
    )
    order = Order.objects.get()
    assert (order.status, order.payment_method) == (ours, "PayPal")
    refund = order.refunds.get()
    assert (refund.amount, refund.state, refund.paid_at) == (Decimal("158.90"), "approved", None)


def test_bad_tau_orders_are_left_out(tmp_path):
    orders = {
        "#W1": tau_order(status="lost in space"),
        "#W2": tau_order(user_id="nobody"),
        "#W3": tau_order(items=[]),
        "#W4": {"user_id": "ava_moore_2033"},
        "#W5": tau_order(),
    }
    folder = tau_folder(tmp_path / "tau", orders)
    report, rejected = import_orders("tau_retail", folder)
    assert report == COUNTS.format(1, 0, 0, 4)
    assert rejected[1] == "orders.json, line 2: Order #W2: user nobody is not in users.json."
    assert import_orders("tau_retail", folder)[0] == COUNTS.format(0, 1, 0, 4)
    (folder / "orders.json.gz").write_bytes(b"{")
    with pytest.raises(CommandError, match="cannot be read as JSON"):
        import_orders("tau_retail", folder)


# --- the real ones


@pytest.mark.slow
def test_all_of_tau_retail(shared_data):
    folder = shared_data / "orders" / "tau_retail"
    assert import_orders("tau_retail", folder) == (COUNTS.format(1000, 0, 0, 0), [])
    assert import_orders("tau_retail", folder) == (COUNTS.format(0, 1000, 0, 0), [])
    assert Customer.objects.filter(source="tau_retail").count() == len(
        set(Order.objects.values_list("customer_id", flat=True))
    )


@pytest.mark.slow
def test_all_of_olist(shared_data):
    report, rejected = import_orders("olist", shared_data / "orders" / "olist")
    assert report == COUNTS.format(43_535, 0, 0, 3)
    assert all("has no item of it" in line for line in rejected)
    assert (
        Order.objects.filter(items=None).exclude(status__in=["cancelled", "exception", "placed"]).count() == 0
    )

"""The shop's rows in the admin: to search and to look at. What changes an order are `orders.actions`
and the importers; by hand only an address, a refund's state and a customer's details are edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from orders.models import (
    Customer,
    GivenEstimate,
    Item,
    Order,
    Refund,
    Seller,
    Shipment,
    TrackingEvent,
    number_key,
)

ADDRESS = ["line1", "line2", "postcode", "city", "region", "country"]
LABELS = {
    "placed": "default",
    "paid": "default",
    "processing": "default",
    "returned": "default",
    "delivered": "success",
    "shipped": "info",
    "out_for_delivery": "info",
    "exception": "warning",
    "return_requested": "warning",
    "exchange_requested": "warning",
    "cancelled": "danger",
}


class LookOnly:
    """Rows that come from the shop: none is added or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ItemInline(LookOnly, TabularInline):  # type: ignore[misc]
    model = Item
    fields = readonly_fields = ["name", "sku", "quantity", "price", "freight", "seller"]
    extra = 0
    hide_title = True
    ordering = ["position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        return super().get_queryset(request).select_related("seller")  # type: ignore[no-any-return]


class ShipmentInline(LookOnly, TabularInline):  # type: ignore[misc]
    model = Shipment
    fields = readonly_fields = ["carrier", "tracking_number", "handed_over_at", "delivered_at", "journey"]
    extra = 0
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        return super().get_queryset(request).prefetch_related("events")  # type: ignore[no-any-return]

    @admin.display(description="tracking events")
    def journey(self, shipment: Shipment) -> SafeString | str:
        return _lines(shipment.events.all()) or "none yet"


class RefundInline(LookOnly, TabularInline):  # type: ignore[misc]
    model = Refund
    fields = ["amount", "state", "reason", "requested_at", "paid_at"]
    readonly_fields = ["amount", "reason", "requested_at"]
    extra = 0
    hide_title = True


class EstimateInline(LookOnly, TabularInline):  # type: ignore[misc]
    """What was said about when it arrives, newest first."""

    model = GivenEstimate
    fields = readonly_fields = [
        "given_at",
        "channel",
        "stage",
        "window",
        "likely_day",
        "chance",
        "why",
        "fell_out",
    ]
    extra = 0
    hide_title = True
    per_page = 10
    verbose_name_plural = "estimates given"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GivenEstimate]:
        return super().get_queryset(request).exclude(channel=GivenEstimate.Channel.PAST)  # type: ignore[no-any-return]

    @admin.display(description="window")
    def window(self, row: GivenEstimate) -> str:
        if not (row.first_day and row.last_day):
            return "too vague to tell"
        return f"{row.first_day:%-d %b} – {row.last_day:%-d %b} ({row.confidence:.0%})"

    @admin.display(description="keeps the promise")
    def chance(self, row: GivenEstimate) -> str:
        return "" if row.promise_chance is None else f"{row.promise_chance:.0%}"

    @admin.display(description="reasons")
    def why(self, row: GivenEstimate) -> str:
        return ", ".join(f"{words} {reason.days:+.1f} d" for reason, words in row.told_reasons[:3])

    @admin.display(description="arrival minus estimate")
    def fell_out(self, row: GivenEstimate) -> str:
        return "" if row.error_days is None else f"{row.error_days:+.1f} d"


class OrderInline(LookOnly, TabularInline):  # type: ignore[misc]
    model = Order
    fields = readonly_fields = ["number", "status", "total", "currency", "placed_at", "promised_at"]
    extra = 0
    hide_title = True
    per_page = 20
    show_change_link = True
    tab = True


@admin.register(Order)
class OrderAdmin(LookOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ["number", "whose", "state", "amount", "placed", "promised", "source"]
    list_filter = ["status", "source"]
    list_per_page = 50
    list_select_related = ["customer"]
    show_full_result_count = False
    search_fields = ["number", "customer__email", "customer__first_name", "customer__last_name", "postcode"]
    search_help_text = "Order number, name, email or postcode"
    inlines = [ItemInline, ShipmentInline, EstimateInline, RefundInline]
    readonly_fields = [
        "number", "customer", "status", "total", "currency", "payment_method", "source",
        "placed_at", "paid_at", "promised_at", "cancelled_at", "updated_at",
    ]  # fmt: skip
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("number", "status"),
                    ("customer", "source"),
                    ("total", "currency", "payment_method"),
                ]
            },
        ),
        ("Days", {"fields": [("placed_at", "paid_at"), ("promised_at", "cancelled_at"), "updated_at"]}),
        ("Delivered to", {"fields": [("line1", "line2"), ("postcode", "city"), ("region", "country")]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        """The address too, once the rules of the order no longer allow to change it."""
        return (
            self.readonly_fields if obj and obj.address_is_changeable else [*self.readonly_fields, *ADDRESS]
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Also finds a number in whatever notation: "w 2611340" is #W2611340."""
        found, doubled = super().get_search_results(request, queryset, search_term)
        if key := number_key(search_term):
            found |= queryset.filter(number_key=key)
        return found, doubled

    @display(description="customer", ordering="customer__last_name")  # type: ignore[untyped-decorator]
    def whose(self, order: Order) -> str:
        return str(order.customer)

    @display(description="status", ordering="status", label=LABELS)  # type: ignore[untyped-decorator]
    def state(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description="placed", ordering="placed_at")  # type: ignore[untyped-decorator]
    def placed(self, order: Order) -> str:
        return _day(order.placed_at)

    @display(description="promised for", ordering="promised_at")  # type: ignore[untyped-decorator]
    def promised(self, order: Order) -> str:
        return _day(order.promised_at)

    @display(description="total", ordering="total")  # type: ignore[untyped-decorator]
    def amount(self, order: Order) -> str:
        return f"{order.total} {order.currency}"


@admin.register(Customer)
class CustomerAdmin(LookOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ["name", "email", "postcode", "city", "country", "order_count", "source"]
    list_filter = ["source", "country"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["email", "first_name", "last_name", "postcode", "external_id", "orders__number"]
    search_help_text = "Name, email, postcode or order number"
    readonly_fields = ["source", "external_id", "timezone", "created_at"]
    fieldsets = [
        (None, {"fields": [("first_name", "last_name"), "email"]}),
        ("Place", {"fields": [("postcode", "city"), ("region", "country"), "timezone"]}),
        ("Where it comes from", {"fields": [("source", "external_id"), "created_at"]}),
    ]
    inlines = [OrderInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        rows: QuerySet[Customer] = super().get_queryset(request)
        orders = Order.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
        counted = Subquery(
            orders.annotate(n=Count("pk")).values("n")
        )  # for the shown rows only, unlike a join
        return rows.annotate(order_count=Coalesce(counted, 0))

    @display(description="name", ordering="last_name")  # type: ignore[untyped-decorator]
    def name(self, customer: Customer) -> str:
        return str(customer)

    @display(description="orders", ordering="order_count")  # type: ignore[untyped-decorator]
    def order_count(self, customer: Any) -> int:
        return int(customer.order_count)


@admin.register(Seller)
class SellerAdmin(LookOnly, ModelAdmin):  # type: ignore[misc]
    list_display = ["__str__", "city", "region", "country", "source"]
    list_filter = ["source", "country"]
    list_per_page = 50
    search_fields = ["name", "external_id", "city", "postcode"]
    readonly_fields = ["source", "external_id"]
    fieldsets = [
        (None, {"fields": ["name", ("postcode", "city"), ("region", "country"), ("source", "external_id")]})
    ]


def _day(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%a %-d %b %Y}" if moment else ""


def _lines(events: QuerySet[TrackingEvent]) -> SafeString:
    return format_html_join(
        "",
        '<div class="dk-journey"><time>{}</time> {}{}</div>',
        (
            (
                timezone.localtime(event.at).strftime("%-d %b %H:%M"),
                event.get_kind_display(),
                f", {event.place}" if event.place else "",
            )
            for event in events
        ),
    )

"""The desk's page about how good the estimates are."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from orders.desk import figures

PERIODS = {"14": "2 weeks", "90": "3 months", "365": "A year"}
STAGES = {"": "All", "packing": "Being packed", "carrier": "With the carrier", "van": "On the van"}


@require_GET
def estimates(request: HttpRequest) -> HttpResponse:
    period = request.GET.get("days", "")
    period = period if period in PERIODS else "90"
    stage = request.GET.get("stage", "")
    stage = stage if stage in STAGES else ""
    days = int(period)
    rows = figures.scored(since=timezone.now() - timedelta(days=days), stage=stage)
    points = figures.over_time(rows, days=days)
    context = {
        "title": "Estimates",
        "period": period,
        "periods": PERIODS,
        "stage": stage,
        "stages": STAGES,
        "score": figures.overall(rows),
        "series": figures.as_series(points),
        "tables": [
            ("By carrier", "Carrier", figures.by(rows, "carrier")),
            ("By region", "Region", figures.by(rows, "region")),
        ],
    }
    return render(request, "desk/estimates.html", admin.site.each_context(request) | context, using="django")

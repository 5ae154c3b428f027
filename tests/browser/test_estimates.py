"""The desk's page about the estimates, as staff see it on a desk and on a phone, by day and by night."""

from __future__ import annotations

import math
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser

from ml.delivery.hindsight import Hindsight
from ml.delivery.model import load_model
from orders.hindsight import look_back
from orders.models import GivenEstimate
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("DOORSTEP_PICTURES")  # a folder: keep what was seen
DRAWN = """() => {
    const canvases = [...document.querySelectorAll('canvas[data-chart]')];
    return canvases.length === 4 && canvases.every(canvas => window.Chart?.getChart(canvas));
}"""
INKED = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
}"""


@pytest.fixture
def record():
    """Ten weeks of scored estimates at three carriers, with a slow week in the middle."""
    order, now = factories.order(), timezone.now()
    GivenEstimate.objects.bulk_create(
        GivenEstimate(
            order=order, given_at=now - timedelta(days=day + 3), channel="chat", model="delivery-1",
            confidence=0.8, stage="placed" if n % 3 else "in_transit", kind="placed",
            levels=[0.1, 0.5, 0.9], days=[1.0, 2.5, 4.0], median=2.5, below=1.0, above=1.0,
            first_day=now.date(), likely_day=now.date(), last_day=now.date(), promised_day=now.date(),
            promise_chance=0.9 - n / 40, carrier=("Northline", "Pigeon Post", "Harbour Freight")[n % 3],
            region=("GB-Kent", "GB-West Yorkshire", "IE-Leinster", "DE-Hamburg")[n % 4],
            arrived_at=now - timedelta(days=day), score=0.1, in_window=(day + n) % 5 > 0,
            error_days=math.sin(day * 1.7 + n) * 1.2 + (1.4 if 30 < day < 38 else 0.1),
            promise_error_days=math.sin(day + n) - 1.6, was_late=(day * 3 + n) % 8 == 0,
        )
        for day in range(70)
        for n in range(6)
    )  # fmt: skip


@pytest.fixture
def looked_back():
    """A demo shop in its first minute."""
    call_command("seed_demo", customers=180, orders=450, verbosity=0)
    model = load_model(settings.ARTIFACTS / "none.skops", shipped=settings.ARTIFACTS / "delivery.skops")
    look_back(Hindsight(model), now=timezone.now())


@pytest.mark.parametrize("of", ["record", "looked_back"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("name", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_the_charts_are_drawn_and_nothing_sticks_out(
    live_server, client, browser: Browser, request, of, name, viewport, theme
):
    request.getfixturevalue(of)
    client.force_login(factories.staff_user("Nina", is_superuser=True))
    context = browser.new_context(viewport=viewport, color_scheme=theme, locale="en-GB")
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"{live_server.url}/desk/estimates/")
    page.wait_for_function(DRAWN)
    for canvas in page.locator("canvas[data-chart]").all():
        assert canvas.evaluate(INKED) > 0.01
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    assert page.get_by_role("rowheader", name=re.compile("Pigeon Post|Northline")).first.is_visible()
    assert page.get_by_text("looked back on, not given").is_visible() == (of == "looked_back")
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"estimates-{of}-{name}-{theme}.png", full_page=True)
    assert failures == []
    context.close()

"""The environment of every Jinja2 template."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    env = Environment(
        **(options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})
    )
    env.globals.update(static=static, url=reverse, shop_name=settings.SHOP_NAME, shop_url=settings.SHOP_URL)
    return env

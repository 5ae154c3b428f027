from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from emails.models import Suppression


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):  # type: ignore[misc]
    """Who wants no emails that they did not ask for; staff may add somebody who wrote in."""

    list_display = ("email", "kind", "at")
    search_fields = ("email",)
    ordering = ("-at",)

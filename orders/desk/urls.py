from __future__ import annotations

from django.contrib import admin
from django.urls import path

from orders.desk import views

urlpatterns = [
    # staff only, the rest is sent to the login
    path("estimates/", admin.site.admin_view(views.estimates), name="desk-estimates"),
]

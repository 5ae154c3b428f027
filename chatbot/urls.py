from __future__ import annotations

from django.urls import path

from chatbot import views

urlpatterns = [
    path("", views.shop, name="shop"),
    path("healthz", views.health, name="health"),
]

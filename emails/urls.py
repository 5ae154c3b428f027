from __future__ import annotations

from django.urls import path

from emails import views

urlpatterns = [
    path("stop/<str:token>/", views.stop, name="unsubscribe"),
]

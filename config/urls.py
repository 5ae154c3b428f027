from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("desk/", include("chatbot.desk.urls")),
    path("desk/", include("emails.desk.urls")),
    path("desk/", include("orders.desk.urls")),
    path("desk/", admin.site.urls),
    path("mail/", include("emails.urls")),
    path("", include("chatbot.urls")),
]

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from chatbot.desk import views

guard = admin.site.admin_view  # staff only, the rest is sent to the login

urlpatterns = [
    path("counts/", guard(views.counts), name="desk-counts"),
    path("conversations/", guard(views.conversations), name="desk-conversations"),
    path("conversations/<uuid:pk>/", guard(views.conversation), name="desk-conversation"),
    path("conversations/<uuid:pk>/nearby/", guard(views.nearby), name="desk-nearby"),
    path("conversations/<uuid:pk>/take-over/", guard(views.take_over), name="desk-take-over"),
    path("conversations/<uuid:pk>/hand-back/", guard(views.hand_back), name="desk-hand-back"),
    path("conversations/<uuid:pk>/close/", guard(views.close), name="desk-close"),
    path("conversations/<uuid:pk>/say/", guard(views.say), name="desk-say"),
]

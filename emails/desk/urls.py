from __future__ import annotations

from django.contrib import admin
from django.urls import path

from emails.desk import views

guard = admin.site.admin_view  # staff only, the rest is sent to the login

urlpatterns = [
    path("emails/", guard(views.drafts), name="desk-drafts"),
    path("emails/<int:pk>/", guard(views.draft), name="desk-draft"),
    path("emails/<int:pk>/preview/", guard(views.preview), name="desk-draft-preview"),
    path("emails/<int:pk>/save/", guard(views.save), name="desk-draft-save"),
    path("emails/<int:pk>/approve/", guard(views.approve), name="desk-draft-approve"),
    path("emails/<int:pk>/discard/", guard(views.discard), name="desk-draft-discard"),
    path("emails/<int:pk>/send-again/", guard(views.send_again), name="desk-draft-send-again"),
    path("emails/sink/", guard(views.mails), name="desk-mails"),
    path("emails/sink/<int:pk>/", guard(views.mail), name="desk-mail"),
]

"""Emails as rows: asked for, drafted, approved, sent. Rules about one row live on its model."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from orders.models import Customer, Order


def new_key() -> str:
    return uuid.uuid4().hex


class Draft(models.Model):
    class Kind(models.TextChoices):
        DELIVERY_TIMELINE = "delivery_timeline", "delivery timeline"
        DELAY_NOTICE = "delay_notice", "delay notice"
        CANCELLATION = "cancellation", "cancellation"
        REFUND_REQUEST = "refund_request", "refund request"
        INVOICE = "invoice", "invoice"
        COMPLAINT = "complaint", "answer to a complaint"

    class State(models.TextChoices):
        REQUESTED = "requested", "being written"
        DRAFT = "draft", "waiting for approval"
        APPROVED = "approved", "approved"
        SENDING = "sending", "in flight"
        SENT = "sent", "sent"
        UNCERTAIN = "uncertain", "may have been sent"
        FAILED = "failed", "failed"
        DISCARDED = "discarded", "discarded"

    kind = models.CharField(max_length=24, choices=Kind)
    key = models.CharField(max_length=120, unique=True, help_text="The same request makes the same row.")
    state = models.CharField(max_length=12, choices=State, default=State.REQUESTED)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="emails")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, blank=True, related_name="emails")
    conversation = models.UUIDField(null=True, blank=True, db_index=True)
    context = models.JSONField(default=dict, blank=True, help_text="The facts the request was made with.")
    to = models.EmailField()
    subject = models.CharField(max_length=200, blank=True)
    preheader = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    timeline = models.JSONField(default=list, blank=True)
    written_by = models.CharField(max_length=12, blank=True, help_text="model, template or staff")
    trace = models.JSONField(default=dict, blank=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    message_id = models.CharField(max_length=120, blank=True)
    error = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        indexes = [
            models.Index(fields=["state", "next_try_at"], name="draft_by_state"),
            models.Index(fields=["customer", "-requested_at"], name="draft_by_customer"),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.get_kind_display()} to {self.to}"

    @property
    def is_editable(self) -> bool:
        return self.state in (self.State.DRAFT, self.State.FAILED, self.State.UNCERTAIN)


class Suppression(models.Model):
    """Somebody who asked for no more such mail. Checked at the moment of sending."""

    email = models.EmailField()
    kind = models.CharField(max_length=24, blank=True, help_text="Empty: every kind that can be stopped.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), "kind", name="suppression_once"),
        ]

    def __str__(self) -> str:
        return self.email


class CaughtMail(models.Model):
    """What the demo's local SMTP sink received, so that the desk can show it."""

    message_id = models.CharField(max_length=200, blank=True)
    sender = models.CharField(max_length=320)
    recipients = models.JSONField(default=list)
    subject = models.CharField(max_length=300, blank=True)
    raw = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return self.subject

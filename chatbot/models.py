"""Conversations, what was said in them, and the help articles that answer questions."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from pgvector.django import VectorField

from orders.models import Customer

EMBEDDING_DIMENSIONS = 384  # all-MiniLM-L6-v2


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Conversation(models.Model):
    class State(models.TextChoices):
        BOT = "bot", "with the assistant"
        WAITING = "waiting", "waiting for a colleague"
        STAFF = "staff", "with a colleague"
        CLOSED = "closed", "closed"

    class Proof(models.TextChoices):
        PAIR = "pair", "order number and email or postcode"
        SIGNED = "signed", "signed by the shop's page"
        STAFF = "staff", "checked by a colleague"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=64, default=new_token, help_text="Only this browser knows it.")
    state = models.CharField(max_length=8, choices=State, default=State.BOT)
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    proof = models.CharField(max_length=8, choices=Proof, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="conversations",
    )
    priority = models.SmallIntegerField(default=0, help_text="Raised by anger and by asking for a person.")
    last_seq = models.PositiveIntegerField(default=0)
    pending = models.JSONField(default=dict, blank=True, help_text="What we asked and wait to hear.")
    page = models.CharField(max_length=500, blank=True)
    address = models.CharField(max_length=64, blank=True, help_text="Hash of the network address.")
    waiting_since = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True, help_text="A worker is answering until then.")
    leased_by = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [
            models.Index(fields=["state", "-priority", "waiting_since"], name="conversation_queue"),
            models.Index(fields=["-updated_at"], name="conversation_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.customer or 'Visitor'} · {str(self.id)[:8]}"

    @property
    def is_with_bot(self) -> bool:
        return self.state in (self.State.BOT, self.State.WAITING)


class Message(models.Model):
    class Author(models.TextChoices):
        CUSTOMER = "customer", "customer"
        BOT = "bot", "assistant"
        STAFF = "staff", "colleague"
        SYSTEM = "system", "system"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveIntegerField()
    client_id = models.CharField(max_length=64, null=True, blank=True, help_text="The browser's own id.")
    author = models.CharField(max_length=8, choices=Author)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    text = models.TextField()
    value = models.CharField(max_length=120, blank=True, help_text="The button that was pressed.")
    quick_replies = models.JSONField(default=list, blank=True)
    card = models.JSONField(null=True, blank=True)
    reply_to = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="reply"
    )
    # a customer's message the assistant still owes an answer to
    open = models.BooleanField(default=False)
    trace = models.JSONField(default=dict, blank=True, help_text="Why the assistant said this.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_once"),
            models.UniqueConstraint(fields=["conversation", "client_id"], name="message_client_id_once"),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(open=True), name="message_open"),
        ]

    def __str__(self) -> str:
        return f"{self.author} #{self.seq}"

    def as_frame(self) -> dict[str, Any]:
        """The frame a browser gets for this message (see `chatbot.protocol`)."""
        return {
            "type": "message",
            "seq": self.seq,
            "author": self.author,
            "name": self.staff.first_name or "A colleague" if self.staff else "",
            "text": self.text,
            "at": self.created_at.isoformat(),
            "quick_replies": self.quick_replies,
            "card": self.card,
            "reply_to": self.reply_to.seq if self.reply_to else None,
            "id": self.client_id or "",
        }


class VerificationAttempt(models.Model):
    """One try to prove who is asking; the limits count the failed ones."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="attempts")
    address = models.CharField(max_length=64, blank=True)
    order_key = models.CharField(max_length=40)
    succeeded = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["address", "at"], name="attempt_by_address"),
            models.Index(fields=["order_key", "at"], name="attempt_by_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_key} {'opened' if self.succeeded else 'refused'}"


class Article(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    body = models.TextField()
    intents = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Passage(models.Model):
    """One or two sentences of an article that can stand alone as an answer."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="passages")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    embedding = VectorField(dimensions=EMBEDDING_DIMENSIONS)

    class Meta:
        ordering = ["article", "position"]
        constraints = [
            models.UniqueConstraint(fields=["article", "position"], name="passage_once"),
        ]

    def __str__(self) -> str:
        return self.text[:60]

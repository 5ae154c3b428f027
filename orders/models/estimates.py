"""How fast things go just now, and every estimate that was given, to be scored when its parcel arrives."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ml.types import Forecast, Outcome, Reason
from orders.models.shop import Order
from orders.reasons import telling


class Pace(models.Model):
    """The latest finished spells of one leg and key (`orders.paces`), newest first.

    A row holds at most as many as its leg looks back on, so an estimate reads a handful of rows however
    many orders there are. `orders` says whose spell it is: news of the same order replaces its old one.
    """

    key = models.CharField(max_length=320, primary_key=True, help_text="leg, then the values it goes by")
    orders = ArrayField(models.BigIntegerField(), default=list)
    ended_at = ArrayField(models.FloatField(), default=list, help_text="seconds since 1970")
    days = ArrayField(models.FloatField(), default=list)

    def __str__(self) -> str:
        return self.key


class Backlog(models.Model):
    """How many orders a seller has in hand, neither handed over nor cancelled; "" is the whole shop."""

    seller = models.CharField(max_length=64, primary_key=True)
    open = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.seller or 'the shop'}: {self.open}"


class GivenEstimate(models.Model):
    """One estimate as it was given; or as it would have been, where PAST. `days` are the days from `given_at`
    until delivery at each of `levels`.

    Whole days are told: `first_day` to `last_day` is the window at `confidence`, `likely_day` the day
    that was called likely; all empty where the estimate was kept back (`kind` says why). `median`,
    `below` and `above` are what `ml.types.Forecast` needs to score it once the parcel is there.
    """

    class Channel(models.TextChoices):
        CHAT = "chat", "chat"
        MAIL = "mail", "email"
        WATCH = "watch", "watch of open orders"
        PAST = "past", "looked back on"  # told to nobody

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="estimates")
    given_at = models.DateTimeField()
    channel = models.CharField(max_length=8, choices=Channel)
    stage = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    model = models.CharField(max_length=80)
    confidence = models.FloatField()
    levels = ArrayField(models.FloatField())
    days = ArrayField(models.FloatField())
    median = models.FloatField()
    below = models.FloatField()
    above = models.FloatField()
    reasons = models.JSONField(default=list, blank=True, help_text="what moved it: [code, days]")
    first_day = models.DateField(null=True, blank=True)
    likely_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    promised_day = models.DateField(null=True, blank=True)
    promise_chance = models.FloatField(null=True, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    region = models.CharField(max_length=90, blank=True)
    # --- once the parcel is there
    arrived_at = models.DateTimeField(null=True, blank=True)
    score = models.FloatField(null=True, blank=True, help_text="in spreads from the median")
    error_days = models.FloatField(null=True, blank=True, help_text="arrival minus estimate")
    in_window = models.BooleanField(null=True, blank=True)
    promise_error_days = models.FloatField(null=True, blank=True, help_text="arrival minus promise")
    was_late = models.BooleanField(null=True, blank=True, help_text="after the promised day")

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "stage"], condition=models.Q(channel="past"), name="looked_back_once"
            ),
        ]
        indexes = [
            models.Index(fields=["order", "-given_at"], name="estimate_of_order"),
            models.Index(fields=["given_at"], name="estimate_by_time"),
            models.Index(fields=["arrived_at", "stage"], name="estimate_by_arrival"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} at {self.given_at:%Y-%m-%d %H:%M}: {self.likely_day or self.kind}"

    @property
    def forecast(self) -> Forecast:
        return Forecast(
            stage=self.stage,  # type: ignore[arg-type]
            at=self.given_at,
            levels=tuple(self.levels),
            days=tuple(self.days),
            confidence=self.confidence,
            too_wide=self.likely_day is None,
            reasons=tuple(Reason(code, days) for code, days in self.reasons),
            model=self.model,
            median=self.median,
            below=self.below,
            above=self.above,
        )

    def outcome(self, *, now: datetime) -> Outcome:
        """How it fell out; how it stands `now` while its parcel is under way."""
        at = self.arrived_at or now
        return Outcome(
            self.forecast.stage, self.region, self.given_at, self.arrived_at, self.forecast.score(at)
        )

    @property
    def told_reasons(self) -> list[tuple[Reason, str]]:
        """What moved it, the weightiest first, each with its words."""
        return telling(self.forecast.reasons)

    @property
    def breaks_promise(self) -> bool:
        """Whether it would rather arrive after the promised day than on it or before."""
        return bool(self.likely_day and self.promised_day and self.likely_day > self.promised_day)

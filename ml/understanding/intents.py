"""The intent recipe: logistic regression on sentence vectors, a temperature, and two thresholds.

It trains on any labels. Everything it chooses (strength of the penalty, temperature, thresholds)
comes from cross-validation on the training data. Where that data has out-of-scope examples, they
are a class of their own; where it has none, whole intents are left out in turn and play the part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.understanding.fitting import Fitted, TrainingSet, fit_calibrated
from ml.understanding.head import Head, Labels, Probabilities, fit
from ml.understanding.metrics import mcc

OUT_OF_SCOPE = "out_of_scope"

# The field's standard 27 (Bitext's names), ours for email, and what conversation needs.
SHOP_INTENTS: tuple[str, ...] = (
    "track_order",
    "delivery_period",
    "delivery_options",
    "cancel_order",
    "change_order",
    "place_order",
    "change_shipping_address",
    "set_up_shipping_address",
    "get_refund",
    "track_refund",
    "check_refund_policy",
    "check_cancellation_fee",
    "get_invoice",
    "check_invoices",
    "payment_issue",
    "check_payment_methods",
    "create_account",
    "edit_account",
    "delete_account",
    "switch_account",
    "recover_password",
    "registration_problems",
    "newsletter_subscription",
    "complaint",
    "review",
    "contact_customer_service",
    "contact_human_agent",
    "email_timeline",
)
TALK_INTENTS: tuple[str, ...] = ("greeting", "thanks", "goodbye", "affirm", "deny", "inform")
INTENTS: tuple[str, ...] = (*SHOP_INTENTS, *TALK_INTENTS, OUT_OF_SCOPE)

LEFT_OUT_PARTS = 4
LEVELS = np.append(np.arange(0.0, 0.96, 0.02), [0.97, 0.98, 0.99, 0.995])
MARGINS = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Below `level` of probability, or `margin` between the first two, a message is out of scope."""

    level: float
    margin: float


@dataclass(frozen=True, slots=True)
class IntentModel:
    """`scores` are cross-validated on the training data."""

    fitted: Fitted
    thresholds: Thresholds
    scores: dict[str, float]

    @property
    def head(self) -> Head:
        return self.fitted.head

    def decide(self, probabilities: Probabilities) -> list[str]:
        """One label per row of (n, k) probabilities, with what is out of scope rejected."""
        return _decide(probabilities, self.head.labels, self.thresholds)


def train(data: TrainingSet, *, seed: int = 0) -> IntentModel:
    """Raises ValueError below two labels."""
    fitted = fit_calibrated(data, seed=seed)
    thresholds, rejection = _best_thresholds(data, fitted, seed)
    return IntentModel(fitted, thresholds, fitted.scores | {"rejection_mcc": round(rejection, 4)})


def _decide(probabilities: Probabilities, labels: Sequence[str], thresholds: Thresholds) -> list[str]:
    best = probabilities.argmax(axis=1)
    ordered = np.sort(probabilities, axis=1)
    level, margin = ordered[:, -1], ordered[:, -1] - ordered[:, -2]
    rejected = (level < thresholds.level) | (margin < thresholds.margin)
    return [OUT_OF_SCOPE if no else labels[index] for index, no in zip(best, rejected, strict=True)]


def _best_thresholds(data: TrainingSet, fitted: Fitted, seed: int) -> tuple[Thresholds, float]:
    """The pair with the best Matthews correlation when half of the traffic is out of scope."""
    gold = fitted.gold
    level, margin, predicted = _tops(fitted.held_out, fitted.head.labels)
    if OUT_OF_SCOPE not in fitted.head.labels:
        strange_level, strange_margin, strange = _left_out(data, fitted, seed)
        level, margin = np.concatenate([level, strange_level]), np.concatenate([margin, strange_margin])
        predicted = np.concatenate([predicted, strange])
        gold = np.concatenate([gold, np.full(len(strange), OUT_OF_SCOPE)])
    outside = gold == OUT_OF_SCOPE
    weights = np.where(outside, 0.5 / max(1, outside.sum()), 0.5 / max(1, (~outside).sum()))
    names = sorted({*gold.tolist(), *predicted.tolist(), OUT_OF_SCOPE})
    index = {name: place for place, name in enumerate(names)}
    truth = np.array([index[name] for name in gold.tolist()])
    guess = np.array([index[name] for name in predicted.tolist()])
    best, best_score = Thresholds(0.0, 0.0), -1.0
    for gap in MARGINS:
        for floor in LEVELS:
            kept = np.where((level < floor) | (margin < gap), index[OUT_OF_SCOPE], guess)
            score = mcc(truth, kept, len(names), weights)
            if score > best_score + 1e-9:
                best, best_score = Thresholds(round(float(floor), 3), round(float(gap), 2)), score
    return best, best_score


def _tops(probabilities: Probabilities, labels: Sequence[str]) -> tuple[Probabilities, Probabilities, Labels]:
    ordered = np.sort(probabilities, axis=1)
    best = np.array(labels)[probabilities.argmax(axis=1)]
    return ordered[:, -1], ordered[:, -1] - ordered[:, -2], best


def _left_out(data: TrainingSet, fitted: Fitted, seed: int) -> tuple[Probabilities, Probabilities, Labels]:
    """How sure the recipe is of sentences whose intent it was never shown."""
    names = np.random.default_rng(seed).permutation(sorted(set(data.labels.tolist())))
    levels, margins, guesses = [], [], []
    for part in np.array_split(names, min(LEFT_OUT_PARTS, len(names))):
        unknown = np.isin(data.labels, part)
        known = data.rows(~unknown)
        if len(set(known.labels.tolist())) < 2:
            continue
        model = fit(known.vectors, known.labels, known.weights, c=fitted.penalty)
        model = model.tempered(fitted.head.temperature)
        level, margin, guess = _tops(model.probabilities(data.vectors[unknown & data.scored]), model.labels)
        levels.append(level)
        margins.append(margin)
        guesses.append(guess)
    if not levels:
        return np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.str_)
    return np.concatenate(levels), np.concatenate(margins), np.concatenate(guesses)

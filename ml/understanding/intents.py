"""The intent recipe: an adapted encoder, linear heads on two views, a temperature, and trust.

It trains on any labels and chooses nothing on a test set: temperature and rejection are fitted on
rows that were held out of the encoder's training as well. Small sets are held out in turn, in four
folds, each of which also leaves out whole intents; of large ones a tenth is held out once, and the
intents that play what is out of scope are left out of the heads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ml.understanding.fitting import Corpus, best_temperature
from ml.understanding.head import Head, Labels, Probabilities, fit, softmax
from ml.understanding.metrics import calibration_error
from ml.understanding.spelling import Speller
from ml.understanding.trust import OUTSIDE_SHARE, Memory, best_level, remember, trust

if TYPE_CHECKING:  # serving imports this module and must not load torch
    from ml.understanding.minilm import Branch

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


SMALL = 2_500  # rows below which everything is held out in turn
FOLDS = 4
LEFT_OUT = 8  # one intent in so many plays what is out of scope, in each fold
HEAD_PARTS = 4
_NEVER = -30.0  # the logit of a label that a fold has not seen

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prediction:
    """`probabilities` (n, k) over the head's labels; `trust` (n,) that the first of them is right."""

    probabilities: Probabilities
    trust: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What held-out rows were taken for: logits (n, k), trust is made of them later."""

    logits: Probabilities
    vectors: NDArray[np.float32]
    gold: Labels
    memory: Memory
    known: Mask  # whether the row's label was seen in training


@dataclass(frozen=True, slots=True)
class IntentModel:
    """`branch` is None in the quick mode, which leaves the encoder as it is. `scores` and the held-out
    predictions behind them (`held_out`, `held_out_gold`) are of rows that no part was trained on."""

    head: Head
    memory: Memory
    level: float
    branch: Branch | None
    scores: dict[str, float]
    held_out: Prediction
    held_out_gold: Labels
    speller: Speller | None

    def predict(self, corpus: Corpus) -> Prediction:
        return judge(self.head, self.memory, corpus.vectors(self.branch))

    def read(self, texts: Sequence[str]) -> Prediction:
        """The same for texts, which its speller reads first."""
        return self.predict(Corpus.plain(texts, [""] * len(texts), self.speller))

    def decide(self, prediction: Prediction) -> list[str]:
        """One label per row, with what is not trusted rejected."""
        best = np.array(self.head.labels)[prediction.probabilities.argmax(axis=1)]
        return np.where(prediction.trust < self.level, OUT_OF_SCOPE, best).tolist()  # type: ignore[no-any-return]


def judge(head: Head, memory: Memory, vectors: NDArray[np.float32]) -> Prediction:
    """Probabilities and trust for vectors (n, 384 or 768)."""
    probabilities = head.probabilities(vectors)
    return Prediction(probabilities, trust(probabilities, vectors, memory))


def train(corpus: Corpus, *, seed: int = 0, frozen: bool = False, held: Mask | None = None) -> IntentModel:
    """`held` names the rows to calibrate on where the data has a part for that. In the end everything is
    trained on. Raises ValueError below two labels."""
    labels = np.unique(corpus.labels)
    if len(labels) < 2:
        raise ValueError("Training needs at least two different labels.")
    branch = None
    evidence: list[Evidence] = []
    splits = list(_splits(corpus, labels, seed)) if held is None else [(~held, held)]
    for seen, tested in splits:
        branch = None if frozen else corpus.adapted(seen, seed=seed)
        evidence.append(_evidence(corpus.vectors(branch), corpus, labels, seen, tested, seed))
    if len(splits) == 1 and OUT_OF_SCOPE not in labels:
        evidence += _left_out_of_heads(corpus.vectors(branch), corpus, labels, *splits[0], seed)
    if not frozen:
        branch = corpus.adapted(np.ones(len(corpus.labels), dtype=bool), seed=seed)
    return _finish(corpus, corpus.vectors(branch), branch, evidence, seed)


def _splits(corpus: Corpus, labels: Labels, seed: int) -> Iterator[tuple[Mask, Mask]]:
    """(trained on, held out) masks."""
    small = int(corpus.scored.sum()) < SMALL
    fold_of = corpus.folds(FOLDS if small else 10, seed=seed)
    if not small:
        yield fold_of != 0, (fold_of == 0) & corpus.scored
        return
    turn = np.random.default_rng(seed).permutation(len(labels))
    left_out = turn // max(1, len(labels) // LEFT_OUT) if len(labels) >= LEFT_OUT else turn + FOLDS
    if OUT_OF_SCOPE in labels:
        left_out = turn + FOLDS
    place = np.searchsorted(labels, corpus.labels)
    for fold in range(FOLDS):
        strange = left_out[place] == fold
        yield (fold_of != fold) & ~strange, ((fold_of == fold) | strange) & corpus.scored


def _evidence(
    vectors: NDArray[np.float32], corpus: Corpus, labels: Labels, seen: Mask, tested: Mask, seed: int
) -> Evidence:
    head = fit(vectors[seen], corpus.labels[seen], corpus.weights[seen])
    columns = np.searchsorted(labels, head.labels)
    logits = np.full((int(tested.sum()), len(labels)), _NEVER)
    logits[:, columns] = head.logits(vectors[tested])
    memory = remember(vectors[seen], _owners(corpus.labels[seen], labels), seed=seed)
    gold = corpus.labels[tested]
    return Evidence(logits, vectors[tested], gold, memory, np.isin(gold, head.labels))


def _left_out_of_heads(
    vectors: NDArray[np.float32], corpus: Corpus, labels: Labels, seen: Mask, tested: Mask, seed: int
) -> list[Evidence]:
    made = []
    for part in np.array_split(
        np.random.default_rng(seed).permutation(labels), min(HEAD_PARTS, len(labels) // 2)
    ):
        strange = np.isin(corpus.labels, part)
        made.append(_evidence(vectors, corpus, labels, seen & ~strange, tested & strange, seed))
    return made


def _owners(found: Labels, labels: Labels) -> NDArray[np.int64]:
    return np.where(found == OUT_OF_SCOPE, -1, np.searchsorted(labels, found))


def _finish(
    corpus: Corpus, vectors: NDArray[np.float32], branch: Branch | None, evidence: list[Evidence], seed: int
) -> IntentModel:
    labels = np.unique(corpus.labels)
    logits = np.concatenate([part.logits[part.known] for part in evidence])
    gold = np.concatenate([part.gold[part.known] for part in evidence])
    temperature = best_temperature(logits, np.searchsorted(labels, gold))
    probabilities = [softmax(part.logits / temperature) for part in evidence]
    found = np.concatenate(
        [trust(p, part.vectors, part.memory) for p, part in zip(probabilities, evidence, strict=True)]
    )
    every, truth = np.concatenate(probabilities), np.concatenate([part.gold for part in evidence])
    known = np.concatenate([part.known for part in evidence])
    best = labels[every.argmax(axis=1)]
    ours = best != OUT_OF_SCOPE
    outside = ~known | (truth == OUT_OF_SCOPE)
    told = float((truth == OUT_OF_SCOPE).mean())  # the data's own mix, where it has one
    level = best_level(np.where(ours, found, -1.0), best == truth, outside, told or OUTSIDE_SHARE)
    head = fit(vectors, corpus.labels, corpus.weights).tempered(temperature)
    held_out = Prediction(every[known], found[known])
    right = (best == truth)[known]
    scores = {
        "temperature": round(temperature, 4),
        "level": level,
        "held_out_rows": int(known.sum()),
        "accuracy": round(float(right.mean()), 4),
        "ece": round(calibration_error(every[known].max(axis=1), right), 4),
    }
    memory = remember(vectors, _owners(corpus.labels, labels), seed=seed)
    return IntentModel(head, memory, level, branch, scores, held_out, truth[known], corpus.speller)

from __future__ import annotations

import numpy as np
import pytest

from ml.understanding.fitting import Corpus
from ml.understanding.intents import OUT_OF_SCOPE, train
from ml.understanding.metrics import calibration_error, mcc, report


def clouds(names, *, rows=24, spread=0.25, seed=3):
    """A corpus of unit vectors around one random direction for each name; there are no texts behind it."""
    rng = np.random.default_rng(seed)
    vectors, labels = [], []
    for name in names:
        centre = rng.normal(size=16)
        vectors.append(centre / np.linalg.norm(centre) + spread * rng.normal(size=(rows, 16)) / 4)
        labels += [name] * rows
    stacked = np.concatenate(vectors).astype(np.float32)
    return corpus(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), labels)


def corpus(vectors, labels):
    n = len(labels)
    return Corpus([], vectors, np.array(labels), np.ones(n), np.arange(n), np.ones(n, dtype=bool))


def test_it_learns_labels_it_has_never_heard_of():
    data = clouds(["apples", "pears", "plums", "figs"])
    model = train(data, frozen=True)
    assert model.decide(model.predict(data)) == data.labels.tolist()
    assert model.scores["accuracy"] == 1.0


def test_two_labels_are_enough_and_one_is_not():
    data = clouds(["yes", "no"])
    model = train(data, frozen=True)
    assert model.predict(data).probabilities.sum(axis=1) == pytest.approx(np.ones(len(data.labels)))
    with pytest.raises(ValueError, match="two different"):
        train(corpus(data.originals[:24], ["yes"] * 24), frozen=True)


def test_training_twice_gives_the_same_model():
    data = clouds(["apples", "pears", "plums"], spread=1.5)
    one, two = (train(data, seed=5, frozen=True) for _ in range(2))
    assert (one.head.weights == two.head.weights).all()
    assert (one.level, one.scores) == (two.level, two.scores)


def test_strange_vectors_are_rejected_though_none_were_trained_on():
    data = clouds([f"fruit {number}" for number in range(12)], spread=0.6)
    strange = clouds([f"stone {number}" for number in range(12)], spread=0.6, seed=99)
    model = train(data, frozen=True)
    rejected = [
        model.decide(model.predict(some)).count(OUT_OF_SCOPE) / len(data.labels) for some in (data, strange)
    ]
    assert rejected[0] < 0.05
    assert rejected[1] > 0.5


def test_data_that_knows_little_out_of_scope_rejects_less():
    near = clouds(["apples", "pears", "plums"], spread=1.2, rows=80)
    strange = clouds(["quinces", "figs"], spread=1.2, rows=40, seed=9)

    def level(outside):
        vectors = np.concatenate([near.originals, strange.originals[:outside]])
        labels = [*near.labels.tolist(), *[OUT_OF_SCOPE] * outside]
        return train(corpus(vectors, labels), frozen=True).level

    assert level(6) < level(80)


def test_labels_with_a_single_example_do_not_stop_it():
    data = clouds(["apples", "pears", "plums"])
    labels = data.labels.tolist()
    labels[0] = "quince"
    assert "quince" in train(corpus(data.originals, labels), frozen=True).head.labels


def test_matthews_correlation_agrees_with_scikit_learn():
    from sklearn.metrics import matthews_corrcoef

    rng = np.random.default_rng(1)
    truth, guess, weights = rng.integers(0, 4, 200), rng.integers(0, 4, 200), rng.random(200)
    guess[:80] = truth[:80]
    expected = matthews_corrcoef(truth, guess, sample_weight=weights)
    assert mcc(truth, guess, 4, weights) == pytest.approx(expected)


def test_calibration_error_of_an_honest_and_of_a_boastful_model():
    right = np.array([True] * 7 + [False] * 3)
    assert calibration_error(np.full(10, 0.7), right) == pytest.approx(0)
    assert calibration_error(np.full(10, 1.0), right) == pytest.approx(0.3)


def test_a_report_counts_scope_apart():
    gold = ["a", "a", "b", OUT_OF_SCOPE, OUT_OF_SCOPE]
    predicted = ["a", "b", "b", OUT_OF_SCOPE, "a"]
    figures = report(gold, predicted, [0.9] * 5, out_of_scope=OUT_OF_SCOPE)
    assert figures["accuracy"] == 0.6
    assert figures["in_scope_accuracy"] == pytest.approx(0.6667)
    assert (figures["oos_recall"], figures["oos_precision"]) == (0.5, 1.0)
    assert figures["intents"]["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert figures["confusions"][0] == {"intent": "a", "predicted": "b", "count": 1}

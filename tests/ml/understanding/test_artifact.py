from __future__ import annotations

import numpy as np
import pytest

from ml.understanding.artifact import PATH, ArtifactError, load, save
from ml.understanding.card import card
from ml.understanding.data import examples
from ml.understanding.intents import INTENTS


def test_the_card_beside_the_model_says_what_the_model_says():
    assert PATH.with_suffix(".md").read_text(encoding="utf-8") == card(load(PATH))


def test_the_model_knows_exactly_the_intents_of_the_design():
    assert set(load(PATH).intents.labels) == set(INTENTS)
    assert {label for _, label in examples("intents")} == set(INTENTS)


def test_the_file_carries_its_configuration_data_and_scores():
    about = load(PATH).about
    assert about["config"]["encoder"] == "all-MiniLM-L6-v2"
    assert len(about["data_hash"]) == 16
    assert about["scores"]["intents"]["accuracy"] > 0.8


def test_saving_again_gives_the_same_bytes(tmp_path):
    save(load(PATH), tmp_path / "again.npz")
    save(load(tmp_path / "again.npz"), tmp_path / "twice.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "twice.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04broken"])
def test_a_broken_file_is_one_clear_sentence(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="train it again"):
        load(path)


def test_a_missing_file_says_to_train(tmp_path):
    with pytest.raises(ArtifactError, match="train one first"):
        load(tmp_path / "none.npz")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, meta=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArtifactError):
        load(path)

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest

from ml.understanding.artifact import ENCODER, FOLDER, HEADS, ArtifactError, load, save
from ml.understanding.card import card
from ml.understanding.data import examples
from ml.understanding.intents import INTENTS

LARGEST = 45_000_000  # bytes of a file that ships
SERVE = """
import sys
from ml.understanding.artifact import FOLDER
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS
from ml.understanding.understander import Understander
Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS).understand("where is my order")
print(sorted({"torch", "transformers", "sentence_transformers", "sklearn"} & sys.modules.keys()))
"""


def test_the_card_beside_the_model_says_what_the_model_says():
    assert (FOLDER / "understanding.md").read_text(encoding="utf-8") == card(load(FOLDER))


def test_the_model_knows_exactly_the_intents_of_the_design():
    assert set(load(FOLDER).heads["intents"].labels) == set(INTENTS)
    assert {label for _, label in examples("intents")} == set(INTENTS)


def test_the_file_carries_its_configuration_data_and_scores():
    about = load(FOLDER).about
    assert about["config"]["encoder"] == "all-MiniLM-L6-v2"
    assert len(about["data_hash"]) == 16
    assert about["scores"]["intents"]["accuracy"] > 0.8


def test_both_files_are_small_enough_to_ship():
    assert all((FOLDER / name).stat().st_size < LARGEST for name in (ENCODER, HEADS))


def test_serving_loads_no_library_of_training():
    run = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]"]


def test_saving_again_gives_the_same_bytes(tmp_path):
    save(load(FOLDER), tmp_path / "again")
    save(load(tmp_path / "again"), tmp_path / "twice")
    assert (tmp_path / "again" / HEADS).read_bytes() == (tmp_path / "twice" / HEADS).read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04broken"])
def test_a_broken_file_is_one_clear_sentence(tmp_path, content):
    (tmp_path / HEADS).write_bytes(content)
    with pytest.raises(ArtifactError, match="train it again"):
        load(tmp_path)


def test_a_missing_file_says_to_train(tmp_path):
    with pytest.raises(ArtifactError, match="train one first"):
        load(tmp_path)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    with (tmp_path / HEADS).open("wb") as file:
        np.savez(file, meta=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArtifactError):
        load(tmp_path)


def test_the_encoder_tells_nothing_of_the_machine_that_exported_it():
    exported = onnx.load(FOLDER / ENCODER)
    graph = exported.graph
    noted = [each for each in (exported, graph, *graph.node, *graph.initializer) if each.metadata_props]
    assert noted == []
    assert b"minilm.py" not in (FOLDER / ENCODER).read_bytes()

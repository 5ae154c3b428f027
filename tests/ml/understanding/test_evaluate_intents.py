"""`manage.py evaluate_intents`, through its command."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ml.understanding.evaluate import Evaluation, compare

SHOP = [
    ("where is my parcel", "track_order"),
    ("cancel my order please", "cancel_order"),
    ("I forgot my password", "recover_password"),
    ("what is the capital of Peru", "NO_NODES_DETECTED"),
]
FRUIT = [
    ("a red apple", "apple"),
    ("green apples", "apple"),
    ("an apple pie", "apple"),
    ("apple juice", "apple"),
    ("a ripe banana", "banana"),
    ("yellow bananas", "banana"),
    ("banana bread", "banana"),
    ("bananas", "banana"),
]


def write(path, rows, header=("text", "intent")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def evaluate(*arguments):
    out = io.StringIO()
    call_command("evaluate_intents", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_shipped_model_on_a_file(tmp_path):
    figures = evaluate(write(tmp_path / "shop.csv", SHOP))
    assert figures["rows"] == 4
    assert figures["accuracy"] == figures["in_scope_accuracy"] == figures["oos_recall"] == 1.0
    assert figures["intents"]["track_order"]["recall"] == 1.0
    assert {"macro_f1", "ece", "oos_precision", "confusions", "model"} <= figures.keys()


def test_another_files_labels_are_learned_first(tmp_path):
    train = write(tmp_path / "train.csv", FRUIT)
    test = write(tmp_path / "test.csv", [("apples", "apple"), ("one banana", "banana")])
    figures = evaluate(test, "--train", train)
    assert figures["training_rows"] == len(FRUIT)
    assert set(figures["intents"]) <= {"apple", "banana", "out_of_scope"}
    assert "oos_recall" not in figures


def test_predictions_are_written_row_by_row(tmp_path):
    out = tmp_path / "predictions.csv"
    evaluate(write(tmp_path / "shop.csv", SHOP), "--predictions", str(out))
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["text", "intent", "predicted", "confidence"]
    assert [row["text"] for row in rows] == [text for text, _ in SHOP]
    assert rows[-1]["intent"] == rows[-1]["predicted"] == "out_of_scope"
    assert 0 <= float(rows[0]["confidence"]) <= 1


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    path = tmp_path / "bom.csv"
    path.write_text("\ufefftext,intent\nwhere is my order,track_order\n", encoding="utf-8")
    assert evaluate(str(path))["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("utterance,label\nhi,greeting\n", "needs the columns text and intent"),
        ("text,intent\n", "has no rows"),
        ("", "needs the columns text and intent"),
        ("text,intent\nhi,\n", "row 1 has no intent"),
    ],
)
def test_a_wrong_file_is_one_clear_sentence(tmp_path, content, says):
    path = tmp_path / "wrong.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=says) as error:
        evaluate(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_or_binary_file_is_one_clear_sentence(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        evaluate(str(tmp_path / "none.csv"))
    (tmp_path / "photo.csv").write_bytes(b"\xff\xd8\xff\xe0\x00\x10")
    with pytest.raises(CommandError, match="cannot be read"):
        evaluate(str(tmp_path / "photo.csv"))


def test_training_on_one_intent_is_refused(tmp_path):
    train = write(tmp_path / "train.csv", FRUIT[:4])
    with pytest.raises(CommandError, match="two different intents"):
        evaluate(write(tmp_path / "test.csv", FRUIT), "--train", train)


def test_a_report_is_json_a_table_and_a_diagram(tmp_path):
    folder = tmp_path / "report"
    rows = [*SHOP, ("where is my parcel", "cancel_order")]
    figures = evaluate(write(tmp_path / "shop.csv", rows), "--report", str(folder))
    stored = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert stored["accuracy"] == figures["accuracy"] == 0.8
    assert stored["worst"][0]["text"] == "where is my parcel"
    assert "| cancel_order | track_order | 1 |" in (folder / "evaluation.md").read_text(encoding="utf-8")
    assert (folder / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_a_candidate_is_compared_with_the_shops_model(tmp_path):
    figures = evaluate(write(tmp_path / "shop.csv", SHOP), "--candidate", str(settings.ARTIFACTS))
    compared = figures["comparison"]
    assert compared["candidate"] == compared["current"]
    assert compared["low"] == compared["difference"] == compared["high"] == 0


def test_the_interval_holds_the_difference():
    rows = [(str(number), "a") for number in range(200)]
    worse = Evaluation({"model": "old", "accuracy": 0.5}, rows, ["a", "b"] * 100, [0.9] * 200)
    better = Evaluation({"model": "new", "accuracy": 0.75}, rows, ["a", "b", "a", "a"] * 50, [0.9] * 200)
    compared = compare(better, worse)
    assert 0 < compared["low"] < compared["difference"] == 0.25 < compared["high"] < 0.4

"""What a person wrote, turned into a pair that teaches no fact."""

from __future__ import annotations

import json

import pytest

from ml.types import Fact, Facts
from ml.writer.delexicalise import delexicalise
from ml.writer.pairs import PairsError, Written, collect, make_pair, read_pairs, write_pairs
from ml.writer.prompts import messages, read_answer

DAYS = {
    "window_start": "Tuesday 24 November",
    "window_end": "Friday 27 November",
    "likely_day": "Wednesday 25 November",
    "promised_day": "Monday 23 November",
}
OTHERS = {"order": "#W2611340", "item": "kettle", "carrier": "Northline", "place": "the Leeds depot"}
GOOD = (
    "Order #W2611340 is late: it comes between Tuesday 24 November and Friday 27 November, "
    "most likely Wednesday 25 November. It was promised for Monday 23 November."
)


def late(**displays: str) -> Facts:
    slots = {slot: Fact(display, "test") for slot, display in (DAYS | OTHERS | displays).items()}
    return Facts("order_late", slots, customer_text="where is it??")


def opened(text: str, began: str = "", **displays: str) -> str:
    return delexicalise(text, late(**displays), began=began).text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Between Tuesday 24 and Friday 27 November.", "Between {window_start} and {window_end}."),
        ("Most likely Wednesday the 25th.", "Most likely {likely_day}."),
        ("Most likely on Wed. 25th November?", "Most likely on {likely_day}?"),
        ("It was due on Monday, sorry.", "It was due on {promised_day}, sorry."),
        ("By November 27th at the latest.", "By {window_end} at the latest."),
        ("w2611340 left The Leeds Depot with northline", "{order} left {place} with {carrier}"),
        ("Your kettle, not your kettles.", "Your {item}, not your kettles."),
        ("The 12th of never.", "The 12th of never."),
    ],
)
def test_facts_are_found_in_the_ways_people_write_them(said, meant):
    assert opened(said) == meant


def test_facts_that_read_the_same_are_told_apart_by_the_words_before_them():
    same = {"window_end": "Wednesday 25 November"}
    assert (
        opened("From Tuesday 24 to Wednesday 25 November, most likely Wednesday 25 November.", **same)
        == "From {window_start} to {window_end}, most likely {likely_day}."
    )
    assert (
        opened("Look out for Wednesday.", began="Look out for {likely_day}.", **same)
        == "Look out for {likely_day}."
    )
    assert delexicalise("Wednesday it is.", late(**same)).unclear == ("Wednesday",)


def test_a_pair_is_the_writers_own_prompt_and_an_answer_it_can_read():
    pair = make_pair(Written("chat:1", late(), GOOD), mask=str.upper)
    asked, answer = pair.messages[:-1], pair.messages[-1]["content"]
    assert asked == messages(pair.facts)
    assert "WHERE IS IT??" in asked[-1]["content"]
    assert "24" not in answer
    assert read_answer(answer, pair.facts)[0] == (
        "Order {order} is late: it comes between {window_start} and {window_end}, most likely {likely_day}. "
        "It was promised for {promised_day}."
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD + " It costs £5.", "states a fact that no slot supplies"),
        (GOOD + " Call us tomorrow.", "states a fact that no slot supplies"),
        (GOOD.replace("Monday 23 November", "last week"), "states a fact that no slot supplies"),
        (GOOD + " Mr Okafor may sign.", "names a person or a place of theirs"),
        (GOOD + " I have cancelled it.", "refused by the checker: claims 'cancelled'"),
        ("Order #W2611340 is late.", "refused by the checker: required {…} is not told"),
        (GOOD + " {order}", "a brace in the text"),
    ],
)
def test_what_would_teach_a_wrong_thing_is_left_out_and_counted(text, reason):
    written = Written("chat:1", late(), text, private=frozenset({"Okafor", "Sam"}))
    collected = collect([written], mask=str)
    assert collected.pairs == []
    assert collected.left_out == {reason: 1}


def test_a_greeting_by_name_and_a_sign_off_are_no_part_of_the_answer():
    private = frozenset({"Amara", "Sam"})
    pair = make_pair(
        Written("chat:1", late(), f"Hi Amara, {GOOD} Best wishes, Sam", private=private), mask=str
    )
    assert pair.messages[-1]["content"].startswith("Order {order} is late")
    assert pair.messages[-1]["content"].endswith("{promised_day}.")


def test_a_customers_own_data_is_hidden_in_the_prompt():
    facts = Facts("order_late", late().slots, customer_text="Amara Okafor here, order #W2611340, LS1 4DY")
    private = frozenset({"Amara", "Okafor", "#W2611340", "LS1 4DY"})
    pair = make_pair(Written("chat:1", facts, GOOD, private=private), mask=str)
    assert "«private private here, order private , private»" in pair.messages[1]["content"]


def test_answers_in_nearly_the_same_words_are_one_pair():
    other = late(order="#W9999999")
    near = GOOD.replace("#W2611340", "#W9999999").replace("It was", "This was")
    collected = collect([Written("chat:1", late(), GOOD), Written("chat:2", other, near)], mask=str)
    assert [pair.id for pair in collected.pairs] == ["chat:1"]
    assert collected.left_out == {"says what another pair says": 1}


def test_a_file_of_pairs_is_read_as_it_was_written(tmp_path):
    pairs = collect([Written("chat:1", late(), GOOD, changed=("text",))], mask=str).pairs
    write_pairs(pairs, tmp_path / "new" / "pairs.jsonl")
    assert read_pairs(tmp_path / "new" / "pairs.jsonl") == pairs
    line = json.loads((tmp_path / "new" / "pairs.jsonl").read_text())
    assert [message["role"] for message in line["messages"]] == ["system", "user", "assistant"]
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(PairsError, match="line 1"):
        read_pairs(tmp_path / "bad.jsonl")

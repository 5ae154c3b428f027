"""A tiny model through the whole line: corpus, tokenizer, training, GGUF, llama.cpp."""

from __future__ import annotations

import json
import re

import pytest
import torch

from ml.writer import data, train
from ml.writer.corpus.compose import Request
from ml.writer.embedded import EmbeddedModel
from ml.writer.errors import ModelMissing
from ml.writer.llama import Context, Feed
from ml.writer.model import Config, Llama, generate
from ml.writer.rules import SLOT
from ml.writer.tokenizer import load_tokenizer
from ml.writer.tokens import CONTROLS, REPLY, SLOT_TOKENS, prompt, readable, split_target, target
from tests.ml.writer.conftest import RECIPE


def test_the_loss_falls_and_is_logged(made):
    lines = [json.loads(line) for line in (made / "chat.log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 12, 16, 20, 24]
    assert lines[-1]["loss"] < lines[0]["loss"] - 1


def test_a_checkpoint_carries_its_configuration_and_training_goes_on_from_it(made, public, tmp_path):
    for name in ("tokenizer.json", "chat.pt"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    state = torch.load(tmp_path / "chat.pt", weights_only=True)
    assert state["step"] == 24
    assert state["config"]["width"] == 64
    train.train("chat", train.replace(RECIPE, steps=28), tmp_path, public)
    assert torch.load(tmp_path / "chat.pt", weights_only=True)["step"] == 28
    assert json.loads((tmp_path / "chat.log.jsonl").read_text().splitlines()[0])["step"] == 28


def test_every_control_and_slot_is_one_token(made):
    tokenizer = load_tokenizer(made / "tokenizer.json")
    for text in (*CONTROLS, *SLOT_TOKENS):
        assert tokenizer.encode(text).tokens == [text]
    text = target("It's due on {likely_day}, isn't it?")
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_llama_cpp_computes_what_torch_computes(made, tiny):
    state = torch.load(made / "chat.pt", weights_only=True)
    model = Llama(Config(**state["config"]))
    model.load_state_dict(state["model"])
    ids = tiny.prompt_tokens(Request("thanks", frozenset()), "ta, that helps")
    ours = model(torch.tensor([ids]))[0, -1].detach()
    context = Context(tiny.model, sequences=1, room=256, batch=256, threads=1)
    theirs = torch.tensor(context.decode([Feed(0, ids, 0, scored=True)])[0].copy())
    context.close()
    assert torch.allclose(ours, theirs, atol=0.05)
    assert generate(model, ids, end=0, limit=3)[0] == int(theirs.argmax())


@pytest.mark.parametrize(
    "said", ["", "Where's my parcel? I've waited SO long...", "é pra ontem, não é?", "<end> {order} W2611340"]
)
def test_a_prompt_is_read_as_it_was_learned(made, tiny, said):
    request = Request("order_late", frozenset({"promised_day", "order"}), "angry", verified=False)
    head = prompt("chat", "order_late", "angry", False, request.available, verified=False)
    learned = load_tokenizer(made / "tokenizer.json").encode("".join(head) + readable(said) + REPLY).ids
    assert tiny.prompt_tokens(request, said) == learned


def test_nothing_a_customer_writes_is_a_control_or_a_fact():
    said = readable(
        "<end>{amount} <situation:refund_paid> I was promised £50.00 by a@b.co on 3/12, see http://x.y"
    )
    assert said == "end amount situation:refund paid I was promised # by # on # see #"
    assert len(readable("word " * 500).split()) == 60


def test_the_file_tells_what_it_is(tiny):
    assert tiny.version.startswith("writer-chat-")
    assert tiny.facts["config"]["layers"] == 2
    assert tiny.facts["training"]["steps"] == 24
    assert tiny.facts["scores"] == {"note": "tiny"}
    assert len(tiny.facts["source"]["hash"]) == 12


def test_even_a_bad_model_writes_no_digit_no_name_and_no_fact_it_was_not_given(tiny):
    request = Request("order_late", frozenset({"promised_day"}), "angry")
    for seed in range(12):
        text = tiny.write(request, seed=[seed]).text
        assert set(SLOT.findall(text)) <= {"promised_day"}
        assert not any(character.isdigit() or character in "<>@" for character in text)
        inside = re.findall(r"(?<=[\w,;:}] )[A-Z][\w']*", text)
        assert set(inside) <= {"I"} | {word for word in inside if word.startswith("I'")}


def test_the_same_seed_writes_the_same_text(tiny):
    request = Request("thanks", frozenset(), "curt", told=True)
    assert len({tiny.write(request, seed=[7]).text for _ in range(3)}) == 1


def test_a_missing_or_foreign_file_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=r"gone\.gguf is missing"):
        EmbeddedModel(tmp_path / "gone.gguf")
    (tmp_path / "not.gguf").write_bytes(b"nothing like a model")
    with pytest.raises(ModelMissing, match=r"not\.gguf"):
        EmbeddedModel(tmp_path / "not.gguf")


def test_mail_layout_survives_the_round_trip():
    text = target("Hello,\n\nIt is due.\n\nBye.", "Due {likely_day}", "All of it")
    assert split_target(text) == ("Hello,\n\nIt is due.\n\nBye.", "Due {likely_day}", "All of it")
    assert split_target(target("It is due.")) == ("It is due.", "", "")


def test_dialogues_that_state_facts_are_not_read():
    assert data.is_clean("Which one would you like?")
    for text in ("It starts at 7.", "See you on Monday.", "The Riverside Inn is open.", "In two days then."):
        assert not data.is_clean(text)

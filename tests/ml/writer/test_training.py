"""A tiny model through the whole line: corpus, tokenizer, training, GGUF, llama.cpp."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ml.writer import data, train
from ml.writer.corpus import load
from ml.writer.corpus.compose import Request
from ml.writer.engine import Engine, ModelMissing
from ml.writer.export import export
from ml.writer.model import Config, Llama, generate
from ml.writer.rules import SLOT
from ml.writer.tokenizer import load_tokenizer, train_tokenizer
from ml.writer.tokens import CONTROLS, SLOT_TOKENS, prompt, split_target, target

RECIPE = train.Recipe(steps=24, rate=4e-3, tokens=512, examples=300, held_out=20, warmup=4, report=4, save=12)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A chat model of two small layers after 24 steps from scratch, exported."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("writer")
    texts = [target(each.text) for each in data.compose_many(load("chat"), 800, 0)]
    tokenizer = train_tokenizer(texts, vocab_size=800)
    tokenizer.save(str(out / "tokenizer.json"))
    config = Config(vocab=tokenizer.get_vocab_size(), width=64, layers=2, heads=2, hidden=96, context=512)
    base = {
        "step": 0,
        "source": {},
        "held_out_loss": 0.0,
        "config": config.to_dict(),
        "model": Llama(config).state_dict(),
    }
    torch.save(base, out / "base.pt")
    train.train("chat", RECIPE, out, None)
    export(out / "chat.pt", out / "chat.gguf", {"note": "tiny"})
    return out


def test_the_loss_falls_and_is_logged(made):
    lines = [json.loads(line) for line in (made / "chat.log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 12, 16, 20, 24]
    assert lines[-1]["loss"] < lines[0]["loss"] - 1


def test_a_checkpoint_carries_its_configuration_and_training_goes_on_from_it(made, tmp_path):
    for name in ("tokenizer.json", "chat.pt"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    state = torch.load(tmp_path / "chat.pt", weights_only=True)
    assert state["step"] == 24
    assert state["config"]["width"] == 64
    train.train("chat", train.replace(RECIPE, steps=28), tmp_path, None)
    assert torch.load(tmp_path / "chat.pt", weights_only=True)["step"] == 28
    assert json.loads((tmp_path / "chat.log.jsonl").read_text().splitlines()[0])["step"] == 28


def test_every_control_and_slot_is_one_token(made):
    tokenizer = load_tokenizer(made / "tokenizer.json")
    for text in (*CONTROLS, *SLOT_TOKENS):
        assert tokenizer.encode(text).tokens == [text]
    text = target("It's due on {likely_day}, isn't it?")
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_llama_cpp_computes_what_torch_computes(made):
    engine = Engine(made / "chat.gguf")
    state = torch.load(made / "chat.pt", weights_only=True)
    model = Llama(Config(**state["config"]))
    model.load_state_dict(state["model"])
    ids = (
        load_tokenizer(made / "tokenizer.json")
        .encode("".join(prompt("chat", "thanks", "neutral", False, [])))
        .ids
    )
    ours = model(torch.tensor([ids]))[0, -1].detach()
    theirs = torch.tensor(engine._logits(ids).copy())
    assert torch.allclose(ours, theirs, atol=0.05)
    assert generate(model, ids, end=0, limit=3)[0] == int(theirs.argmax())


def test_the_file_tells_what_it_is(made):
    engine = Engine(made / "chat.gguf")
    assert engine.version.startswith("writer-chat-")
    assert engine.facts["config"]["layers"] == 2
    assert engine.facts["training"]["steps"] == 24
    assert engine.facts["scores"] == {"note": "tiny"}
    assert len(engine.facts["source"]["hash"]) == 12


def test_even_a_bad_model_writes_no_digit_and_no_fact_it_was_not_given(made):
    engine = Engine(made / "chat.gguf")
    for seed in range(12):
        made_text = engine.generate(
            Request("order_late", frozenset({"promised_day"}), "angry"), seed=[seed]
        ).text
        assert set(SLOT.findall(made_text)) <= {"promised_day"}
        assert not any(character.isdigit() or character in "<>@" for character in made_text)


def test_the_same_seed_writes_the_same_text(made):
    engine = Engine(made / "chat.gguf")
    texts = {
        engine.generate(Request("thanks", frozenset(), "curt", told=True), seed=[7]).text for _ in range(3)
    }
    assert len(texts) == 1


def test_a_missing_or_foreign_file_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=r"gone\.gguf is missing"):
        Engine(tmp_path / "gone.gguf")
    (tmp_path / "not.gguf").write_bytes(b"nothing like a model")
    with pytest.raises(ModelMissing, match=r"not\.gguf"):
        Engine(tmp_path / "not.gguf")


def test_mail_layout_survives_the_round_trip():
    text = target("Hello,\n\nIt is due.\n\nBye.", "Due {likely_day}", "All of it")
    assert split_target(text) == ("Hello,\n\nIt is due.\n\nBye.", "Due {likely_day}", "All of it")
    assert split_target(target("It is due.")) == ("It is due.", "", "")


def test_dialogues_that_state_facts_are_not_read():
    assert data.is_clean("Which one would you like?")
    for text in ("It starts at 7.", "See you on Monday.", "The Riverside Inn is open.", "In two days then."):
        assert not data.is_clean(text)

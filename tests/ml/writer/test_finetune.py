"""A tiny Llama in a Hugging Face folder, tuned on a shop's replies and run by llama.cpp."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import llama_cpp
import numpy as np
import pytest
import torch
from tokenizers import normalizers
from transformers import AutoModelForCausalLM

from ml.types import Fact, Facts
from ml.writer import finetune
from ml.writer.gguf_file import ExportError
from ml.writer.hf_export import HubFolder, export_folder
from ml.writer.lora import Settings, TuningError, encode, merged, tune
from ml.writer.pairs import Written, collect, read_pairs, write_pairs
from tests.ml.writer.tiny import CHATML, INST, byte_level, make_folder, pieces

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Where's order #W2611340? It's 3 days late…"},
]
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
SHAPES = {
    "grouped queries, tied": {},
    "a head for each query, untied": {"num_key_value_heads": 4, "tie_word_embeddings": False},
    "biases, wide heads, spare rows": {
        "attention_bias": True,
        "mlp_bias": True,
        "head_dim": 32,
        "vocab_size": 640,
    },
    "rotations as in Llama 3": {"rope_parameters": LLAMA3_ROPE},
    "rotations stretched": {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}},
}
TOKENIZERS = {"gpt-2": CHATML, "smollm": CHATML, "llama-bpe": CHATML, "pieces": INST}


def tokenizer_of(style: str):
    return pieces() if style == "pieces" else byte_level(style)


def load(path: Path) -> llama_cpp.Llama:
    return llama_cpp.Llama(str(path), n_ctx=1024, n_threads=1, logits_all=True, verbose=False)


def agree(folder: HubFolder, model, path: Path, *, tolerance: float, greedy: bool) -> None:
    """The file splits, scores and (where exact enough) continues the prompt as transformers does."""
    llama = load(path)
    try:
        prompt = folder.conversation(TALK, ask=True)
        ids = folder.ids(prompt)
        assert llama.tokenize(prompt.encode(), add_bos=False, special=True) == ids
        written = list(ids)
        llama.eval(ids)
        with torch.no_grad():
            ours = model(torch.tensor([ids])).logits[0].numpy()
        assert np.abs(ours - llama.scores[: len(ids)]).max() < tolerance * ours.std()
        for _ in range(12 if greedy else 0):
            with torch.no_grad():
                written.append(int(model(torch.tensor([written])).logits[0, -1].argmax()))
            assert int(llama.scores[llama.n_tokens - 1].argmax()) == written[-1]
            llama.eval(written[-1:])
    finally:
        llama.close()


def exported(folder: HubFolder, model, path: Path, file_type: str) -> Path:
    export_folder(folder, dict(model.state_dict()), path, file_type=file_type, version="tiny", facts={})
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_llama_computes_the_same(tmp_path, shape):
    folder = HubFolder(make_folder(tmp_path / "hub", byte_level("llama-bpe"), **SHAPES[shape]))
    model = AutoModelForCausalLM.from_pretrained(folder.path, dtype=torch.float32)
    agree(folder, model, exported(folder, model, tmp_path / "16.gguf", "F16"), tolerance=0.02, greedy=True)
    agree(folder, model, exported(folder, model, tmp_path / "8.gguf", "Q8_0"), tolerance=0.3, greedy=False)


@pytest.mark.parametrize("style", TOKENIZERS)
def test_every_tokenizer_splits_the_same(tmp_path, style):
    folder = HubFolder(make_folder(tmp_path / "hub", tokenizer_of(style), template=TOKENIZERS[style]))
    model = AutoModelForCausalLM.from_pretrained(folder.path, dtype=torch.float32)
    path = exported(folder, model, tmp_path / "16.gguf", "F16")
    agree(folder, model, path, tolerance=0.02, greedy=True)
    llama = load(path)
    assert llama.metadata["tokenizer.chat_template"] == TOKENIZERS[style]
    assert llama.token_eos() == folder.tokenizer.eos_token_id
    llama.close()


def test_a_tokenizer_that_llama_cpp_cannot_follow_is_refused(tmp_path):
    tokenizer = byte_level("gpt-2")
    tokenizer.normalizer = normalizers.Lowercase()
    folder = HubFolder(make_folder(tmp_path / "hub", tokenizer))
    with pytest.raises(ExportError, match="splits text otherwise"):
        export_folder(folder, {}, tmp_path / "x.gguf", file_type="F16", version="x", facts={})


# the same words in four situations: what is learned from three of them can be asked for in the fourth
STAYS = "Then #W2611340 stays as it is. Nothing was changed, and a colleague can look if you like."
KEPT = ("cancel_kept", "refund_kept", "address_kept", "refund_none")


@pytest.fixture(scope="module")
def pairs():
    slots = {"order": Fact("#W2611340", "orders.Order:1.number")}
    written = [
        Written(f"chat:{number}", Facts(situation, slots, customer_text="What about it?"), STAYS)
        for number, situation in enumerate(KEPT)
    ]
    collected = collect(written, mask=lambda text: text)
    assert not collected.left_out
    return collected.pairs


@pytest.fixture(scope="module")
def hub(tmp_path_factory, pairs) -> Path:
    tokenizer = byte_level("smollm", [message["content"] for pair in pairs for message in pair.messages])
    return make_folder(tmp_path_factory.mktemp("hub") / "tiny-llama", tokenizer)


@pytest.fixture(scope="module")
def made(tmp_path_factory, hub, pairs) -> Path:
    """A folder with everything that the command leaves."""
    out = tmp_path_factory.mktemp("tuned")
    write_pairs(pairs, out / "pairs.jsonl")
    options = "--dropout=0 --epochs=30 --rate=0.01 --batch=4 --save=10 --file-type=F16"
    where = (str(hub), str(out / "pairs.jsonl"), f"--out={out}", "--device=cpu", "--threads=1")
    finetune.main([*where, *options.split()])
    return out


def test_the_tuned_file_says_what_it_was_taught(made):
    (path,) = made.glob("*.gguf")
    llama = load(path)
    for pair in read_pairs(made / "pairs.jsonl"):
        answer = llama.create_chat_completion(
            messages=pair.messages[:-1], temperature=0.0, max_tokens=80, repeat_penalty=1.0
        )
        assert answer["choices"][0]["message"]["content"] == pair.messages[-1]["content"]
        assert answer["choices"][0]["finish_reason"] == "stop"
    llama.close()


def test_the_tuned_file_computes_what_the_merged_model_does(made, hub):
    folder, (path,) = HubFolder(hub), made.glob("*.gguf")
    model = AutoModelForCausalLM.from_pretrained(hub, dtype=torch.float32)
    base = model.state_dict()["model.layers.0.mlp.up_proj.weight"].clone()
    weights = merged(folder, made / "best.pt", Settings())
    model.load_state_dict(weights)
    assert not torch.equal(base, weights["model.layers.0.mlp.up_proj.weight"])
    agree(folder, model, path, tolerance=0.03, greedy=True)


def test_a_run_leaves_its_log_its_curve_and_a_card(made):
    lines = [json.loads(line) for line in (made / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20, 30]
    assert lines[-1]["loss"] < 0.1 < lines[0]["loss"]
    curve = ElementTree.parse(made / "loss.svg").getroot()
    assert curve.find(".//{*}g[@id='axes_1']") is not None
    (card,) = made.glob("*.md")
    assert "3 pairs to learn from and 1 to validate on (4 from chat)" in card.read_text()


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, hub, pairs):
    folder = HubFolder(hub)
    settings = Settings(rank=4, dropout=0.1, epochs=6, batch=2, save=4)

    def stop_at_eight(line: str) -> None:
        if "'step': 8" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(folder, pairs, tmp_path / "stopped", settings, device="cpu", say=stop_at_eight)
    heard: list[str] = []
    resumed = tune(folder, pairs, tmp_path / "stopped", settings, device="cpu", say=heard.append)
    straight = tune(folder, pairs, tmp_path / "straight", settings, device="cpu", say=heard.append)
    assert "step 8 of 12" in heard[1]
    assert (resumed.loss_before, resumed.loss_after) == (straight.loss_before, straight.loss_after)
    ours, theirs = (torch.load(tmp_path / name / "last.pt")["adapter"] for name in ("stopped", "straight"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    with pytest.raises(TuningError, match="other settings"):
        tune(folder, pairs, tmp_path / "stopped", Settings(rank=8), device="cpu")


def test_only_the_answer_is_learned(hub, pairs):
    folder = HubFolder(hub)
    example = encode(folder, pairs[0])
    assert (
        folder.tokenizer.decode(example.ids[example.start :])
        == pairs[0].messages[-1]["content"] + "<|im_end|>\n"
    )
    assert folder.tokenizer.decode(example.ids[: example.start]).endswith("<|im_start|>assistant\n")


def test_a_folder_that_cannot_be_tuned_is_named_with_what_it_lacks(tmp_path, hub, pairs):
    write_pairs(pairs, tmp_path / "pairs.jsonl")

    def stopped(folder: Path, *options: str) -> str:
        with pytest.raises(SystemExit) as stop:
            finetune.main([str(folder), str(tmp_path / "pairs.jsonl"), f"--out={tmp_path / 'out'}", *options])
        return str(stop.value)

    silent = make_folder(tmp_path / "silent", byte_level("gpt-2"), template=None)
    assert "has no chat template; take an instruction-tuned checkpoint" in stopped(silent)
    assert "has no config.json" in stopped(tmp_path)
    other = make_folder(tmp_path / "other", byte_level("gpt-2"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"model_type": "qwen2"}))
    assert "holds a qwen2 model; only the Llama architecture is tuned" in stopped(other)
    assert "no pair is within 16 tokens" in stopped(hub, "--longest=16")
    assert "query_key_value" in stopped(hub, "--targets=query_key_value")
    (tmp_path / "pairs.jsonl").write_text('{"id": 1}\n')
    assert "line 1: not a pair" in stopped(hub)

"""A checkpoint becomes one GGUF file that llama.cpp runs: weights, tokenizer, configuration, scores.

Written in 16 bits first, then quantised to Q8_0 by llama.cpp itself. Facts about the model travel
inside the file under `doorstep.*` keys, each a JSON text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import Tokenizer

from ml.writer.gguf_file import Shape, save
from ml.writer.tokenizer import merges
from ml.writer.tokens import CONTROLS, END, SLOT_TOKENS

LICENCE = "CC-BY-SA-4.0"


def export(
    checkpoint: Path, target: Path, scores: Mapping[str, object] | None = None, file_type: str = "Q8_0"
) -> str:
    """Write the quantised model; returns its version."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    version = f"writer-{state['stage']}-{fingerprint(state)}"
    save(target, file_type, lambda writer: _fill(writer, state, version, scores or {}))
    return version


def fingerprint(state: Mapping[str, Any]) -> str:
    """Short hash over weights and tokenizer: the same model, the same version."""
    digest = hashlib.sha256(state["tokenizer"].encode())
    for name, weight in sorted(state["model"].items()):
        digest.update(name.encode() + weight.contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]


def _fill(
    writer: gguf.GGUFWriter, state: Mapping[str, Any], version: str, scores: Mapping[str, object]
) -> None:
    _shape(state["config"]).write(writer)
    _vocabulary(writer, Tokenizer.from_str(state["tokenizer"]))
    _provenance(writer, state, version, scores)
    for name, weight in state["model"].items():
        half = weight.to(torch.float16) if weight.dim() > 1 else weight.float()
        writer.add_tensor(tensor_name(name), half.contiguous().numpy())


def _shape(config: Mapping[str, Any]) -> Shape:
    heads = config["heads"]
    return Shape(**config, kv_heads=heads, head=config["width"] // heads)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    ids = tokenizer.get_vocab(with_added_tokens=True)
    texts = sorted(ids, key=ids.__getitem__)
    kinds = dict.fromkeys(CONTROLS, gguf.TokenType.CONTROL)
    kinds |= dict.fromkeys(SLOT_TOKENS, gguf.TokenType.USER_DEFINED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(texts)
    writer.add_token_types([kinds.get(text, gguf.TokenType.NORMAL) for text in texts])
    writer.add_token_merges(merges(tokenizer))
    writer.add_eos_token_id(ids[END])
    writer.add_bos_token_id(ids[END])
    writer.add_add_bos_token(False)


def _provenance(
    writer: gguf.GGUFWriter, state: Mapping[str, Any], version: str, scores: Mapping[str, object]
) -> None:
    writer.add_name(version)
    writer.add_license(LICENCE)
    facts = {
        "version": version,
        "stage": state["stage"],
        "config": state["config"],
        "training": {"steps": state["step"], "seed": state["seed"], "held_out_loss": state["held_out_loss"]},
        "source": state["source"],
        "base": state["base"],
        "changed_at": state.get("changed_at", 0),
        "runs": state.get("runs", []),
        "scores": dict(scores),
    }
    for key, value in facts.items():
        writer.add_string(f"doorstep.{key}", json.dumps(value))


_PARTS = {
    "attention_norm": "attn_norm",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.out": "attn_output",
    "forward_norm": "ffn_norm",
    "feed_forward.gate": "ffn_gate",
    "feed_forward.up": "ffn_up",
    "feed_forward.down": "ffn_down",
}


def tensor_name(name: str) -> str:
    """Our parameter's name in GGUF: layers.3.attention.q.weight → blk.3.attn_q.weight."""
    if name == "embedding.weight":
        return "token_embd.weight"
    if name == "norm.weight":
        return "output_norm.weight"
    _, number, part = name.removesuffix(".weight").split(".", 2)
    return f"blk.{number}.{_PARTS[part]}.weight"

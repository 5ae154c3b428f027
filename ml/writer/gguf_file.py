"""What every GGUF file of ours has in common: the shape of a Llama, and how it is quantised."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gguf
import llama_cpp

# What a file may be written in: 16 bits as it is, or quantised by llama.cpp itself.
FILE_TYPES: dict[str, int] = {
    "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
}


class ExportError(RuntimeError):
    """A model cannot be written as GGUF; `str(error)` says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama's sizes; `head` is the width of one attention head, `theta` the base of its rotation."""

    context: int
    width: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    theta: float
    epsilon: float
    vocab: int

    def write(self, writer: gguf.GGUFWriter) -> None:
        writer.add_context_length(self.context)
        writer.add_embedding_length(self.width)
        writer.add_block_count(self.layers)
        writer.add_feed_forward_length(self.hidden)
        writer.add_head_count(self.heads)
        writer.add_head_count_kv(self.kv_heads)
        writer.add_key_length(self.head)
        writer.add_value_length(self.head)
        writer.add_rope_dimension_count(self.head)
        writer.add_rope_freq_base(self.theta)
        writer.add_layer_norm_rms_eps(self.epsilon)
        writer.add_vocab_size(self.vocab)
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def save(target: Path, file_type: str, fill: Callable[[gguf.GGUFWriter], None]) -> None:
    """Let `fill` describe a model in 16 bits, quantise it, and put it in place whole. Raises ExportError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # beside the target, because a large model may not fit where the system keeps its temporary files
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        wide, narrow = Path(folder) / "wide.gguf", Path(folder) / "narrow.gguf"
        write(wide, fill)
        if FILE_TYPES[file_type] == llama_cpp.LLAMA_FTYPE_MOSTLY_F16:
            narrow = wide
        else:
            _quantise(wide, narrow, FILE_TYPES[file_type])
        os.replace(narrow, target)


def write(path: Path, fill: Callable[[gguf.GGUFWriter], None]) -> None:
    """One file, in the widths that `fill` gives its tensors."""
    writer = gguf.GGUFWriter(path, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _quantise(source: Path, target: Path, file_type: int) -> None:
    params = llama_cpp.llama_model_quantize_default_params()
    params.nthread = 2
    params.ftype = file_type
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params))
    if code != 0:
        raise ExportError(f"llama.cpp could not quantise {source.name} (code {code})")

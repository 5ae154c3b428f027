"""A Llama from a Hugging Face folder becomes one GGUF file: weights, tokenizer, chat template.

What a file from the hub leaves open is settled by trying: llama.cpp has to split every probe text into
the same tokens as the folder's own tokenizer, or nothing is exported.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import torch
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from ml.writer.gguf_file import ExportError, Shape, save, write


@dataclass(frozen=True, slots=True)
class _Way:
    """How llama.cpp is told to split text: the kind of vocabulary, the split before it, and whether a
    text starts with a blank."""

    model: str
    splitter: str
    space_first: bool = False


# Byte-level BPE by how often a Llama has it, and SentencePiece. The first that agrees is taken.
_BYTES = tuple(
    _Way("gpt2", splitter)
    for splitter in (
        *("gpt-2", "smollm", "llama-bpe", "qwen2", "deepseek-llm", "deepseek-coder", "starcoder"),
        *("refact", "falcon", "dbrx", "olmo", "gpt-4o", "tekken"),
    )
)
_PIECES = (_Way("llama", "default", space_first=True), _Way("llama", "default"))
_PROBES = (
    "Hello, it's Amara's kettle: order #W2611340, £48.20, due Tuesday 24 November 2026!",
    "WE'VE I'll he'd they're don't DON'T it’s  two  blanks   three\ttab \n\n\nlines\r\n \n end  ",
    "{order} is with {carrier}; between {window_start} and {window_end} (most likely {likely_day}).",
    "1 22 333 4444 55555 12,345.67 3.14 100% a1b22c333 ",
    " naïve café straße Ελλάδα Привет 你好，世界 नमस्ते שלום 🙂👩‍👩‍👧 …—“”",
    "https://northline.example/t/NL1?x=1&y=2 <b>snake_case</b> camelCase $%^*()[]{}\\|~`",
)


class BadFolder(ExportError):
    """The folder holds no Llama that can be tuned here."""


@dataclass(frozen=True)
class HubFolder:
    """A local Hugging Face folder: config.json, safetensors, tokenizer.json. Nothing is fetched."""

    path: Path

    def __post_init__(self) -> None:
        """Raises BadFolder."""
        for name in ("config.json", "tokenizer.json"):
            if not (self.path / name).is_file():
                raise BadFolder(f"{self.path} has no {name}")
        if not list(self.path.glob("*.safetensors")):
            raise BadFolder(f"{self.path} has no weights (*.safetensors)")
        if self.config.model_type != "llama" or self.config.hidden_act != "silu":
            raise BadFolder(
                f"{self.path} holds a {self.config.model_type} model; only the Llama architecture is tuned"
            )
        if not self.tokenizer.chat_template:
            raise BadFolder(
                f"the tokenizer in {self.path} has no chat template; take an instruction-tuned "
                "checkpoint, or put a chat_template.jinja into the folder"
            )

    @cached_property
    def config(self) -> Any:
        return AutoConfig.from_pretrained(self.path, local_files_only=True)

    @cached_property
    def tokenizer(self) -> Any:
        return AutoTokenizer.from_pretrained(self.path, local_files_only=True)

    def ids(self, text: str) -> list[int]:
        """Tokens of text in which control tokens may stand; none is added."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def conversation(self, messages: Sequence[Mapping[str, str]], *, ask: bool) -> str:
        """The messages as the model reads them; `ask` opens the assistant's turn. Raises BadFolder."""
        try:
            return str(
                self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=ask)
            )
        except Exception as error:  # whatever a template raises, jinja2's own errors included
            raise BadFolder(f"the chat template refuses a system and a user message: {error}") from error

    def end_of_turn(self) -> int:
        """The token after which an answer is over: the first control token behind it in the template."""
        turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
        start = len(self.conversation(turns[:1], ask=True))
        added = self.tokenizer.added_tokens_decoder
        tail = self.ids(self.conversation(turns, ask=False)[start:])
        special = (token for token in tail if token in added and added[token].special)
        return next(special, self.tokenizer.eos_token_id)


def export_folder(
    folder: HubFolder,
    weights: dict[str, Tensor],
    target: Path,
    *,
    file_type: str,
    version: str,
    facts: Mapping[str, object],
    texts: Sequence[str] = (),
) -> None:
    """Write `weights` (the state of a LlamaForCausalLM, emptied while it is written) with what the
    folder says about them. llama.cpp has to split `texts` as the folder's tokenizer does. Raises
    ExportError."""
    talk = folder.conversation([{"role": "user", "content": text} for text in _PROBES[:1]], ask=True)
    vocabulary = _fitting(folder, [*_PROBES, talk, *texts])

    def fill(writer: gguf.GGUFWriter) -> None:
        _shape(folder.config).write(writer)
        _scaling(writer, folder.config)
        vocabulary.write(writer)
        writer.add_name(version)
        for key, value in facts.items():
            writer.add_string(f"doorstep.{key}", json.dumps(value))
        for name, tensor in _tensors(folder.config, weights):
            writer.add_tensor(name, tensor.contiguous().numpy())

    save(target, file_type, fill)


def _shape(config: Any) -> Shape:
    return Shape(
        context=config.max_position_embeddings,
        width=config.hidden_size,
        layers=config.num_hidden_layers,
        hidden=config.intermediate_size,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head=_head(config),
        theta=config.rope_parameters["rope_theta"],
        epsilon=config.rms_norm_eps,
        vocab=config.vocab_size,
    )


def _head(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _scaling(writer: gguf.GGUFWriter, config: Any) -> None:
    """Rotations stretched to a longer context. Raises ExportError for a kind that llama.cpp's Llama
    does not know."""
    rope = config.rope_parameters
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif rope["rope_type"] == "llama3":
        # llama.cpp divides each frequency by a factor of its own
        stretched, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
        half = _head(config) // 2
        plain = rope["rope_theta"] ** (-torch.arange(half, dtype=torch.float32) / half)
        writer.add_tensor("rope_freqs.weight", (plain / stretched).float().numpy())
    elif rope["rope_type"] != "default":
        raise ExportError(f"rotations of the kind {rope['rope_type']!r} cannot be exported")


def _tensors(config: Any, weights: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Each weight under its name in GGUF: matrices in 16 bits, vectors in 32."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name in list(weights):
        weight = weights.pop(name)
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue  # llama.cpp takes the embedding where there is no output matrix
        known = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise ExportError(f"llama.cpp's Llama has no tensor for {name}")
        part = name.split(".")[-2]
        if part in heads:
            weight = paired(weight, heads[part])
        yield known, weight.to(torch.float16) if weight.dim() > 1 else weight.float()


def paired(weight: Tensor, heads: int) -> Tensor:
    """Hugging Face rotates feature i of a head with feature i + half, llama.cpp 2i with 2i + 1.

    weight: (heads * width of head, …) → the same rows, each head's in the other order."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """`scores` are for SentencePiece, `merges` for byte-level BPE."""

    way: _Way
    texts: list[str]
    kinds: list[int]
    merges: list[str]
    scores: list[float]
    specials: Mapping[str, int]
    template: str
    begins: bool  # whether the tokenizer puts its first token before a text

    def write(self, writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model(self.way.model)
        writer.add_tokenizer_pre(self.way.splitter)
        writer.add_token_list(self.texts)
        writer.add_token_types(self.kinds)
        if self.scores:
            writer.add_token_scores(self.scores)
            writer.add_add_space_prefix(self.way.space_first)
        else:
            writer.add_token_merges(self.merges)
        for name, token in self.specials.items():
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", token)
        writer.add_add_bos_token(self.begins)
        writer.add_chat_template(self.template)


def _fitting(folder: HubFolder, texts: Sequence[str]) -> _Vocabulary:
    """The vocabulary in the first way of splitting that agrees on `texts`. Raises ExportError."""
    described = json.loads(folder.tokenizer.backend_tokenizer.to_str())
    if described["model"]["type"] != "BPE":
        raise ExportError(f"a tokenizer of the kind {described['model']['type']} cannot be exported")
    expected = [folder.ids(text) for text in texts]
    is_pieces = bool(described["model"].get("byte_fallback"))
    for way in _PIECES if is_pieces else _BYTES:
        vocabulary = _vocabulary(folder, described, way)
        if _split(vocabulary, texts) == expected:
            return vocabulary
    raise ExportError("llama.cpp splits text otherwise than the folder's tokenizer, whichever way it is told")


def _split(vocabulary: _Vocabulary, texts: Sequence[str]) -> list[list[int]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.gguf"
        write(path, vocabulary.write)
        llama = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        try:
            return [llama.tokenize(text.encode(), add_bos=False, special=True) for text in texts]
        finally:
            llama.close()


def _vocabulary(folder: HubFolder, described: dict[str, Any], way: _Way) -> _Vocabulary:
    model = described["model"]
    texts = _texts(folder, model["vocab"], described["added_tokens"])
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    tokenizer = folder.tokenizer
    specials = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "eot": folder.end_of_turn()}
    ids = tokenizer("a")["input_ids"]
    return _Vocabulary(
        way=way,
        texts=texts,
        kinds=_kinds(texts, described["added_tokens"], model.get("unk_token")),
        merges=[" ".join(pair) for pair in pairs],
        scores=_scores(texts, pairs) if way.model == "llama" else [],
        specials={name: token for name, token in specials.items() if token is not None},
        template=tokenizer.chat_template,
        begins=tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id],
    )


def _texts(folder: HubFolder, vocab: Mapping[str, int], added: Sequence[Mapping[str, Any]]) -> list[str]:
    """A text for every row of the embedding; rows without a token are named, so that each is another."""
    rows = folder.config.vocab_size
    by_id = {token: text for text, token in vocab.items()} | {each["id"]: each["content"] for each in added}
    if max(by_id) >= rows:
        raise ExportError(f"the tokenizer has token {max(by_id)}, the embedding only {rows} rows")
    return [by_id.get(token, f"[PAD{token}]") for token in range(rows)]


def _kinds(texts: Sequence[str], added: Sequence[Mapping[str, Any]], unknown: str | None) -> list[int]:
    kinds = [gguf.TokenType.NORMAL] * len(texts)
    for token, text in enumerate(texts):
        if text == f"[PAD{token}]":
            kinds[token] = gguf.TokenType.UNUSED
        elif re.fullmatch("<0x[0-9A-F]{2}>", text):
            kinds[token] = gguf.TokenType.BYTE
    for each in added:
        kinds[each["id"]] = gguf.TokenType.CONTROL if each["special"] else gguf.TokenType.USER_DEFINED
    if unknown in texts:
        kinds[texts.index(str(unknown))] = gguf.TokenType.UNKNOWN
    return [int(kind) for kind in kinds]


_NEVER = -1e9


def _scores(texts: Sequence[str], pairs: Sequence[Sequence[str]]) -> list[float]:
    """SentencePiece joins the pair of the highest score first: the earliest merge gets the highest."""
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(pairs):
        ranks.setdefault(left + right, rank)
    return [-float(ranks[text]) if text in ranks else _NEVER for text in texts]

"""Tiny Llamas in Hugging Face folders, made on the spot: every shape that a shop's checkpoint may have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TEXTS = [
    "Your order is with the carrier and arrives between the first and the last day of its window.",
    "You're right, it should be with you by now. If you'd rather talk to someone, I can pass you on.",
    "Hello, thanks for the message! It's in the depot; the kettle left the warehouse. What's next?",
    "Write one chat reply of one to three sentences, and nothing else. Placeholders: {order} {carrier}",
    "0123456789 £48.20 #W2611340 https://northline.example/t WE'LL I'll they're don't naïve café 你好 🙂",
] * 3
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
    " {{ message['content'] }}{{ eos_token }}{% else %}[INST] {{ message['content'] }} [/INST]{% endif %}"
    "{% endfor %}"
)
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(style: str, texts: Sequence[str] = TEXTS) -> Tokenizer:
    """Byte-level BPE that splits as GPT-2, SmolLM or Llama 3 do."""
    tokenizer = Tokenizer(models.BPE())
    split = {
        "gpt-2": [pre_tokenizers.ByteLevel(add_prefix_space=False)],
        "smollm": [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ],
        "llama-bpe": [
            pre_tokenizers.Split(Regex(_LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ],
    }[style]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(split)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600 if texts is TEXTS else 1200,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def pieces() -> Tokenizer:
    """SentencePiece's BPE as Llama 2 has it: a blank first, and bytes for what has no piece."""
    blanks = [text.replace(" ", "▁") for text in ("▁" + text for text in TEXTS)]
    learner = Tokenizer(models.BPE(unk_token="<unk>"))
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    learner.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    learner.train_from_iterator(
        blanks,
        trainers.BpeTrainer(
            vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *alphabet], show_progress=False
        ),
    )
    vocab = learner.get_vocab()
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in ("<unk>", "<s>", "</s>")]
    )
    return tokenizer


def make_folder(path: Path, tokenizer: Tokenizer, *, template: str | None = CHATML, **config: Any) -> Path:
    """A folder as `save_pretrained` leaves it; the weights are random and large enough to matter."""
    is_bytes = template != INST
    names = {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
    names = names if is_bytes else {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    wrapped.chat_template = template
    wrapped.save_pretrained(path)
    torch.manual_seed(7)
    shape = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "vocab_size": tokenizer.get_vocab_size(),
        "initializer_range": 0.08,
        "bos_token_id": wrapped.bos_token_id,
        "eos_token_id": wrapped.eos_token_id,
        "tie_word_embeddings": True,
    }
    model = LlamaForCausalLM(LlamaConfig(**shape | config))
    torch.nn.init.constant_(model.model.norm.weight, 4.0)  # else no token could ever be likely
    model.save_pretrained(path)
    return path

"""Byte-level BPE in which every slot and every control is one token."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from ml.writer.tokens import CONTROLS, SLOT_TOKENS

VOCAB_SIZE = 4096


def train_tokenizer(texts: Iterable[str], vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """Learn merges from text; controls and slots take the first ids, in table order."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = ByteLevelDecoder()
    special = [AddedToken(text, special=True, normalized=False) for text in (*CONTROLS, *SLOT_TOKENS)]
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=special,
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_between_slots(texts), trainer)
    return tokenizer


def _between_slots(texts: Iterable[str]) -> Iterator[str]:
    """The words around slots: merges must never reach into a slot's own name."""
    for text in texts:
        for part in text.split("{"):
            yield part.partition("}")[2] if "}" in part else part


def load_tokenizer(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def merges(tokenizer: Tokenizer) -> list[str]:
    """Merges in GGUF's notation, the two parts with a blank between."""
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]

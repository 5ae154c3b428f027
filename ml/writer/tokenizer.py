"""Byte-level BPE in which every slot and every control is one token.

A prompt is made of controls and slots alone, so nothing a customer writes can become one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from ml.types import MOODS, Channel, Mood
from ml.writer.situations import SITUATIONS, SLOTS

VOCAB_SIZE = 4096

END, REPLY, SUBJECT, PREHEADER, PARAGRAPH = "<end>", "<reply>", "<subject>", "<preheader>", "<paragraph>"
CHANNELS: tuple[Channel, ...] = ("chat", "mail")

CONTROLS: tuple[str, ...] = (
    END,
    REPLY,
    SUBJECT,
    PREHEADER,
    PARAGRAPH,
    "<first>",
    "<told>",
    *(f"<{channel}>" for channel in CHANNELS),
    *(f"<mood:{mood}>" for mood in MOODS),
    *(f"<situation:{name}>" for name in SITUATIONS),
)
SLOT_TOKENS: tuple[str, ...] = tuple(f"{{{slot}}}" for slot in sorted(SLOTS))


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


def prompt(channel: Channel, situation: str, mood: Mood, told: bool, available: Iterable[str]) -> list[str]:
    """The control tokens before a reply; slots in alphabetical order."""
    return [
        f"<{channel}>",
        f"<situation:{situation}>",
        f"<mood:{mood}>",
        "<told>" if told else "<first>",
        *(f"{{{slot}}}" for slot in sorted(available)),
        REPLY,
    ]


def target(text: str, subject: str = "", preheader: str = "") -> str:
    """What the model learns to write after the prompt, control tokens inline."""
    if not subject:
        return text + END
    body = "".join(PARAGRAPH + paragraph for paragraph in text.split("\n\n"))
    return f"{SUBJECT}{subject}{PREHEADER}{preheader}{body}{END}"


def split_target(text: str) -> tuple[str, str, str]:
    """(body, subject, preheader) out of a generated mail or chat text."""
    text = text.removesuffix(END)
    head, *paragraphs = text.split(PARAGRAPH)
    if not paragraphs:
        return head.strip(), "", ""
    subject, _, preheader = head.removeprefix(SUBJECT).partition(PREHEADER)
    body = "\n\n".join(part.strip() for part in paragraphs if part.strip())
    return body, subject.strip(), preheader.strip()

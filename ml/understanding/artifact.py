"""The model's files: the encoder as ONNX, and beside it arrays and one JSON text. Nothing in them can run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ml.understanding.encoder import DIMENSIONS, NAME
from ml.understanding.head import Head
from ml.understanding.trust import Memory

FORMAT = 3
FOLDER = Path(__file__).resolve().parent.parent / "artifacts"
HEADS, ENCODER = "understanding.npz", "understanding.onnx"
_NAMES = ("intents", "sentiment", "moods", "toxicity", "injection", "leaving")
_STEP = 127.0  # a remembered vector in one byte a number


class ArtifactError(Exception):
    """The model's files are missing, damaged or made for another version."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """`heads` by name; `memory` and `level` decide what is out of scope; below `clarify` of confidence
    an in-scope answer should be asked back; `flags` are the levels at which a flag is raised;
    slips are read as one of `words`. `about` records configuration, data and scores."""

    heads: dict[str, Head]
    memory: Memory
    level: float
    clarify: float
    flags: dict[str, float]
    tokenizer: str
    words: tuple[str, ...]
    about: dict[str, Any]

    @property
    def version(self) -> str:
        """Changes with any weight, level or training row."""
        digest = hashlib.sha256(str(self.about["data_hash"]).encode())
        digest.update(json.dumps([self.level, self.clarify, self.flags], sort_keys=True).encode())
        for name in _NAMES:
            head = self.heads[name]
            digest.update(head.weights.tobytes() + head.bias.tobytes() + str(head.temperature).encode())
        return f"understanding-{digest.hexdigest()[:8]}"


def save(artifact: Artifact, folder: Path) -> None:
    """Writes all but the encoder. The same artifact gives the same bytes."""
    arrays: dict[str, Any] = {
        "memory.vectors": np.round(artifact.memory.vectors * _STEP).astype(np.int8),
        "memory.owners": artifact.memory.owners,
        "tokenizer": _bytes(artifact.tokenizer),
    }
    meta: dict[str, Any] = {
        "format": FORMAT, "encoder": NAME, "level": artifact.level, "clarify": artifact.clarify,
        "flags": artifact.flags, "words": artifact.words, "about": artifact.about, "heads": {},
    }  # fmt: skip
    for name in _NAMES:
        head = artifact.heads[name]
        arrays[f"{name}.weights"] = head.weights
        arrays[f"{name}.bias"] = head.bias
        meta["heads"][name] = {"labels": head.labels, "temperature": head.temperature}
    arrays["meta"] = _bytes(json.dumps(meta, sort_keys=True))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / HEADS).open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(folder: Path) -> Artifact:
    """Raises ArtifactError in one sentence that says what to do."""
    path = folder / HEADS
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            meta = json.loads(archive["meta"].tobytes())
            if meta["format"] != FORMAT or meta["encoder"] != NAME:
                raise ArtifactError(f"{path} was made for another version of Doorstep: train it again.")
            return _read(archive, meta)
    except FileNotFoundError as error:
        raise ArtifactError(f"There is no understanding model at {path}: train one first.") from error
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise ArtifactError(f"{path} is not an understanding model: train it again.") from error


def _read(archive: Any, meta: dict[str, Any]) -> Artifact:
    heads = {
        name: Head(
            tuple(meta["heads"][name]["labels"]),
            archive[f"{name}.weights"],
            archive[f"{name}.bias"],
            float(meta["heads"][name]["temperature"]),
        )
        for name in _NAMES
    }
    widths = {head.weights.shape[1] for head in heads.values()}
    if len(widths) != 1 or not widths <= {DIMENSIONS, 2 * DIMENSIONS}:
        raise ValueError("a head does not fit the encoder")
    memory = Memory(
        archive["memory.vectors"].astype(np.float32) / np.float32(_STEP), archive["memory.owners"]
    )
    return Artifact(
        heads=heads,
        memory=memory,
        level=float(meta["level"]),
        clarify=float(meta["clarify"]),
        flags={str(name): float(level) for name, level in meta["flags"].items()},
        tokenizer=archive["tokenizer"].tobytes().decode(),
        words=tuple(meta["words"]),
        about=meta["about"],
    )


def _bytes(text: str) -> Any:
    return np.frombuffer(text.encode(), dtype=np.uint8)

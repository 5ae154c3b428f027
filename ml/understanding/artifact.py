"""The model file: arrays and one JSON text in a NumPy archive. Nothing in it can run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ml.understanding.encoder import DIMENSIONS, NAME
from ml.understanding.head import Head
from ml.understanding.intents import Thresholds

FORMAT = 1
PATH = Path(__file__).resolve().parent.parent / "artifacts" / "understanding.npz"
_HEADS = ("intents", "sentiment", "moods")


class ArtifactError(Exception):
    """The model file is missing, damaged or made for another encoder."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Three heads, the thresholds of the intents, and what `about` records: config, data, scores.
    Below `clarify` of confidence an in-scope answer should be asked back."""

    intents: Head
    sentiment: Head
    moods: Head
    thresholds: Thresholds
    clarify: float
    about: dict[str, Any]

    @property
    def version(self) -> str:
        """Changes with any weight, threshold or training row."""
        digest = hashlib.sha256(str(self.about["data_hash"]).encode())
        digest.update(json.dumps([asdict(self.thresholds), self.clarify]).encode())
        for head in (self.intents, self.sentiment, self.moods):
            digest.update(head.weights.tobytes() + head.bias.tobytes() + str(head.temperature).encode())
        return f"understanding-{digest.hexdigest()[:8]}"


def save(artifact: Artifact, path: Path) -> None:
    """The same artifact gives the same bytes."""
    arrays: dict[str, Any] = {}
    meta: dict[str, Any] = {
        "format": FORMAT,
        "encoder": NAME,
        "thresholds": asdict(artifact.thresholds),
        "clarify": artifact.clarify,
        "about": artifact.about,
        "heads": {},
    }
    for name in _HEADS:
        head: Head = getattr(artifact, name)
        arrays[f"{name}.weights"] = head.weights
        arrays[f"{name}.bias"] = head.bias
        meta["heads"][name] = {"labels": head.labels, "temperature": head.temperature}
    arrays["meta"] = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> Artifact:
    """Raises ArtifactError in one sentence that says what to do."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            meta = json.loads(archive["meta"].tobytes())
            heads = {
                name: Head(
                    tuple(meta["heads"][name]["labels"]),
                    archive[f"{name}.weights"],
                    archive[f"{name}.bias"],
                    float(meta["heads"][name]["temperature"]),
                )
                for name in _HEADS
            }
    except FileNotFoundError as error:
        raise ArtifactError(f"There is no understanding model at {path}: train one first.") from error
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise ArtifactError(f"{path} is not an understanding model: train it again.") from error
    if meta["format"] != FORMAT or meta["encoder"] != NAME:
        raise ArtifactError(f"{path} was made for another version of Doorstep: train it again.")
    if any(head.weights.shape != (len(head.labels), DIMENSIONS) for head in heads.values()):
        raise ArtifactError(f"{path} is damaged: train it again.")
    return Artifact(
        **heads,
        thresholds=Thresholds(**meta["thresholds"]),
        clarify=float(meta["clarify"]),
        about=meta["about"],
    )

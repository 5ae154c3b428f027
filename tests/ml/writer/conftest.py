"""A chat model of two small layers, trained for some steps and exported, for all tests of the writer."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ml.writer import data, train
from ml.writer.corpus import load
from ml.writer.embedded import EmbeddedModel
from ml.writer.export import export
from ml.writer.model import Config, Llama
from ml.writer.tokenizer import train_tokenizer
from ml.writer.tokens import target

RECIPE = train.Recipe(steps=24, rate=4e-3, tokens=512, examples=300, held_out=20, warmup=4, report=4, save=12)


@pytest.fixture(scope="session")
def public(tmp_path_factory) -> Path:
    """A folder laid out as the public data is, with a few utterances of our own."""
    folder = tmp_path_factory.mktemp("public")
    (folder / "intents" / "bitext").mkdir(parents=True)
    rows = "flags,utterance,category,intent\nB,where has my parcel got to,DELIVERY,track_order\n"
    for name in data.BITEXT_FILES:
        (folder / "intents" / "bitext" / name).write_bytes(gzip.compress(rows.encode()))
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory, public) -> Path:
    """A chat model of two small layers after 24 steps from scratch, exported."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("writer")
    texts = [target(each.text) for each in data.compose_many(load("chat"), 800, 0)]
    tokenizer = train_tokenizer(texts, vocab_size=800)
    tokenizer.save(str(out / "tokenizer.json"))
    config = Config(vocab=tokenizer.get_vocab_size(), width=64, layers=2, heads=2, hidden=96, context=1024)
    base = {
        "step": 0,
        "source": {},
        "held_out_loss": 0.0,
        "config": config.to_dict(),
        "model": Llama(config).state_dict(),
    }
    torch.save(base, out / "base.pt")
    train.train("chat", RECIPE, out, public)
    export(out / "chat.pt", out / "chat.gguf", {"note": "tiny"})
    return out


@pytest.fixture(scope="session")
def tiny(made) -> Iterator[EmbeddedModel]:
    model = EmbeddedModel(made / "chat.gguf")
    yield model
    model.close()


@pytest.fixture(scope="session")
def wild(made, tmp_path_factory) -> Iterator[EmbeddedModel]:
    """The same with large weights that nobody trained: what it writes hangs on every token before."""
    torch.manual_seed(1)
    state = torch.load(made / "chat.pt", weights_only=True)
    state["model"] = {
        name: torch.randn_like(weight) * 0.3 if weight.dim() > 1 else weight
        for name, weight in state["model"].items()
    }
    folder = tmp_path_factory.mktemp("wild")
    torch.save(state, folder / "chat.pt")
    export(folder / "chat.pt", folder / "chat.gguf")
    model = EmbeddedModel(folder / "chat.gguf")
    yield model
    model.close()

"""How well the shipped writer keeps to facts, how varied and how fast it is.

Texts are written one after the other, as a single chat worker would. A reply is shown only once it
has been checked as a whole, so the time to its first words is the time to all of them.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from ml.types import Channel
from ml.writer.evaluate import evaluate
from ml.writer.writer import Writer

ARTIFACTS = Path(__file__).resolve().parent.parent / "ml" / "artifacts"
_COUNTS: dict[Channel, int] = {"chat": 265, "mail": 55}
_SEED = 77


def run(data: Path | None) -> dict[str, object]:
    """Scores for each channel, with the versions measured and the seconds it took to load them."""
    started = perf_counter()
    writer = Writer.load(ARTIFACTS / "writer-chat.gguf", ARTIFACTS / "writer-mail.gguf")
    result: dict[str, object] = {"model": writer.version, "load_s": round(perf_counter() - started, 2)}
    for channel, count in _COUNTS.items():
        scores, _ = evaluate(writer, channel, count, seed=_SEED)
        figures = asdict(scores)
        result[channel] = figures | {"ttft_p50": figures["total_p50"], "ttft_p95": figures["total_p95"]}
    result["counts"] = dict(writer.counts)
    return result

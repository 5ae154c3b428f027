"""A training run's losses as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

_LINES = {"loss": ("#2563eb", "training"), "validation": ("#dc2626", "validation")}


def draw(log: Path, picture: Path, title: str) -> None:
    """Write `picture` (its suffix says the format) from a log of JSON lines with `step` and `loss`, some
    with `validation`; nothing where the log is empty."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    if not rows:
        return
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, (colour, label) in _LINES.items():
        points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, label=label)
    axes.set_title(title)
    axes.set_xlabel("steps")
    axes.set_ylabel("loss, nats a token")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(picture)

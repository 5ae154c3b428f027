"""Pictures of models and figures, as PNG files. Drawn without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

MOST_BARS = 15
BLUE, GREY, RUST = "#2f5d8a", "#9aa5b1", "#b5532f"


def importance(importances: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Bars of the features that matter most, a panel a family."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    titles = {"before": "before the hand-over", "after": "after the hand-over"}
    for place, (family, features) in enumerate(importances.items(), 1):
        axes = figure.add_subplot(1, len(importances), place)
        shown = list(features.items())[:MOST_BARS][::-1]
        axes.barh([name for name, _ in shown], [days for _, days in shown], color=BLUE)
        axes.set_title(titles.get(family, family))
        axes.set_xlabel("days of error without it")
    figure.savefig(path, dpi=100)


def reliability(chances: Sequence[float], kept: Sequence[float], path: Path, *, bins: int = 10) -> None:
    """Said chance of meeting the promise against the share that did, in bins of equal size."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    order = sorted(range(len(chances)), key=lambda at: chances[at])
    size = max(1, len(order) // bins)
    parts = [order[start : start + size] for start in range(0, size * bins, size) if order[start:]]
    said = [sum(chances[at] for at in part) / len(part) for part in parts]
    true = [sum(kept[at] for at in part) / len(part) for part in parts]
    low = min([*said, *true, 0.9])
    axes.plot([low, 1], [low, 1], color=GREY, linestyle="--", label="perfect")
    axes.plot(said, true, marker="o", color=BLUE, label="tenths of the test orders")
    axes.set_xlabel("chance of meeting the promise, as said")
    axes.set_ylabel("share that met it")
    axes.legend()
    figure.savefig(path, dpi=100)


def months(rows: Sequence[Mapping[str, float | str]], path: Path) -> None:
    """Walk-forward: error above, coverage of both windows below."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    names = [str(row["month"]) for row in rows]
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.plot(names, [float(row["mae"]) for row in rows], marker="o", color=BLUE, label="ours")
    top.plot(names, [float(row["median_mae"]) for row in rows], color=GREY, label="training median")
    top.set_ylabel("mean error, days")
    top.set_ylim(bottom=0)
    top.legend()
    for share, colour in ((80, BLUE), (90, RUST)):
        values = [100 * float(row[f"coverage{share}"]) for row in rows]
        bottom.plot(names, values, marker="o", color=colour, label=f"{share}% window")
        bottom.axhline(share, color=colour, linestyle="--", linewidth=0.8)
    bottom.set_ylabel("holds, %")
    bottom.tick_params(axis="x", rotation=45)
    bottom.legend()
    figure.savefig(path, dpi=100)

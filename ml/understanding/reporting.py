"""An evaluation as files: figures as JSON, a table to read, and a reliability diagram."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ml.understanding.evaluate import Evaluation
from ml.understanding.metrics import BINS

JSON, TABLE, DIAGRAM = "evaluation.json", "evaluation.md", "reliability.png"


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Three files in `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = evaluation.figures | {"worst": evaluation.worst()}
    (folder / JSON).write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / TABLE).write_text(table(evaluation), encoding="utf-8")
    draw_reliability(evaluation, folder / DIAGRAM)


def table(evaluation: Evaluation) -> str:
    """Markdown: the figures, each intent, what is taken for what, and the surest mistakes."""
    figures = evaluation.figures
    lines = [f"# {figures['model']} on {figures['rows']} messages", "", "| figure | value |", "|---|---|"]
    lines += [
        f"| {name} | {value} |" for name, value in figures.items() if isinstance(value, (int, float, str))
    ]
    if compared := figures.get("comparison"):
        lines += ["", _compared(compared)]
    lines += ["", "| intent | precision | recall | F1 | messages |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {s['precision']:.2f} | {s['recall']:.2f} | {s['f1']:.2f} | {s['support']} |"
        for name, s in figures["intents"].items()
    ]
    lines += ["", "| is | taken for | times |", "|---|---|---|"]
    lines += [
        f"| {pair['intent']} | {pair['predicted']} | {pair['count']} |" for pair in figures["confusions"]
    ]
    lines += ["", "| wrong, surest first | is | taken for | confidence |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(row['text'])} | {row['intent']} | {row['predicted']} | {row['confidence']:.2f} |"
        for row in evaluation.worst()
    ]
    return "\n".join(lines) + "\n"


def draw_reliability(evaluation: Evaluation, path: Path) -> None:
    """How often answers of each confidence were right, beside the diagonal of a calibrated model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    confidence, right = np.array(evaluation.confidence), np.array(evaluation.right)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    filled = [b for b in range(BINS) if (bins == b).any()]
    figure = Figure(figsize=(5, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], linestyle="--", color="0.6", label="calibrated")
    bars = axes.bar(
        [(b + 0.5) / BINS for b in filled], [right[bins == b].mean() for b in filled],
        width=0.9 / BINS, color="#3b6ea5", label="right, of the answers this sure",
    )  # fmt: skip
    axes.bar_label(bars, [str(int((bins == b).sum())) for b in filled], fontsize=8)
    axes.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="confidence", ylabel="share right")
    axes.set_title(
        f"{evaluation.figures['rows']} messages, calibration error {evaluation.figures['ece']:.3f}"
    )
    axes.legend(loc="upper left")
    figure.savefig(path, metadata={"Software": None})


def _compared(compared: dict[str, Any]) -> str:
    return (
        f"{compared['candidate']} against {compared['current']}: {compared['difference']:+.4f} of accuracy, "
        f"95% interval {compared['low']:+.4f} to {compared['high']:+.4f}."
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:160]

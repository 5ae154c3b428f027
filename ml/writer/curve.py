"""A training run's losses as a picture that any browser shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_WIDTH, _HEIGHT, _EDGE = 720, 360, 48
_LINES = (("loss", "#2563eb", "training"), ("validation", "#dc2626", "validation"))

Point = tuple[float, float]


def draw(log: Path, picture: Path, title: str) -> None:
    """Write `picture` (SVG) from a log of JSON lines with `step` and `loss`, some with `validation`."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    series = {
        name: [(row["step"], row[name]) for row in rows if row.get(name) is not None] for name, *_ in _LINES
    }
    points = [point for each in series.values() for point in each]
    if not points:
        return
    steps, high = max(step for step, _ in points) or 1, max(loss for _, loss in points) or 1.0
    parts = [_axes(title, steps, high)]
    for number, (name, colour, label) in enumerate(_LINES):
        parts.append(_line(series[name], steps, high, colour))
        place = f'x="{_WIDTH - _EDGE}" y="{24 + 18 * number}" text-anchor="end"'
        parts.append(f'<text {place} fill="{colour}">{label}</text>')
    picture.write_text(_SVG.format(_WIDTH, _HEIGHT, _WIDTH, _HEIGHT, "\n".join(parts)), encoding="utf-8")


def _line(points: Sequence[Point], steps: float, high: float, colour: str) -> str:
    placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_place(point, steps, high) for point in points))
    return f'<polyline points="{placed}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _place(point: Point, steps: float, high: float) -> Point:
    step, loss = point
    x = _EDGE + step / steps * (_WIDTH - 2 * _EDGE)
    return x, _HEIGHT - _EDGE - loss / high * (_HEIGHT - 2 * _EDGE)


def _axes(title: str, steps: float, high: float) -> str:
    left, bottom, right = _EDGE, _HEIGHT - _EDGE, _WIDTH - _EDGE
    return (
        f'<path d="M{left} {_EDGE}V{bottom}H{right}" fill="none" stroke="#64748b"/>'
        f'<text x="{left}" y="24">{title}</text>'
        f'<text x="{left - 6}" y="{_EDGE + 4}" text-anchor="end">{high:.2f}</text>'
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>'
        f'<text x="{right}" y="{bottom + 20}" text-anchor="end">{steps:g} steps</text>'
    )


_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 0 {} {}"
 font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>
{}
</svg>
"""

"""Frames with everything in them, for looking at and for the accessibility checks."""

from __future__ import annotations

from typing import Any

CARD: dict[str, Any] = {
    "kind": "order",
    "number": "DS-10023",
    "status": "On its way",
    "items": [{"name": "kettle", "quantity": 1}, {"name": "stoneware mug", "quantity": 2}],
    "total": "£48.20",
    "window": "Tuesday 24 to Friday 27 November",
    "likely": "Wednesday 25 November",
    "promised": "",
    "steps": [
        {"label": "Ordered", "day": "Monday 16 November", "state": "done"},
        {"label": "Handed to Northline", "day": "Thursday 19 November", "state": "done"},
        {"label": "At the Leeds depot", "day": "Sunday 22 November", "state": "now"},
        {"label": "At your door", "day": "Tuesday 24 to Friday 27 November", "state": "expected"},
    ],
    "tracking_link": "https://track.northline.example/NL84",
}
CHOICES = [{"text": "Yes, email it", "value": "yes"}, {"text": "No, thanks", "value": "no"}]
ANSWER = (
    "Your kettle left Leeds on Sunday 22 November and should reach you between Tuesday 24 and "
    "Friday 27 November, most likely Wednesday 25 November. Shall I email you the timeline?"
)

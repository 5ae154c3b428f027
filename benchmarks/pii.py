"""How much of the marked personal data is found, and how much of what is found is marked."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

from ml.understanding.pii import find_personal

SETS = ("presidio_generated_large", "presidio_synth_dataset_v2")
KINDS = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban"}

Mark = tuple[str, int, int]  # kind, start, end


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """{"recall": …, "precision": …} over emails, telephone numbers, cards and IBANs, and for each kind.

    A find counts where it touches a mark of its own kind; addresses are left out, their marks are
    single lines of made-up ones."""
    marked, found, right, seen = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for name in SETS:
        with gzip.open(folder / "pii" / f"{name}.json.gz") as file:
            rows = json.load(file)
        for row in rows:
            gold = _marks(row)
            hits = [(hit.kind, hit.start, hit.end) for hit in find_personal(row["full_text"])]
            got = [hit for hit in hits if hit[0] in KINDS.values()]
            marked.update(kind for kind, *_ in gold)
            seen.update(kind for kind, *_ in got)
            found.update(one[0] for one in gold if any(_touch(one, other) for other in got))
            right.update(one[0] for one in got if any(_touch(one, other) for other in gold))
    return {"recall": _shares(found, marked), "precision": _shares(right, seen)}


def _marks(row: dict[str, object]) -> list[Mark]:
    spans: list[dict[str, object]] = row["spans"]  # type: ignore[assignment]
    return [
        (KINDS[str(span["entity_type"])], int(str(span["start_position"])), int(str(span["end_position"])))
        for span in spans
        if span["entity_type"] in KINDS
    ]


def _shares(part: Counter[str], whole: Counter[str]) -> dict[str, float]:
    """Of each kind, and of all under "all"."""
    shares = {kind: round(part[kind] / whole[kind], 4) for kind in sorted(whole)}
    return shares | {"all": round(part.total() / whole.total(), 4)}


def _touch(one: Mark, other: Mark) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]

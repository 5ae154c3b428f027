"""60 chat replies and 30 emails of the shipped writer, drawn from held-out scenarios, for people to read.

Nothing is picked: the seed is fixed, and every text is there as it came, with what the customer had written.
"""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.writer import ARTIFACTS
from ml.types import Channel, Draft, Facts
from ml.writer import data as public
from ml.writer.data import NOBODY
from ml.writer.examples import sample_facts
from ml.writer.writer import Writer

TARGET = Path(__file__).resolve().parent.parent / "docs" / "samples" / "writer.md"
_COUNTS: dict[Channel, int] = {"chat": 60, "mail": 30}
_POOL = 10  # times as many scenarios are drawn from
_SEED = 4711


def run(data: Path | None) -> dict[str, object]:
    spoken = public.utterances(data) if data else NOBODY
    writer = Writer.load(ARTIFACTS / "writer-chat.gguf", ARTIFACTS / "writer-mail.gguf")
    parts = [_HEAD.format(version=writer.version)]
    for channel, count in _COUNTS.items():
        pool = list(sample_facts(channel, count * _POOL, _SEED, spoken))
        drawn = random.Random(_SEED).sample(pool, count)
        parts.append(f"## {channel.capitalize()}\n")
        parts += [_entry(facts, writer.write(facts)) for facts in drawn]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(parts), encoding="utf-8")
    return {"written": str(TARGET.relative_to(Path.cwd())), "counts": dict(writer.counts)}


def _entry(facts: Facts, draft: Draft) -> str:
    notes = [facts.situation, facts.mood, *(["told before"] if facts.told else [])]
    notes += [] if facts.verified else ["guest"]
    notes += ["template"] if draft.source == "template" else []
    lines = [f"**{' · '.join(notes)}**", ""]
    if facts.customer_text:
        lines += [f"*{_plain(facts.customer_text)}*", ""]
    if draft.subject:
        lines += [f"> **{draft.subject}**  ", f"> {draft.preheader}", ">"]
    return "\n".join([*lines, "> " + draft.text.replace("\n", "\n> "), ""])


def _plain(text: str) -> str:
    return text.replace("*", "").replace("\n", " ")


_HEAD = """# What the writer writes

By {version}, from made-up facts in scenarios that training never saw; the line in italics is what the
customer had written. Drawn by `python -m benchmarks samples --data DIR` with a fixed seed; nothing is picked.
"""

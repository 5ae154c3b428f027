"""`python -m ml.writer.corpus --check` proves the corpus; `--sample N [--situation NAME]` reads from it."""

from __future__ import annotations

import argparse
import random
import sys

from ml.types import Channel
from ml.writer.corpus import CorpusError, load
from ml.writer.corpus.compose import compose, sample_request
from ml.writer.corpus.customer import customer_message
from ml.writer.corpus.lint import lint, lint_themes, summary
from ml.writer.situations import SITUATIONS
from ml.writer.themes import THEMES

CHANNELS: tuple[Channel, ...] = ("chat", "mail")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.writer.corpus", description=__doc__)
    parser.add_argument("--check", action="store_true", help="report every fault with file and line")
    parser.add_argument("--channel", choices=CHANNELS, help="only this channel")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="print N composed texts")
    parser.add_argument("--situation", choices=sorted(SITUATIONS), help="sample only this one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    channels = (options.channel,) if options.channel else CHANNELS
    try:
        if options.sample:
            _sample(channels, options.sample, options.situation, random.Random(options.seed))
        return _check(channels) if options.check or not options.sample else 0
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1


def _check(channels: tuple[Channel, ...]) -> int:
    themes = lint_themes()
    print(*themes, sep="\n" if themes else "")
    says = sum(len(theme.says) + len(theme.held_out) for theme in THEMES.values())
    replies = sum(len(theme.replies) for theme in THEMES.values())
    print(f"{len(THEMES)} themes: {says} ways to say them, {replies} to take them up, {len(themes)} faults")
    found = len(themes)
    for channel in channels:
        corpus = load(channel)
        faults = lint(corpus)
        print(*faults, sep="\n" if faults else "")
        print(f"{summary(corpus)}, {len(faults)} faults")
        found += len(faults)
    return 1 if found else 0


def _sample(channels: tuple[Channel, ...], count: int, situation: str | None, rng: random.Random) -> None:
    for channel in channels:
        corpus = load(channel)
        names = [name for name in corpus.scripts if name in SITUATIONS and situation in (None, name)]
        for _ in range(count if names else 0):
            request = sample_request(rng.choice(names), rng)
            notes = [request.situation, request.mood, request.standing, request.theme, "told" * request.told]
            print("[" + " ".join(filter(None, notes)) + "]")
            customer = customer_message(request.situation, request.mood, request.theme, rng, {})
            print("  > " + customer)
            composed = compose(corpus, request, rng, customer)
            if composed is None:
                print("  cannot be told\n")
                continue
            for line in filter(None, (composed.subject, composed.preheader)):
                print("  " + line)
            print("  " + composed.text.replace("\n", "\n  ") + "\n")


if __name__ == "__main__":
    sys.exit(main())

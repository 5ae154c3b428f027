"""`python -m ml.writer.corpus --check` proves the corpus; `--sample N [--situation NAME]` reads from it."""

from __future__ import annotations

import argparse
import random
import sys

from ml.types import Channel
from ml.writer.corpus import CorpusError, load
from ml.writer.corpus.compose import compose, sample_request
from ml.writer.corpus.lint import lint, summary
from ml.writer.situations import SITUATIONS

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
    found = 0
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
            told = " told" if request.told else ""
            print(f"[{request.situation} {request.mood}{told}]")
            composed = compose(corpus, request, rng)
            if composed is None:
                print("  cannot be told\n")
                continue
            for line in filter(None, (composed.subject, composed.preheader)):
                print("  " + line)
            print("  " + composed.text.replace("\n", "\n  ") + "\n")


if __name__ == "__main__":
    sys.exit(main())

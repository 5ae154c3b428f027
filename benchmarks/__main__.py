"""`python -m benchmarks NAME [--data DIR] [--json]`: the figures we publish, one module each."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

NAMES = ("intents", "delivery", "writer", "hostile", "chat", "emails", "estimates", "samples")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--data", type=Path, help="folder of the public data")
    parser.add_argument("--csv", type=Path, help="delivery: any orders instead of the public ones")
    parser.add_argument("--split", help="delivery: train before this day, test from it on")
    parser.add_argument("--orders", type=int, default=1_000_000, help="estimates: how many to fill in")
    parser.add_argument("--pictures", type=Path, help="delivery: folder to draw the plots in")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    given = parser.parse_args()
    if given.data and not given.data.is_dir():
        parser.error(f"there is no folder {given.data}")
    run = importlib.import_module(f"benchmarks.{given.name}").run
    accepted = inspect.signature(run).parameters
    result = run(**{key: value for key, value in vars(given).items() if key in accepted})
    if given.json:
        print(json.dumps(result))
    else:
        print_table(result)
    return 0


def print_table(figures: dict[str, Any], indent: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            print_table(value, indent + "  ")
        else:
            print(f"{indent}{name:<32}{value}")


if __name__ == "__main__":
    sys.exit(main())

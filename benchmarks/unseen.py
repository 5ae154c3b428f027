"""Messages by somebody who had read neither the examples nor the frames: is what they ask for understood?

`unseen_messages.csv` holds a message and the intents that a careful colleague would accept: alternatives
apart by `|`, requests of one message by `+`. The half with an even place has been read while the examples
were extended; of the other half nobody has read what fails. No message is trained on.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ml.understanding.intents import OUT_OF_SCOPE
from ml.understanding.understander import Understander

FILE = Path(__file__).parent / "unseen_messages.csv"


@dataclass(frozen=True, slots=True)
class Unseen:
    """`accepted` are sets of intents, the first what is expected most."""

    text: str
    accepted: tuple[frozenset[str], ...]
    was_read: bool

    @property
    def kind(self) -> str:
        wanted = self.accepted[0]
        return "two_requests" if len(wanted) > 1 else "outside" if wanted == {OUT_OF_SCOPE} else "one_request"


def unseen() -> Iterator[Unseen]:
    with FILE.open(encoding="utf-8") as file:
        for place, row in enumerate(csv.DictReader(file)):
            accepted = (frozenset(each.split("+")) for each in row["intents"].split("|"))
            yield Unseen(row["text"], tuple(accepted), place % 2 == 0)


def measure(understander: Understander) -> dict[str, float]:
    """Percent of the messages of which exactly an accepted set of requests was understood, by kind, of all,
    of the half that nobody has read, and of those with one request the share that is asked back about
    with the right one among the two offered."""
    right: dict[str, list[bool]] = defaultdict(list)
    for message in unseen():
        said = understander.understand(message.text)
        good = frozenset(said.requests) in message.accepted
        for name in (message.kind, "all", *(() if message.was_read else ("unread_half",))):
            right[name].append(good)
        if message.kind == "one_request":
            offered = {intent for intent, _ in said.ranking[:2]}
            asked = not good and understander.is_unsure(said)
            right["asked_back"].append(asked and any(offered >= each for each in message.accepted))
    return {name: round(100 * sum(some) / len(some), 1) for name, some in right.items()}

"""Where orders come from. Each format turns its files into whole orders, and says what it cannot read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from orders.rows import OrderRow, Rejected


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is stored with every order; `rows` may be read once; `total` is how many rows it yields."""

    name: str
    total: int
    rows: Iterator[OrderRow | Rejected]


Opener = Callable[[Path], Source]


def formats() -> dict[str, Opener]:
    """By name, what opens a path. Each raises ImportFailed where nothing can be read at all."""
    from orders.importers import csv_orders, olist, tau_retail

    return {"olist": olist.open_folder, "tau_retail": tau_retail.open_folder, "csv": csv_orders.open_file}

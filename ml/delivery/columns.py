"""Records kept as columns: frozen dataclasses whose fields are arrays of one length."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

import numpy as np


class Columns:
    """What such a dataclass inherits."""

    __slots__ = ()

    def where(self, keep: Any) -> Self:
        """The rows that a mask or an order keeps."""
        return type(self)(*(column[keep] for column in self._columns()))

    def __add__(self, other: Self) -> Self:
        pairs = zip(self._columns(), other._columns(), strict=True)
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    def _columns(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]

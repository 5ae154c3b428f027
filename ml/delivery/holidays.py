"""Public holidays that keep parcels waiting: those that fall on a Monday to Friday."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

from ml.delivery.table import Floats


def workdays_lost(local: Floats, country: str, *, days: int) -> Floats:
    """How many holidays on weekdays the `days` days after a local moment (days since 1970) hold."""
    known = np.isfinite(local)
    today = np.floor(np.where(known, local, 0)).astype(np.int64)
    if not len(today):
        return np.zeros(0)
    closed = _holidays(country, _year(int(today.min())), _year(int(today.max()) + days))
    lost = np.searchsorted(closed, today + days, side="right") - np.searchsorted(closed, today, side="right")
    return np.where(known, lost, np.nan).astype(np.float64)


@lru_cache(maxsize=256)
def _holidays(country: str, first: int, last: int) -> NDArray[np.int64]:
    """Days since 1970, ascending; none for a country that the library does not know."""
    try:
        found = holidays.country_holidays(country, years=range(first, last + 1)) if country else {}
    except NotImplementedError:
        found = {}
    epoch = datetime(1970, 1, 1, tzinfo=UTC).date()
    return np.array(sorted((day - epoch).days for day in found if day.weekday() < 5), dtype=np.int64)


def _year(day: int) -> int:
    return datetime.fromtimestamp(day * 86_400, UTC).year

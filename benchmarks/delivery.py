"""How well arrivals are estimated, on orders the model has never seen.

Olist: learned from deliveries that had ended before 2018-06-01, scored on delivered orders bought on or
after that day. Any other shop: a CSV and a date, the same way. Estimates use what was known at their
moment, the deliveries that had ended by then among it; the regressors do not change after the split.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.deliveries import moment, read_csv, read_olist
from ml.delivery import plots
from ml.delivery.evaluate import (
    FEWEST_IN_GROUP,
    Judged,
    chances,
    coverage_by,
    figures,
    judge,
    promise_figures,
)
from ml.delivery.fitting import Trial, fit, fit_regressors, trial_moments
from ml.delivery.model import DeliveryModel
from ml.delivery.past import Past, Walk
from ml.delivery.regressors import Config, Regressors
from ml.delivery.said import Said
from ml.delivery.stages import STAGES, Family, moments, present, stages_at, started, starts, usable
from ml.delivery.table import DAY, Floats, Ints, Table, days_of

OLIST_SPLIT = "2018-06-01"
FIRST_MONTH, LAST_MONTH = "2017-07", "2018-08"
WARM_UP_DAYS = 60  # before the first month: its estimates set the first windows and are not counted
MONTHLY = Config(half_lives=(120.0,))  # a model a month: one median instead of three averaged


def run(
    data: Path | None, *, csv: Path | None, split: str | None, pictures: Path | None = None
) -> dict[str, Any]:
    """The figures as one dictionary; errors and widths in days. `pictures` is a folder to draw plots in."""
    if csv is not None:
        if not split:
            raise SystemExit(
                "--csv needs --split DATE: deliveries before it train, orders placed since test."
            )
        return compare(Table.of(read_csv(csv)), days_of(moment(split)), pictures=pictures)
    if data is None:
        raise SystemExit("delivery needs --data DIR (the public data) or --csv FILE --split DATE.")
    table = Table.of(read_olist(data / "orders" / "olist"))
    found = compare(table, days_of(moment(split or OLIST_SPLIT)), pictures=pictures)
    _say("walking forward by month")
    found["months"] = list(by_month(table, FIRST_MONTH, LAST_MONTH))
    if pictures:
        plots.months(found["months"], pictures / "months.png")
    return found


@dataclass(frozen=True, slots=True)
class _Test:
    """A model, the trial that its first windows are set by, and the orders that it is tested on."""

    model: DeliveryModel
    trial: Trial
    table: Table
    past: Past
    split: float

    def rows(self, family: Family) -> Ints:
        who = started(self.table, family)
        return who[self.table.floats("placed_at")[who] >= self.split]

    def judged(self, family: Family) -> Judged:
        """Estimates at the beginning of the family: at purchase, or at the hand-over."""
        who = self.rows(family)
        return self._judge(family, who, starts(self.table, family)[who])

    def by_stage(self, family: Family) -> Iterator[tuple[int, Judged]]:
        """Estimates at moments of every stage."""
        now, rng = present(self.table), np.random.default_rng(1)
        judged = self._judge(family, *moments(self.table, self.rows(family), family, rng, now=now))
        stage = stages_at(self.table, judged.who, judged.moment)
        for index in np.unique(stage):
            yield int(index), judged.where(stage == index)

    def _judge(self, family: Family, who: Ints, moment: Floats) -> Judged:
        """The trial's estimates go on being followed, as the record of those that were given is."""
        earlier = trial_moments(self.trial, family, self.table, now=self.split, seed=self.model.config.seed)
        said = Said.of(self.model.families[family], self.table, self.past, who, moment)
        if len(earlier[0]):
            said += self.trial.said(family, self.table, self.past, *earlier)
        return judge(said, since=self.split)


def compare(table: Table, split: float, *, pictures: Path | None) -> dict[str, Any]:
    past = Walk(table)
    placed, ended = table.floats("placed_at"), table.floats("delivered_at")
    known = usable(table, "before")
    learned = known[ended[known] < split]
    if not len(learned) or not (placed[known] >= split).any():
        raise SystemExit(f"Nothing to learn from before {_day(split)}, or nothing to test on since.")
    _say(f"learning from {len(learned)} deliveries")
    model, trial = fit(table, before=split, past=past)
    test = _Test(model, trial, table, past, split)
    purchase = test.judged("before")
    handover = test.judged("after") if "after" in model.families else None
    if pictures:
        _draw_reliability(purchase, table, pictures)
    regions = _words(table, "region", purchase.who)
    took = ended - placed
    found = {
        "train_orders": len(learned),
        **_at_purchase(figures(purchase)),
        **(_at_handover(figures(handover)) if handover else {"mae_handover": None}),
        "median_mae": float(np.abs(purchase.truth - np.median(took[learned])).mean()),
        **promise_figures(purchase, table),
        "regions": coverage_by(purchase, regions),
        "carriers": coverage_by(handover, _words(table, "carrier", handover.who)) if handover else {},
        "stages": _stages(test),
    }
    found["worst_region_gap"] = _worst_gap(found["regions"])
    _say("tuning LightGBM and CatBoost on the same features")
    return found | _peers(test, learned, purchase)


def by_month(table: Table, first: str, last: str) -> Iterator[dict[str, Any]]:
    """Each month's orders at purchase, by regressors that learned from what had ended before it."""
    past = Walk(table)
    start = days_of(moment(f"{first}-01"))
    learn = partial(fit_regressors, table, past, config=MONTHLY, families=("before",))
    warm_up = learn(before=start - WARM_UP_DAYS)["before"]
    placed, ended = table.floats("placed_at"), table.floats("delivered_at")
    took, delivered = ended - placed, usable(table, "before")
    said = _said(warm_up, table, past, start - WARM_UP_DAYS, start)
    for name, begin, end in _months(first, last):
        said += _said(learn(before=begin)["before"], table, past, begin, end)
        judged = judge(said, since=begin)
        median = np.median(took[delivered[ended[delivered] < begin]])
        yield {
            "month": name,
            **figures(judged),
            "median_mae": float(np.abs(judged.truth - median).mean()),
        }


def _said(regressors: Regressors, table: Table, past: Past, begin: float, end: float) -> Said:
    """What is said at purchase of the orders placed between."""
    who, placed = started(table, "before"), table.floats("placed_at")
    who = who[(placed[who] >= begin) & (placed[who] < end)]
    return Said.of(regressors, table, past, who, placed[who])


def _peers(test: _Test, learned: Ints, purchase: Judged) -> dict[str, Any]:
    encoder, placed = test.model.families["before"].encoder, test.table.floats("placed_at")
    task = peers.Task(
        x=encoder.encode(test.table, test.past, learned, placed[learned]),
        moment=placed[learned],
        ended=test.table.floats("delivered_at")[learned],
        split=test.split,
        test_x=encoder.encode(test.table, test.past, purchase.who, purchase.moment),
        test_truth=purchase.truth,
    )
    lightgbm, catboost = peers.lightgbm(task), peers.catboost(task)
    return {
        "lightgbm_mae": lightgbm["mae"],
        "catboost_mae": catboost["mae"],
        "peers": {"lightgbm": lightgbm, "catboost": catboost},
    }


def _at_purchase(found: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in found.items() if not name.startswith("mae")}
    return {"mae_purchase": found["mae"], "mae_purchase_interval": found["mae_interval"], **rest}


def _at_handover(found: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}_handover": value for name, value in found.items() if name != "test_orders"}


def _stages(test: _Test) -> dict[str, Any]:
    return {
        STAGES[index]: figures(judged)
        for family in test.model.families
        for index, judged in test.by_stage(family)
        if len(judged.who) >= FEWEST_IN_GROUP
    }


def _worst_gap(regions: dict[str, dict[str, float]]) -> float | None:
    gaps = [abs(found[f"coverage{share}"] - share / 100) for found in regions.values() for share in (80, 90)]
    return max(gaps, default=None)


def _words(table: Table, name: str, who: Ints) -> list[str]:
    codes, words = table.words(name)
    return [words[code] for code in codes[who]]


def _months(first: str, last: str) -> Iterator[tuple[str, float, float]]:
    """(name, begin, end) in days since 1970, both months included."""
    names = [str(month) for month in np.arange(first, np.datetime64(last) + 2, dtype="datetime64[M]")]
    for name, following in pairwise(names):
        yield name, days_of(moment(f"{name}-01")), days_of(moment(f"{following}-01"))


def _draw_reliability(judged: Judged, table: Table, folder: Path) -> None:
    promised = table.floats("promised_at")[judged.who] - judged.moment
    known = np.isfinite(promised)
    part, promised = judged.where(known), promised[known]
    if len(promised):
        kept = (part.truth <= promised).astype(float)
        plots.reliability(chances(part, promised).tolist(), kept.tolist(), folder / "reliability.png")


def _day(days: float) -> str:
    return datetime.fromtimestamp(days * DAY, UTC).strftime("%Y-%m-%d")


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)

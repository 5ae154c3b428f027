"""From deliveries to a model with its scores inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ml.delivery.calibration import Scores
from ml.delivery.evaluate import Judged, figures, judge, promise_figures
from ml.delivery.fitting import FEWEST_ROWS, NotTrainable, Trial, fit
from ml.delivery.gate import Verdict, decide
from ml.delivery.importance import importances
from ml.delivery.model import DeliveryModel
from ml.delivery.past import Past, Walk
from ml.delivery.regressors import Config
from ml.delivery.stages import FAMILIES, FAMILY_OF, STAGES, Family, moments, stages_at, usable
from ml.delivery.table import DAY, Floats, Ints, Table

FEWEST = int(2.5 * FEWEST_ROWS)
MOST_JUDGED = 20_000  # a family; more would not make the figures much surer
JUDGED_SEED = 11


@dataclass(frozen=True, slots=True)
class Trained:
    """`importance` is, a family and feature, by how many days the error grows without it."""

    model: DeliveryModel
    verdict: Verdict
    importance: dict[str, dict[str, float]]


def train(
    table: Table, *, data: str, current: DeliveryModel | None = None, config: Config | None = None
) -> Trained:
    """Learn from all finished deliveries of the table, and say how good that is and whether it may
    replace `current`.

    The figures are of a trial that learned from deliveries that had ended before the last fifth of the
    orders was placed, on the orders of the last tenth; those between set its windows. Raises
    NotTrainable where there are too few.
    """
    finished = len(usable(table, "before"))
    if finished < FEWEST:
        raise NotTrainable(
            f"There are {finished} finished deliveries; learning and scoring need at least {FEWEST}."
        )
    past = Walk(table)
    model, trial = fit(table, config=config, past=past)
    judged = {family: _judge_later(trial, family, table, past) for family in trial.families}
    purchase = judged["before"].where(
        judged["before"].moment == _start(table, judged["before"].who, "before")
    )
    median_mae = _median_mae(table, trial.cut, purchase)
    model.meta |= {
        "data": data,
        "split": trial.cut,
        "scores": _by_stage(judged, table),
        "purchase": figures(purchase) | {"median_mae": median_mae} | promise_figures(purchase, table),
    }
    verdict = decide(trial, purchase, median_mae, current, table, past)
    importance = {
        str(family): importances(regressors, table, past, judged[family])
        for family, regressors in trial.families.items()
    }
    return Trained(model, verdict, importance)


def _judge_later(trial: Trial, family: Family, table: Table, past: Past) -> Judged:
    """Estimates of the trial since its cut; of these the later half, the earlier one sets the windows."""
    rng = np.random.default_rng(JUDGED_SEED)
    who, moment = moments(table, usable(table, family), family, rng)
    later = np.flatnonzero(moment >= trial.cut)
    if len(later) > MOST_JUDGED:
        later = np.sort(rng.choice(later, MOST_JUDGED, replace=False))
    who, moment = who[later], moment[later]
    none = Scores.of(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), [])
    judged = judge(trial.families[family], none, table, past, who, moment)
    return judged.where(moment >= np.median(moment))


def _by_stage(judged: dict[Family, Judged], table: Table) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, stage in enumerate(STAGES):
        family = FAMILY_OF[stage]
        if family in judged:
            part = judged[family]
            part = part.where(stages_at(table, part.who, part.moment) == index)
            if len(part.who) >= FEWEST_ROWS:
                found[stage] = figures(part)
    return found


def _start(table: Table, who: Ints, family: Family) -> Floats:
    return table.floats("placed_at" if family == FAMILIES[0] else "handed_over_at")[who]


def _median_mae(table: Table, before: float, judged: Judged) -> float:
    who = usable(table, "before")
    took = table.floats("delivered_at")[who] - table.floats("placed_at")[who]
    median = float(np.median(took[table.floats("delivered_at")[who] < before]))
    return float(np.abs(judged.truth - median).mean())


def moment_of(days: float) -> datetime:
    return datetime.fromtimestamp(days * DAY, UTC)

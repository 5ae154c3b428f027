"""From deliveries to a model with its scores inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ml.delivery.evaluate import Judged, figures, judge, promise_figures
from ml.delivery.fitting import FEWEST_ROWS, NotTrainable, Trial, fit, trial_moments
from ml.delivery.gate import Verdict, decide
from ml.delivery.importance import importances
from ml.delivery.model import DeliveryModel
from ml.delivery.past import Past, Walk
from ml.delivery.regressors import Config
from ml.delivery.stages import FAMILY_OF, STAGES, Family, stages_at, starts, usable
from ml.delivery.table import DAY, Floats, Table

FEWEST = int(2.5 * FEWEST_ROWS)
MOST_JUDGED = 20_000  # a family; more would not make the figures much surer
JUDGED_SEED = 11
FIRST_WINDOWS = 1 / 3  # of a trial's time, whose estimates are not judged


@dataclass(frozen=True, slots=True)
class Trained:
    """`importance` is, a family and feature, by how many days the error grows without it."""

    model: DeliveryModel
    verdict: Verdict
    importance: dict[str, dict[str, float]]


def train(
    table: Table,
    *,
    data: str,
    invented: bool = False,
    current: DeliveryModel | None = None,
    config: Config | None = None,
) -> Trained:
    """Learn from all finished deliveries of the table, and say how good that is and whether it may
    replace `current`. `data` says what they are, `invented` that they are of no real shop.

    The figures are of a trial: of regressors that learned from what had ended before the last fifth of the
    orders was placed (with few deliveries, three fifths) and learned anew twice since, on the orders since;
    the first third of those sets the windows of the rest. Raises NotTrainable where there are too few.
    """
    finished = len(usable(table, "before"))
    if finished < FEWEST:
        raise NotTrainable(
            f"There are {finished} finished deliveries; learning and scoring need at least {FEWEST}."
        )
    past = Walk(table)
    model, trial = fit(table, config=config, past=past)
    judged = {family: _judge(trial, family, table, past) for family in model.families if trial.tries(family)}
    before = judged["before"]
    purchase = before.where(before.moment == starts(table, "before")[before.who])
    median_errors = _median_errors(table, trial, purchase)
    model.meta |= {
        "data": data,
        "invented": invented,
        "split": trial.cuts[0],
        "scores": _by_stage(judged, table),
        "purchase": figures(purchase)
        | {"median_mae": float(median_errors.mean())}
        | promise_figures(purchase, table),
    }
    verdict = decide(trial, purchase, median_errors, current, table, past)
    importance = {
        str(family): importances(
            regressors, table, past, judged[family].where(judged[family].moment >= trial.cuts[-1])
        )
        for family, regressors in trial.families[-1].items()
    }
    return Trained(model, verdict, importance)


def _judge(trial: Trial, family: Family, table: Table, past: Past) -> Judged:
    """Estimates of the trial since its first cut; the earlier third sets the windows of the rest."""
    who, moment = trial_moments(trial, family, table, now=trial.until, seed=JUDGED_SEED)
    if len(who) > MOST_JUDGED:
        drawn = np.sort(np.random.default_rng(JUDGED_SEED).choice(len(who), MOST_JUDGED, replace=False))
        who, moment = who[drawn], moment[drawn]
    said = trial.said(family, table, past, who, moment)
    return judge(said, since=float(np.quantile(said.moment, FIRST_WINDOWS)))


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


def _median_errors(table: Table, trial: Trial, judged: Judged) -> Floats:
    """Of the median of all days that had been seen by the cut, a delivery."""
    who = usable(table, "before")
    delivered = table.floats("delivered_at")[who]
    took = delivered - table.floats("placed_at")[who]
    medians = np.array([np.median(took[delivered < cut]) for cut in trial.cuts])
    found: Floats = np.abs(
        judged.truth - medians[np.searchsorted(trial.cuts, judged.moment, side="right") - 1]
    )
    return found


def moment_of(days: float) -> datetime:
    return datetime.fromtimestamp(days * DAY, UTC)

"""Whether a newly learned model may take the place of the one in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.delivery.evaluate import Judged
from ml.delivery.fitting import Trial
from ml.delivery.model import DeliveryModel
from ml.delivery.past import Past
from ml.delivery.regressors import Regressors
from ml.delivery.stages import Family, usable
from ml.delivery.table import Table

FEWEST_FRESH = 50  # deliveries that neither model has seen; fewer decide nothing
COVERAGE = (0.70, 0.92)  # of the 80% window, outside of which a model is not honest enough to serve


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is one sentence, with the figures."""

    better: bool
    why: str


def decide(
    trial: Trial, judged: Judged, median_mae: float, current: DeliveryModel | None, table: Table, past: Past
) -> Verdict:
    """The gate's rule, on estimates at purchase.

    The new way of learning (the trial; `judged` are its estimates) must beat the median of the training
    days, and its 80% window must hold between 70% and 92%. Where a model is in use, the new one's mean
    error must not be larger on the deliveries that neither had seen, of which there must be enough.
    """
    mae, coverage = float(judged.errors.mean()), float(judged.inside(0.8).mean())
    if mae >= median_mae:
        return Verdict(False, f"Its error of {mae:.2f} days is no better than the median's {median_mae:.2f}.")
    if not COVERAGE[0] <= coverage <= COVERAGE[1]:
        return Verdict(False, f"Its 80% window holds {coverage:.0%} of the deliveries.")
    if current is None:
        return Verdict(True, f"Error {mae:.2f} days, the median's {median_mae:.2f}; no model was in use.")
    fresh = fresh_rows(table, trial.cut, current)
    if fresh < FEWEST_FRESH:
        return Verdict(
            False,
            f"Only {fresh} deliveries were placed since {current.version} learned; "
            f"{FEWEST_FRESH} are needed to compare.",
        )
    since = max(trial.cut, learned_until(current))
    new, old = (_error(families, table, past, since) for families in (trial.families, current.families))
    verb = "is" if new <= old else "is not"
    return Verdict(
        new <= old,
        f"On {fresh} deliveries that neither had seen, its error of {new:.2f} days {verb} at most the "
        f"{old:.2f} of {current.version}.",
    )


def learned_until(model: DeliveryModel) -> float:
    return float(model.meta.get("placed_until", -np.inf))


def fresh_rows(table: Table, cut: float, current: DeliveryModel) -> int:
    since = max(cut, learned_until(current))
    return int((table.floats("placed_at")[usable(table, "before")] > since).sum())


def _error(families: dict[Family, Regressors], table: Table, past: Past, since: float) -> float:
    who = usable(table, "before")
    who = who[table.floats("placed_at")[who] > since]
    moment = table.floats("placed_at")[who]
    days = families["before"].median(families["before"].encoder.encode(table, past, who, moment))
    return float(np.abs(days - (table.floats("delivered_at")[who] - moment)).mean())

"""Whether a newly learned model may take the place of the one in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.delivery.evaluate import Judged
from ml.delivery.fitting import Trial
from ml.delivery.model import DeliveryModel
from ml.delivery.past import Past
from ml.delivery.said import Said
from ml.delivery.stages import usable
from ml.delivery.table import Floats, Ints, Table

FEWEST_FRESH = 50  # deliveries that neither model has seen; fewer decide nothing
COVERAGE = (0.70, 0.92)  # of the 80% window, outside of which a model is not honest enough to serve


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is one sentence, with the figures."""

    better: bool
    why: str


def decide(
    trial: Trial,
    judged: Judged,
    median_errors: Floats,
    current: DeliveryModel | None,
    table: Table,
    past: Past,
) -> Verdict:
    """The gate's rule, on estimates at purchase.

    The new way of learning (`judged` are the trial's estimates) must not be worse than the median of the
    training days, and its 80% window must hold between 70% and 92%; both as far as so many deliveries can
    tell, which is one standard error. Where a model is in use, the new one's mean error must not be larger
    on the deliveries that neither had seen, of which there must be enough.
    """
    errors, coverage = judged.errors, float(judged.inside(0.8).mean())
    mae, median_mae = float(errors.mean()), float(median_errors.mean())
    if mae - median_mae > _standard_error(errors - median_errors):
        return Verdict(False, f"Its error of {mae:.2f} days is no better than the median's {median_mae:.2f}.")
    room = _standard_error(judged.inside(0.8).astype(np.float64))
    if not COVERAGE[0] - room <= coverage <= COVERAGE[1] + room:
        return Verdict(False, f"Its 80% window holds {coverage:.0%} of the deliveries.")
    if current is None:
        return Verdict(True, f"Error {mae:.2f} days, the median's {median_mae:.2f}; no model was in use.")
    who = _fresh(table, trial, current)
    if len(who) < FEWEST_FRESH:
        return Verdict(
            False,
            f"Only {len(who)} deliveries were placed since {current.version} learned; "
            f"{FEWEST_FRESH} are needed to compare.",
        )
    moment = table.floats("placed_at")[who]
    tried = trial.said("before", table, past, who, moment)
    in_use = Said.of(current.families["before"], table, past, who, moment)
    new, old = (float(np.abs(said.median - (said.arrived - said.moment)).mean()) for said in (tried, in_use))
    verb = "is" if new <= old else "is not"
    return Verdict(
        new <= old,
        f"On {len(who)} deliveries that neither had seen, its error of {new:.2f} days {verb} at most the "
        f"{old:.2f} of {current.version}.",
    )


def _standard_error(values: Floats) -> float:
    return float(values.std() / np.sqrt(len(values)))


def _fresh(table: Table, trial: Trial, current: DeliveryModel) -> Ints:
    """The deliveries that neither has seen."""
    who = usable(table, "before")
    placed = table.floats("placed_at")[who]
    since = float(current.meta.get("placed_until", -np.inf))
    return who[(placed > since) & (placed >= trial.cuts[0]) & (placed < trial.until)]

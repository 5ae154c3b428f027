"""How far off the estimates are, on deliveries that the model has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ml.delivery.features import Stage, start_of
from ml.delivery.model import DeliveryModel, targets, usable
from ml.types import Consignment

RESAMPLES = 400


def score(
    model: DeliveryModel, rows: Sequence[Consignment], stage: Stage, *, seed: int = 7
) -> dict[str, Any]:
    """Errors in days, counted from the start of the stage.

    `mae` is of the median, with a bootstrap 95% interval; `coverage90` the share inside the window
    from the 5% to the 95% quantile, `width90` its mean width.
    """
    test = [row for row in rows if usable(row, stage)]
    trained = model.stages_[stage]
    days = trained.days(trained.encoder.transform(test))
    truth = targets(test, stage)
    errors = np.abs(days[:, 1] - truth)
    inside = (days[:, 0] <= truth) & (truth <= days[:, 2])
    rng = np.random.default_rng(seed)
    means = [errors[rng.integers(len(errors), size=len(errors))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "mae": float(errors.mean()),
        "mae_interval": [float(low), float(high)],
        "coverage90": float(inside.mean()),
        "width90": float((days[:, 2] - days[:, 0]).mean()),
        "test_orders": len(test),
    }


def baselines(
    train: Sequence[Consignment], test: Sequence[Consignment], stage: Stage
) -> dict[str, float | None]:
    """What simpler answers score: the training median, and the shop's own promise where there is one."""
    known = [row for row in test if usable(row, stage)]
    truth = targets(known, stage)
    median = float(np.median(targets([row for row in train if usable(row, stage)], stage)))
    promised = [
        abs((row.promised_at - row.delivered_at).total_seconds()) / 86_400
        for row in known
        if row.promised_at and row.delivered_at and start_of(row, stage)
    ]
    return {
        "median_mae": float(np.abs(truth - median).mean()),
        "promise_mae": float(np.mean(promised)) if promised else None,
    }

"""LightGBM and CatBoost on the same features: what a practitioner would do first, tuned.

Each learns the days left with the absolute error as its loss. Candidates are judged on the last six weeks
before the split; the best one learns again from all that had ended before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.delivery.table import Floats

VALIDATION_DAYS = 42
THREADS = 1  # threads that wait for each other in busy loops take minutes on a shared machine
LIGHTGBM: tuple[dict[str, Any], ...] = (
    {"num_leaves": 31, "learning_rate": 0.05, "n_estimators": 300, "min_child_samples": 20},
    {"num_leaves": 63, "learning_rate": 0.03, "n_estimators": 500, "min_child_samples": 40},
    {
        "num_leaves": 15,
        "learning_rate": 0.05,
        "n_estimators": 500,
        "min_child_samples": 20,
        "reg_lambda": 5.0,
    },
    {
        **{"num_leaves": 31, "learning_rate": 0.03, "n_estimators": 400, "min_child_samples": 100},
        **{"colsample_bytree": 0.5, "subsample": 0.8, "subsample_freq": 1, "reg_lambda": 1.0},
    },
)
CATBOOST: tuple[dict[str, Any], ...] = (
    {"depth": 6, "learning_rate": 0.06, "iterations": 500, "l2_leaf_reg": 3.0},
    {"depth": 8, "learning_rate": 0.05, "iterations": 400, "l2_leaf_reg": 6.0},
    {"depth": 5, "learning_rate": 0.1, "iterations": 500, "l2_leaf_reg": 1.0},
)

Fitted = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Task:
    """Rows to learn from, with the moment and the end of each (days), and rows to be tested on."""

    x: Floats
    moment: Floats
    ended: Floats
    split: float
    test_x: Floats
    test_truth: Floats


def lightgbm(task: Task) -> dict[str, Any]:
    from lightgbm import LGBMRegressor

    def fit(x: Floats, days: Floats, **given: Any) -> Fitted:
        model = LGBMRegressor(objective="l1", n_jobs=THREADS, random_state=7, verbosity=-1, **given)
        model.fit(x, days)
        return lambda rows: np.asarray(model.booster_.predict(rows), dtype=np.float64)

    return _tuned(task, fit, LIGHTGBM)


def catboost(task: Task) -> dict[str, Any]:
    from catboost import CatBoostRegressor

    def fit(x: Floats, days: Floats, **given: Any) -> Fitted:
        model = CatBoostRegressor(
            loss_function="MAE",
            thread_count=THREADS,
            random_seed=7,
            verbose=False,
            allow_writing_files=False,
            **given,
        )
        model.fit(x, days)
        return lambda rows: np.asarray(model.predict(rows), dtype=np.float64)

    return _tuned(task, fit, CATBOOST)


def _tuned(task: Task, fit: Callable[..., Fitted], candidates: Sequence[dict[str, Any]]) -> dict[str, Any]:
    cut = task.split - VALIDATION_DAYS
    days = task.ended - task.moment
    early, late = task.ended < cut, task.moment >= cut
    tries = []
    for given in candidates:
        found = fit(task.x[early], days[early], **given)(task.x[late]) if late.any() else np.zeros(0)
        tries.append(float(np.abs(found - days[late]).mean()) if late.any() else 0.0)
    best = candidates[int(np.argmin(tries))]
    found = fit(task.x, days, **best)(task.test_x)
    return {"mae": float(np.abs(found - task.test_truth).mean()), "validation": tries, "chosen": best}

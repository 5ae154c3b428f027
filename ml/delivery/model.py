"""When a parcel arrives: gradient boosting on quantiles, one set of models a stage.

At purchase the days from placing to delivery are estimated, after the hand-over those from hand-over
to delivery. The outer quantiles are widened (or narrowed) on the latest part of the training time, the
way of conformalised quantile regression (Romano, Patterson and Candès, 2019), each side by itself.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from skops import io as skops_io

from ml.delivery.features import DAY, STAGES, Encoder, Stage, stage_of, start_of
from ml.types import Consignment, DeliveryStage, Forecast, Outcome, Quantiles

LEVELS = (0.05, 0.5, 0.95)
SHORTEST = 0.02  # days; half an hour, nothing is delivered sooner
GRID = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
TOO_WIDE = 21.0  # days
FEWEST_ROWS = 50
FORMAT = 2  # counts up whenever a feature or the file changes its meaning

# What a model file may hold besides plain values; loading refuses anything else.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


class NotTrainable(ValueError):
    """Too few finished deliveries to learn from; `str(error)` says how many there are."""


@dataclass(frozen=True, slots=True)
class Config:
    iterations: int = 250
    learning_rate: float = 0.06
    leaves: int = 24
    smallest_leaf: int = 30  # rows
    l2: float = 1.0
    calibration_share: float = 0.15  # latest part of the rows that the outer quantiles are set on
    seed: int = 7


@dataclass(slots=True)
class StageModel:
    """`shifts` are days, added to the low and the high quantile."""

    encoder: Encoder
    regressors: list[HistGradientBoostingRegressor]
    shifts: tuple[float, float] = (0.0, 0.0)

    def days(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (rows, 3): days from the start of the stage, sorted so that quantiles never cross."""
        raw = np.column_stack([regressor.predict(x) for regressor in self.regressors])
        raw[:, 0] += self.shifts[0]
        raw[:, 2] += self.shifts[1]
        days: NDArray[np.float64] = np.maximum(np.sort(raw, axis=1), SHORTEST)
        return days


@dataclass(slots=True)
class DeliveryModel:
    config: Config = field(default_factory=Config)
    stages_: dict[Stage, StageModel] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        return str(self.meta.get("version", "untrained"))

    def fit(self, rows: Sequence[Consignment]) -> Self:
        """Learn from finished deliveries. Raises NotTrainable where there are too few."""
        finished = [row for row in rows if usable(row, "purchase")]
        if len(finished) < FEWEST_ROWS:
            raise NotTrainable(
                f"There are {len(finished)} finished deliveries; learning needs at least {FEWEST_ROWS}."
            )
        self.stages_ = {}
        for stage in STAGES:
            known = [row for row in finished if usable(row, stage)]
            if len(known) >= FEWEST_ROWS:
                self.stages_[stage] = fit_stage(known, stage, self.config)
        digest = _digest(finished)
        self.meta = {
            "version": f"delivery-{_version(digest, self.config)}",
            "data_sha256": digest,
            "rows": len(finished),
            "placed_from": min(row.placed_at for row in finished).isoformat(),
            "placed_until": max(row.placed_at for row in finished).isoformat(),
            "config": asdict(self.config),
        }
        return self

    def predict(self, rows: Sequence[Consignment]) -> list[Quantiles]:
        """Days from the start of each row's stage until its delivery.

        A model that never saw a hand-over counts from the purchase for every row; see `stage_for`.
        """
        result: dict[int, Quantiles] = {}
        for stage, model in self.stages_.items():
            at = [index for index, row in enumerate(rows) if self.stage_for(row) == stage]
            if at:
                days = model.days(model.encoder.transform([rows[index] for index in at]))
                result |= {index: Quantiles(*map(float, line)) for index, line in zip(at, days, strict=True)}
        return [result[index] for index in range(len(rows))]

    def stage_for(self, row: Consignment) -> Stage:
        stage = stage_of(row)
        return stage if stage in self.stages_ else "purchase"

    def remaining(self, row: Consignment, *, elapsed: float) -> Quantiles | None:
        """As `predict`, given that the parcel has not arrived `elapsed` days into its stage.

        Every value lies beyond `elapsed`. None where that is past the high quantile: the parcel no
        longer behaves like any the model learned from, so there is no honest estimate.
        """
        return condition(self.predict([row])[0], elapsed)

    def forecast(self, row: Consignment, *, now: datetime, confidence: float = 0.8) -> Forecast | None:
        """When it arrives, given that it has not by `now`; see `forecast_many`."""
        return self.forecast_many([row], now=now, confidence=confidence)[0]

    def forecast_many(
        self, rows: Sequence[Consignment], *, now: datetime, confidence: float = 0.8
    ) -> list[Forecast | None]:
        """A forecast a row, with what was known of it at `now`; None where nothing honest can be said."""
        return [self._forecast(row, now, confidence) for row in rows]

    def recalibrated(self, outcomes: Sequence[Outcome]) -> Self:
        """This model, its windows set by how the latest estimates fell out; itself where there are none."""
        return self

    def _forecast(self, row: Consignment, now: datetime, confidence: float) -> Forecast | None:
        start = row.handed_over_at or row.placed_at
        elapsed = (now - start).total_seconds() / DAY
        left = self.remaining(row, elapsed=elapsed)
        if left is None:
            return None
        low, median, high = left.low - elapsed, left.median - elapsed, left.high - elapsed
        days = tuple(float(d) for d in np.interp(GRID, LEVELS, (low, median, high)))
        stage: DeliveryStage = "handed_over" if row.handed_over_at else "paid" if row.paid_at else "placed"
        return Forecast(
            stage=stage,
            at=now,
            levels=GRID,
            days=days,
            confidence=confidence,
            too_wide=high - low > TOO_WIDE,
            reasons=(),
            model=self.version,
            median=median,
            below=max(median - low, SHORTEST),
            above=max(high - median, SHORTEST),
        )

    def save(self, path: Path) -> None:
        stages = {
            stage: {"encoder": m.encoder.state(), "regressors": m.regressors, "shifts": list(m.shifts)}
            for stage, m in self.stages_.items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        state = {"format": FORMAT, "meta": self.meta, "stages": stages}
        skops_io.dump(state, partial, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises OSError, or skops' UntrustedTypesFoundException for a file that holds foreign types."""
        state = skops_io.load(path, trusted=TRUSTED)
        if state.get("format") != FORMAT:
            raise ValueError(f"{path.name} has format {state.get('format')}, this version reads {FORMAT}.")
        stages: dict[Stage, StageModel] = {
            stage: StageModel(
                Encoder.from_state(stage, saved["encoder"]), saved["regressors"], tuple(saved["shifts"])
            )
            for stage, saved in state["stages"].items()
        }
        return cls(Config(**state["meta"]["config"]), stages, state["meta"])


def load_model(path: Path, *, shipped: Path) -> DeliveryModel | None:
    """The shop's own model where it has trained one, else the one that ships, else None."""
    found = next((candidate for candidate in (path, shipped) if candidate.is_file()), None)
    return DeliveryModel.load(found) if found else None


def condition(quantiles: Quantiles, elapsed: float) -> Quantiles | None:
    """The quantiles of the same distribution, given that `elapsed` days have passed without arrival.

    The distribution function is taken as piecewise linear through the quantiles, from 0 at the start
    to 1 at half the distance from median to high beyond the high one.
    """
    if elapsed <= 0:
        return quantiles
    if elapsed >= quantiles.high:
        return None
    last = quantiles.high + max(quantiles.high - quantiles.median, 0.5) / 2
    days = [0.0, quantiles.low, quantiles.median, quantiles.high, last]
    shares = [0.0, *LEVELS, 1.0]
    gone = float(np.interp(elapsed, days, shares))
    low, median, high = np.interp([gone + (1 - gone) * level for level in LEVELS], shares, days)
    return Quantiles(*(max(float(value), elapsed + SHORTEST) for value in (low, median, high)))


def fit_stage(rows: Sequence[Consignment], stage: Stage, config: Config) -> StageModel:
    """Set the shifts on the latest rows, then learn again from all of them."""
    rows = sorted(rows, key=lambda row: start_of(row, stage))
    cut = int(len(rows) * (1 - config.calibration_share))
    earlier, latest = rows[:cut], rows[cut:]
    trial = _fit_plain(earlier, stage, config)
    shifts = _shifts(trial.days(trial.encoder.transform(latest)), targets(latest, stage))
    final = _fit_plain(rows, stage, config)
    final.shifts = shifts
    return final


def targets(rows: Sequence[Consignment], stage: Stage) -> NDArray[np.float64]:
    """Days from the start of the stage until delivery, shape (rows,)."""
    return np.array(
        [(row.delivered_at - start_of(row, stage)).total_seconds() / DAY for row in rows if row.delivered_at]
    )


def _fit_plain(rows: Sequence[Consignment], stage: Stage, config: Config) -> StageModel:
    encoder = Encoder(stage)
    x, y = encoder.fit_transform(rows), targets(rows, stage)
    regressors = [
        HistGradientBoostingRegressor(
            loss="quantile",
            quantile=level,
            max_iter=config.iterations,
            learning_rate=config.learning_rate,
            max_leaf_nodes=config.leaves,
            min_samples_leaf=min(config.smallest_leaf, max(5, len(rows) // 20)),
            l2_regularization=config.l2,
            early_stopping=False,
            random_state=config.seed,
        ).fit(x, y)
        for level in LEVELS
    ]
    return StageModel(encoder, regressors)


def _shifts(days: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[float, float]:
    """How far each outer quantile must move for its share of these rows to fall outside."""
    low = np.quantile(truth - days[:, 0], LEVELS[0])
    high = np.quantile(truth - days[:, 2], LEVELS[2])
    return float(low), float(high)


def usable(row: Consignment, stage: Stage) -> bool:
    """Whether a row can be learned from or scored: it reached the stage and was delivered after."""
    if stage == "handover" and row.handed_over_at is None:
        return False
    return row.delivered_at is not None and row.delivered_at > start_of(row, stage)


def _version(data: str, config: Config) -> str:
    return hashlib.sha256(f"{FORMAT} {data} {config}".encode()).hexdigest()[:10]


def _digest(rows: Sequence[Consignment]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        values: Mapping[str, Any] = asdict(row)
        digest.update(repr(sorted(values.items())).encode())
    return digest.hexdigest()

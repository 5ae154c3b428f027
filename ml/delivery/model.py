"""When a parcel arrives: one model for every stage of an order, always of the time that is left.

Two sets of regressors (before and after the hand-over) learn from moments of finished deliveries;
`calibration` turns their spreads into windows that keep what they say.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from skops import io as skops_io

from ml.delivery.calibration import GRID, Calibration, Scores, extended, grid_days
from ml.delivery.past import Given
from ml.delivery.reasons import explained
from ml.delivery.regressors import SHORTEST, Config, Regressors
from ml.delivery.stages import FAMILY_OF, STAGES, Family, stages_at, starts
from ml.delivery.table import DAY, Floats, Ints, Table, days_of
from ml.types import Consignment, Forecast, Outcome, Reason

WIDEST = 21.0  # days: a window beyond that helps nobody to plan
WIDEST_SHARE = 3.0  # times the usual days, for shops that deliver within hours or few days
FORMAT = 4  # counts up whenever a feature or the file changes its meaning

# What a model file may hold besides plain values; loading refuses anything else.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


@dataclass(slots=True)
class DeliveryModel:
    config: Config
    families: dict[Family, Regressors]
    calibration: Calibration
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        return str(self.meta.get("version", "untrained"))

    def forecast(self, row: Consignment, *, now: datetime, confidence: float = 0.8) -> Forecast | None:
        """When it arrives, given that it has not by `now`; see `forecast_many`."""
        return self.forecast_many([row], now=now, confidence=confidence)[0]

    def forecast_many(
        self, rows: Sequence[Consignment], *, now: datetime, confidence: float = 0.8
    ) -> list[Forecast | None]:
        """A forecast a row, with what was known of it at `now`. None where nothing honest can be said:
        it has been under way for longer than all but a few parcels the model knows, or is not placed yet."""
        table = Table.of(rows, keep_past=True)
        moment = np.full(len(rows), days_of(now))
        stage = stages_at(table, np.arange(len(rows)), moment)
        found: list[Forecast | None] = [None] * len(rows)
        for family, regressors in self.families.items():
            who = np.array([at for at in range(len(rows)) if self.family_of(stage[at]) == family], np.int64)
            who = who[_within_reach(table, who, moment[who], regressors)]
            if not len(who):
                continue
            x = regressors.encoder.encode(table, Given(table), who, moment[who])
            median, why = explained(regressors, x)
            below, above = regressors.spread(x, median)
            offsets = np.stack([self.calibration.offsets(int(stage[at]), rows[at].region) for at in who])
            days = grid_days(median, below, above, offsets, shortest=self.scale * SHORTEST)
            spreads = np.column_stack([median, below, above])
            for place, at in enumerate(who):
                found[at] = self.as_forecast(
                    now, int(stage[at]), days[place], spreads[place], confidence, reasons=why[place]
                )
        return found

    def as_forecast(
        self,
        at: datetime,
        stage: int,
        days: Floats,
        spreads: Floats,
        confidence: float,
        *,
        reasons: tuple[Reason, ...] = (),
    ) -> Forecast:
        """`days` left at each level of GRID; `spreads` are the median and what lies below and above it."""
        median, below, above = spreads.tolist()
        forecast = Forecast(
            stage=STAGES[stage],
            at=at,
            levels=GRID,
            days=tuple(days.tolist()),
            confidence=confidence,
            too_wide=False,
            reasons=reasons,
            model=self.version,
            median=median,
            below=below,
            above=above,
        )
        return replace(forecast, too_wide=self._is_too_wide(forecast))

    def _is_too_wide(self, forecast: Forecast) -> bool:
        width = (forecast.high - forecast.low).total_seconds() / DAY
        return width > min(WIDEST, WIDEST_SHARE * self.scale)

    @property
    def scale(self) -> float:
        """The usual days from purchase to delivery."""
        return next(iter(self.families.values())).encoder.scale_

    @property
    def learned_until(self) -> float:
        """In days since 1970: by then it may have seen how orders of this shop fell out. Minus infinity where
        it learned from invented ones."""
        # files from before the key was kept say it in the sentence about their data
        if self.meta.get("invented", "no real ones" in self.meta.get("data", "")):
            return -np.inf
        windows = self.calibration.scores.moment.max(initial=-np.inf)
        return float(max(windows, self.meta.get("placed_until", np.inf)))

    def family_of(self, stage: int) -> Family:
        """Which regressors answer at a stage; a model that never saw a hand-over has but one family."""
        family = FAMILY_OF[STAGES[stage]]
        return family if family in self.families else "before"

    def recalibrated(self, outcomes: Sequence[Outcome]) -> DeliveryModel:
        """This model with its windows set by how the latest estimates fell out; itself if none did."""
        return replace(self, calibration=extended(self.calibration, outcomes)) if outcomes else self

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        state = {
            "format": FORMAT,
            "meta": self.meta,
            "config": asdict(self.config),
            "families": {family: regressors.state() for family, regressors in self.families.items()},
            "scores": self.calibration.scores.state(),
        }
        skops_io.dump(state, partial, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises OSError, or skops' UntrustedTypesFoundException for a file that holds foreign types."""
        state = skops_io.load(path, trusted=TRUSTED)
        if state.get("format") != FORMAT:
            raise ValueError(f"{path.name} has format {state.get('format')}, this version reads {FORMAT}.")
        return cls(
            Config(**state["config"]),
            {family: Regressors.from_state(family, saved) for family, saved in state["families"].items()},
            Calibration(Scores.from_state(state["scores"])),
            state["meta"],
        )


def load_model(path: Path, *, shipped: Path) -> DeliveryModel | None:
    """The shop's own model where it has trained one, else the one that ships, else None."""
    found = next((candidate for candidate in (path, shipped) if candidate.is_file()), None)
    return DeliveryModel.load(found) if found else None


def version_of(data: str, config: Config) -> str:
    return f"delivery-{hashlib.sha256(f'{FORMAT} {data} {config}'.encode()).hexdigest()[:10]}"


def _within_reach(table: Table, who: Ints, moment: Floats, regressors: Regressors) -> Ints:
    elapsed = moment - starts(table, regressors.encoder.family)[who]
    return np.flatnonzero((elapsed >= 0) & (elapsed <= regressors.longest_))

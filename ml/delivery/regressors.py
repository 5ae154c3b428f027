"""Gradient boosting of the time that is left: a median and a spread on either side of it.

What is learned is not the days themselves but their ratio to what the region or the route takes just
now, as logarithms: when a shop speeds up or a carrier strikes, the level moves by itself and the trees
only say by how much an order differs from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.delivery.features import OFFSET, Encoder
from ml.delivery.forest import Forest
from ml.delivery.stages import Family
from ml.delivery.table import Floats

LOW, HIGH = 0.1, 0.9  # the levels that the spreads are measured at
SPREAD_LEARNED = 0.25  # how much of a learned spread is believed, as a power
LEVEL_PRIOR = 8.0  # a region's or route's level is pulled to the shop's as if this many deliveries said it
LEAST_LEFT = 0.25  # of the level: what is still expected of a parcel that is overdue
NARROWEST = 0.02  # of the median days: no spread is smaller
FEWEST_SEEN = 100
FEW = 128  # rows that are walked down all trees at once faster than tree by tree
SHORTEST = 0.002  # of the median days: no time left is shorter

# The level of a family: its own leg, the shop's, and what has already passed of it.
_LEVELS: dict[Family, tuple[str, str, str]] = {
    "before": ("region", "shop", "since_placed"),
    "after": ("route_transit", "shop_transit", "since_handed_over"),
}
# What tells the trees which weeks it is about and little of an order; they are not shown it. Of the shop's
# pace the level knows, of the promise its excess.
_HIDDEN = ("shop:level", "shop:newest", "shop_transit:level", "shop_transit:newest", "promised_days")


@dataclass(frozen=True, slots=True)
class Config:
    iterations: int = 150
    learning_rate: float = 0.07
    leaves: int = 24
    smallest_leaf: int = 30  # rows
    l2: float = 1.0
    features_tried: float = 0.4  # share drawn at each split
    half_lives: tuple[float, ...] = (40.0, 120.0, 400.0)  # days in which a delivery loses half its weight
    # in learning, one for each of the medians that are averaged
    settled_share: float = 0.5  # of parcels have arrived by the age that a delivery is learned from at
    spread_iterations: int = 60
    spread_leaves: int = 8
    spread_leaf: int = 500  # rows
    most_rows: int = 120_000  # moments that one regressor learns from, drawn where there are more
    seed: int = 7


@dataclass(slots=True)
class Regressors:
    """One family's. `typical_` is what an order of no peculiarity looks like, one value a feature;
    `longest_` the days after which hardly any parcel was still to come; `usual_spread_` what the spreads
    below and above are of the root of the median."""

    encoder: Encoder
    medians: list[HistGradientBoostingRegressor]
    low: HistGradientBoostingRegressor
    high: HistGradientBoostingRegressor
    typical_: Floats
    longest_: float
    usual_spread_: tuple[float, float]
    _median_trees: Forest = field(init=False, repr=False)
    _spread_trees: Forest = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._median_trees = Forest(self.medians)
        self._spread_trees = Forest([self.low, self.high])

    @classmethod
    def fit(
        cls, encoder: Encoder, x: Floats, days: Floats, *, age: Floats, longest: float, config: Config
    ) -> Self:
        """Learn `days` left, shape (rows,), from `x`, shape (rows, features).

        The chance that a regressor sees a row at all halves with every half-life of its `age` (days). That is
        as good as weights in the loss, makes the medians differ enough to be worth averaging, and takes a
        fifth of the time.
        """
        target = np.log(days + _least(encoder)) - np.log(_level(encoder, x) + _least(encoder))
        rng = np.random.default_rng(config.seed)

        shown = x.copy()
        shown[:, [at for at, name in enumerate(encoder.names_) if name in _HIDDEN]] = 0.0

        def learned(half_life: float, config: Config = config, **loss: Any) -> HistGradientBoostingRegressor:
            seen = rng.random(len(x)) < 0.5 ** (age / half_life)
            # a column without any value cannot be binned
            if seen.sum() < FEWEST_SEEN or not np.isfinite(x[seen]).any(axis=0).all():
                seen = np.ones(len(x), dtype=bool)
            seed = int(config.seed + half_life)
            return _boosting(config, seed=seed, rows=int(seen.sum()), **loss).fit(shown[seen], target[seen])

        medians = [learned(half_life, loss="absolute_error") for half_life in config.half_lives]
        coarse, usual = _coarse(config), float(np.median(config.half_lives))
        low, high = (learned(usual, coarse, loss="quantile", quantile=level) for level in (LOW, HIGH))
        with np.errstate(all="ignore"):
            typical = np.array([_typical(column) for column in x.T])
        found = cls(encoder, medians, low, high, typical, longest, (1.0, 1.0))
        found.usual_spread_ = found._usual_spread(x)
        return found

    def median(self, x: Floats) -> Floats:
        """Days left, shape (rows,)."""
        return self._days(_raw(self._median_trees, self.medians, x).mean(axis=0), x)

    def spread(self, x: Floats, median: Floats) -> tuple[Floats, Floats]:
        """How far the truth may lie below and above the median, before calibration.

        In units that calibration makes days of: the root of the median, as where delays of many days add
        up, and a quarter, by ratio, of what was learned of such an order beyond what is usual. Quantiles far
        out are learned from few deliveries: windows by them alone are wider for holding as many. And how
        far everything lies apart just now is for calibration to say, not for a model to remember.
        """
        root = np.sqrt(median * self.encoder.scale_)
        narrowest = self.encoder.scale_ * NARROWEST
        learned = self._learned_spread(x, median)
        below, above = (
            np.maximum(root * (part / (usual * root)) ** SPREAD_LEARNED, narrowest)
            for part, usual in zip(learned, self.usual_spread_, strict=True)
        )
        return below, above

    def _learned_spread(self, x: Floats, median: Floats) -> tuple[Floats, Floats]:
        narrowest = self.encoder.scale_ * NARROWEST
        low, high = _raw(self._spread_trees, [self.low, self.high], x)
        below = np.maximum(median - self._days(low, x), narrowest)
        above = np.maximum(self._days(high, x) - median, narrowest)
        return below, above

    def _usual_spread(self, x: Floats) -> tuple[float, float]:
        median = self.median(x)
        root = np.sqrt(median * self.encoder.scale_)
        below, above = (float(np.median(part / root)) for part in self._learned_spread(x, median))
        return below, above

    def state(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder.state(),
            "medians": self.medians,
            "low": self.low,
            "high": self.high,
            "typical_": self.typical_,
            "longest_": self.longest_,
            "usual_spread_": list(self.usual_spread_),
        }

    @classmethod
    def from_state(cls, family: Family, state: dict[str, Any]) -> Self:
        encoder = Encoder.from_state(family, state["encoder"])
        return cls(**state | {"encoder": encoder, "usual_spread_": tuple(state["usual_spread_"])})

    def _days(self, target: Floats, x: Floats) -> Floats:
        least = _least(self.encoder)
        days = np.exp(target) * (_level(self.encoder, x) + least) - least
        return np.maximum(days, self.encoder.scale_ * SHORTEST)


def _raw(forest: Forest, models: Sequence[HistGradientBoostingRegressor], x: Floats) -> Floats:
    """What the models predict, shape (models, rows). Many rows go as in `predict`, without checking the
    values again."""
    if len(x) < FEW:
        return forest.predict(x)
    return np.stack([model._raw_predict(x)[:, 0] for model in models])


def _coarse(config: Config) -> Config:
    """For the quantiles far out, of which few deliveries tell."""
    return replace(
        config,
        iterations=config.spread_iterations,
        leaves=config.spread_leaves,
        smallest_leaf=config.spread_leaf,
    )


def _boosting(
    config: Config, *, seed: int, rows: int, loss: str, quantile: float | None = None
) -> HistGradientBoostingRegressor:
    """With few rows fewer trees of fewer leaves: what they leave out is told by the level."""
    return HistGradientBoostingRegressor(
        loss=loss,
        quantile=quantile,
        max_iter=min(config.iterations, 60 + rows // 8),
        learning_rate=config.learning_rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=min(config.smallest_leaf, max(5, rows // 20)),
        l2_regularization=config.l2,
        max_features=config.features_tried,
        early_stopping=False,
        random_state=seed,
    )


def _level(encoder: Encoder, x: Floats) -> Floats:
    """Days that are left of what the region or route takes just now; of the usual days where nothing is
    known of it."""
    own, shop, since = _LEVELS[encoder.family]
    usual = np.log(np.fmax(_column(encoder, x, f"{shop}:level", encoder.scale_), 0) + _least(encoder))
    count = np.nan_to_num(_column(encoder, x, f"{own}:count", 0.0))
    level = np.log(np.fmax(_column(encoder, x, f"{own}:level", np.nan), 0) + _least(encoder))
    level = np.where(np.isnan(level), usual, (count * level + LEVEL_PRIOR * usual) / (count + LEVEL_PRIOR))
    days = np.exp(level) - _least(encoder)
    passed = np.nan_to_num(_column(encoder, x, since, 0.0))
    found: Floats = np.maximum(days - passed, LEAST_LEFT * days)
    return found


def _column(encoder: Encoder, x: Floats, name: str, default: float) -> Floats:
    """A feature's values; the default where the encoder has no such feature or it is unknown."""
    if name not in encoder.names_:
        return np.full(len(x), default)
    values: NDArray[np.float64] = x[:, encoder.names_.index(name)]
    return np.where(np.isnan(values), default, values)


def _least(encoder: Encoder) -> float:
    return encoder.scale_ * OFFSET


def _typical(column: Floats) -> float:
    """The middle of a feature as it occurs, so that a category's is a category."""
    known = np.sort(column[np.isfinite(column)])
    return float(known[len(known) // 2]) if len(known) * 2 > len(column) else float("nan")

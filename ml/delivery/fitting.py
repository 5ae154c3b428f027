"""Learning a model from a table of deliveries: regressors, and scores to set the first windows by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ml.delivery.calibration import Calibration, Scores
from ml.delivery.features import Encoder
from ml.delivery.model import DeliveryModel, version_of
from ml.delivery.past import Past, Walk
from ml.delivery.regressors import Config, Regressors
from ml.delivery.stages import FAMILIES, Family, moments, stages_at, usable
from ml.delivery.table import Floats, Ints, Table

FEWEST_ROWS = 50
LONGEST = 0.995  # share of deliveries after which a parcel is no longer like those learned from


class NotTrainable(ValueError):
    """Too few finished deliveries to learn from; `str(error)` says how many there are."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Regressors that learned only from what had ended before `cut` (days since 1970)."""

    families: dict[Family, Regressors]
    cut: float


def fit(
    table: Table, *, before: float = np.inf, config: Config | None = None, past: Past | None = None
) -> tuple[DeliveryModel, Trial]:
    """Learn from the deliveries that had ended `before` (days since 1970). Raises NotTrainable.

    The first windows are set by a trial that learned from the earlier part and is scored on the later.
    """
    config, past = config or Config(), past or Walk(table)
    cut = _cut(table, before, config)
    trial = Trial(fit_regressors(table, past, before=cut, config=config), cut)
    scores = score_families(trial.families, table, past, start=cut, end=before, seed=config.seed)
    families = fit_regressors(table, past, before=before, config=config)
    learned = _ended(table, "before", before)
    placed = table.floats("placed_at")[learned]
    digest = table.digest()
    meta = {
        "version": version_of(f"{digest} {before}", config),
        "data_sha256": digest,
        "rows": len(learned),
        "placed_from": float(placed.min()),
        "placed_until": float(placed.max()),
        "config": asdict(config),
    }
    return DeliveryModel(config, families, Calibration(scores.latest()), meta), trial


def fit_regressors(
    table: Table, past: Past, *, before: float, config: Config, families: Sequence[Family] = FAMILIES
) -> dict[Family, Regressors]:
    """Regressors a family that has enough deliveries. Raises NotTrainable where even "before" has not."""
    found: dict[Family, Regressors] = {}
    for family in families:
        who = _ended(table, family, before)
        if len(who) >= FEWEST_ROWS:
            found[family] = _fit_family(table, past, family, who, before, config)
        elif family == "before":
            raise NotTrainable(
                f"There are {len(who)} finished deliveries; learning needs at least {FEWEST_ROWS}."
            )
    return found


def score_families(
    families: dict[Family, Regressors], table: Table, past: Past, *, start: float, end: float, seed: int
) -> Scores:
    """How estimates made from `start` on fell out, of parcels that had arrived by `end`."""
    empty = np.zeros(0)
    scores = Scores.of(empty.astype(np.int64), empty, empty, [])
    for family, regressors in families.items():
        who, moment = moments(table, _ended(table, family, end), family, np.random.default_rng(seed))
        later = moment >= start
        who, moment = who[later], moment[later]
        if len(who):
            scores += scores_of(regressors, table, past, who, moment)
    return scores


def scores_of(regressors: Regressors, table: Table, past: Past, who: Ints, moment: Floats) -> Scores:
    x = regressors.encoder.encode(table, past, who, moment)
    median = regressors.median(x)
    below, above = regressors.spread(x, median)
    arrived = table.floats("delivered_at")[who]
    off = arrived - moment - median
    codes, words = table.words("region")
    regions = [words[code] for code in codes[who]]
    return Scores.of(stages_at(table, who, moment), arrived, off / np.where(off > 0, above, below), regions)


def _fit_family(
    table: Table, past: Past, family: Family, who: Ints, before: float, config: Config
) -> Regressors:
    rng = np.random.default_rng(config.seed)
    delivered = table.floats("delivered_at")
    start = table.floats("placed_at" if family == "before" else "handed_over_at")
    took = delivered[who] - start[who]
    chosen, moment = moments(table, who, family, rng, later=config.later_share)
    if len(chosen) > config.most_rows:
        drawn = np.sort(rng.choice(len(chosen), config.most_rows, replace=False))
        chosen, moment = chosen[drawn], moment[drawn]
    weight = 0.5 ** ((moment.max() - moment) / config.half_life)
    encoder = Encoder(family).fit(table, who, scale=float(np.median(took)))
    x = encoder.encode(table, past, chosen, moment)
    return Regressors.fit(
        encoder,
        x,
        delivered[chosen] - moment,
        weight=weight,
        longest=float(np.quantile(took, LONGEST)),
        config=config,
    )


def _ended(table: Table, family: Family, before: float) -> Ints:
    who = usable(table, family)
    return who[table.floats("delivered_at")[who] < before]


def _cut(table: Table, end: float, config: Config) -> float:
    """When the latest part of the deliveries, which windows are set on, begins."""
    who = _ended(table, "before", end)
    if len(who) < FEWEST_ROWS:
        raise NotTrainable(
            f"There are {len(who)} finished deliveries; learning needs at least {FEWEST_ROWS}."
        )
    return float(np.quantile(table.floats("placed_at")[who], 1 - config.calibration_share))

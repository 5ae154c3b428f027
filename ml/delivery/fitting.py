"""Learning a model from a table of deliveries: regressors, and scores to set the first windows by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce

import numpy as np

from ml.delivery.calibration import Calibration, Scores
from ml.delivery.features import Encoder
from ml.delivery.model import DeliveryModel, version_of
from ml.delivery.past import Past, Walk
from ml.delivery.regressors import Config, Regressors
from ml.delivery.said import Said
from ml.delivery.stages import FAMILIES, Family, moments, present, started, starts, usable
from ml.delivery.table import Floats, Ints, Table

FEWEST_ROWS = 50
MANY = 4000  # deliveries, from which on the latest tell enough
LATE_SHARES = (0.8, 0.87, 0.94)  # of deliveries, that the regressors of a trial saw one after another
SHARES = (0.4, 0.6, 0.8)  # the same where there are fewer
SETTLED = 0.98  # share of parcels that have arrived by the age from which on a delivery may be judged
LONGEST = 0.995  # share of deliveries after which a parcel is no longer like those learned from


class NotTrainable(ValueError):
    """Too few finished deliveries to learn from; `str(error)` says how many there are."""


@dataclass(frozen=True, slots=True)
class Trial:
    """For each of `cuts` (days since 1970, ascending) regressors that learned only from what had ended before
    it. They are tried on estimates from their cut up to the next, none of which was made after `until`:
    later on, only the fast parcels have arrived."""

    cuts: tuple[float, ...]
    families: tuple[dict[Family, Regressors], ...]
    until: float

    def tries(self, family: Family) -> bool:
        """Whether there was enough to learn a family from."""
        return any(family in learned for learned in self.families)

    def said(self, family: Family, table: Table, past: Past, who: Ints, moment: Floats) -> Said:
        """Estimates made since the first cut, each by the latest regressors of its time."""
        place = np.searchsorted(self.cuts, moment, side="right") - 1
        parts = [
            Said.of(learned[family], table, past, who[place == at], moment[place == at])
            for at, learned in enumerate(self.families)
            if family in learned
        ]
        return reduce(Said.__add__, parts)


def fit(
    table: Table, *, before: float = np.inf, config: Config | None = None, past: Past | None = None
) -> tuple[DeliveryModel, Trial]:
    """Learn from the deliveries that had ended `before` (days since 1970). Raises NotTrainable.

    The first windows are set by how a trial's estimates fell out.
    """
    config, past = config or Config(), past or Walk(table)
    end = min(before, np.nextafter(present(table), np.inf))
    trial = try_out(table, past, before=end, config=config)
    families = fit_regressors(table, past, before=end, config=config)
    scores = reduce(Scores.__add__, (_scores(trial, family, table, past, end, config) for family in families))
    learned = _ended(table, "before", end)
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
    return DeliveryModel(config, families, Calibration(scores.thinned(), moment=end), meta), trial


def try_out(table: Table, past: Past, *, before: float, config: Config) -> Trial:
    """Learn as if it were earlier. Raises NotTrainable."""
    cuts, until = _cuts(table, before)
    return Trial(cuts, tuple(fit_regressors(table, past, before=cut, config=config) for cut in cuts), until)


def trial_moments(
    trial: Trial, family: Family, table: Table, *, now: float, seed: int
) -> tuple[Ints, Floats]:
    """Moments since the first cut that a family can be tried at, of parcels that have arrived and others."""
    who, moment = moments(table, started(table, family), family, np.random.default_rng(seed), now=now)
    first = min(
        (cut for cut, by in zip(trial.cuts, trial.families, strict=True) if family in by), default=now
    )
    later = (moment >= first) & (moment < now)
    return who[later], moment[later]


def _scores(trial: Trial, family: Family, table: Table, past: Past, now: float, config: Config) -> Scores:
    if not trial.tries(family):
        return Scores.none()
    who, moment = trial_moments(trial, family, table, now=now, seed=config.seed)
    return trial.said(family, table, past, who, moment).scores(now)


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
            raise _too_few(len(who))
    return found


def _fit_family(
    table: Table, past: Past, family: Family, who: Ints, before: float, config: Config
) -> Regressors:
    rng = np.random.default_rng(config.seed)
    delivered = table.floats("delivered_at")
    took = delivered[who] - starts(table, family)[who]
    chosen, moment = _settled(*moments(table, who, family, rng), before, took, config)
    if len(chosen) > config.most_rows:
        drawn = np.sort(rng.choice(len(chosen), config.most_rows, replace=False))
        chosen, moment = chosen[drawn], moment[drawn]
    encoder = Encoder(family).fit(table, who, scale=float(np.median(took)))
    x = encoder.encode(table, past, chosen, moment)
    return Regressors.fit(
        encoder,
        x,
        delivered[chosen] - moment,
        age=moment.max() - moment,
        longest=float(np.quantile(took, LONGEST)),
        config=config,
    )


def _ended(table: Table, family: Family, before: float) -> Ints:
    who = usable(table, family)
    return who[table.floats("delivered_at")[who] < before]


def _settled(who: Ints, moment: Floats, before: float, took: Floats, config: Config) -> tuple[Ints, Floats]:
    """Without the latest moments, of which only the fast parcels have arrived. What sets those weeks apart
    (a load, a promise) would be learned to mean a fast delivery."""
    settled = moment < before - np.quantile(took, config.settled_share)
    enough = settled.sum() >= FEWEST_ROWS
    return (who[settled], moment[settled]) if enough else (who, moment)


def _cuts(table: Table, end: float) -> tuple[tuple[float, ...], float]:
    """When the parts begin that regressors are tried on, and when the last of them ends: as long before
    `end` as nearly all parcels take."""
    who = _ended(table, "before", end)
    if len(who) < FEWEST_ROWS:
        raise _too_few(len(who))
    placed, delivered = table.floats("placed_at")[who], table.floats("delivered_at")[who]
    until = end - float(np.quantile(delivered - placed, SETTLED))
    if (placed < until).sum() < len(who) / 2:
        until = end
    cuts = np.quantile(placed[placed < until], LATE_SHARES if len(who) >= MANY else SHARES)
    possible = [float(cut) for cut in cuts if (delivered < cut).sum() >= FEWEST_ROWS]
    return tuple(possible or [float(cuts[-1])]), until


def _too_few(finished: int) -> NotTrainable:
    return NotTrainable(f"There are {finished} finished deliveries; learning needs at least {FEWEST_ROWS}.")

"""From finished deliveries to a model with its scores inside, and the card that goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ml.delivery.evaluate import baselines, score
from ml.delivery.model import FEWEST_ROWS, Config, DeliveryModel, NotTrainable
from ml.types import Consignment

TEST_SHARE = 0.2


def train(rows: Iterable[Consignment], *, data: str, config: Config | None = None) -> DeliveryModel:
    """Score a trial model on the orders placed last, then learn from all of them.

    The trial learns only from deliveries that had ended when the first test order was placed, as it
    would have had to. Raises NotTrainable where there are too few.
    """
    config = config or Config()
    finished = sorted((row for row in rows if row.delivered_at), key=lambda row: row.placed_at)
    if len(finished) * (1 - TEST_SHARE) < 2 * FEWEST_ROWS:
        raise NotTrainable(
            f"There are {len(finished)} finished deliveries; "
            f"learning and scoring need at least {int(2.5 * FEWEST_ROWS)}."
        )
    split = finished[int(len(finished) * (1 - TEST_SHARE))].placed_at
    earlier = [row for row in finished if row.delivered_at and row.delivered_at < split]
    later = [row for row in finished if row.placed_at >= split]
    trial = DeliveryModel(config).fit(earlier)
    model = DeliveryModel(config).fit(finished)
    model.meta |= {
        "data": data,
        "split": split.isoformat(),
        "scores": {
            stage: score(trial, later, stage) | baselines(earlier, later, stage) for stage in trial.stages_
        },
    }
    return model


def card(model: DeliveryModel) -> str:
    """The model's card as Markdown, from what its file holds."""
    meta = model.meta
    scores = "".join(_scores(stage, meta["scores"][stage]) for stage in meta["scores"])
    config = ", ".join(f"{name} {value}" for name, value in meta["config"].items())
    return CARD.format(**{**meta, "config": config, "scores": scores})


def _scores(stage: str, scores: dict[str, Any]) -> str:
    low, high = scores["mae_interval"]
    promise = f"{scores['promise_mae']:.2f}" if scores["promise_mae"] is not None else "none"
    return (
        f"| {STAGE_NAMES[stage]} | {scores['test_orders']} | {scores['mae']:.2f} ({low:.2f} to {high:.2f}) | "
        f"{scores['median_mae']:.2f} | {promise} | {scores['coverage90']:.1%} | {scores['width90']:.2f} |\n"
    )


STAGE_NAMES = {"purchase": "from placing", "handover": "from hand-over to the carrier"}

CARD = """# {version}: when a parcel arrives

Histogram gradient boosting (scikit-learn) on the 5%, 50% and 95% quantile of the days until delivery, one
set of models for orders that are not handed over yet and one for those that are. The outer quantiles are
shifted on the latest part of the training time so that nine of ten deliveries fall inside.

- **Data**: {data}. {rows} deliveries placed from {placed_from} to {placed_until}, SHA-256 `{data_sha256}`.
- **Split of the scores**: a trial model learned from deliveries that had ended before {split} and was
  scored on orders placed since; the model in the file learned from all of them.
- **Configuration**: {config}.

| days counted | test orders | mean error (95% interval) | training median | promise | in window | its width |
|---|---|---|---|---|---|---|
{scores}
Errors are mean absolute ones; all figures but the shares are days. **Limits**: it knows the carriers,
sellers and regions of its data and no others; it does not know strikes, weather or holidays; parcels that
never arrive are not in its data, so it gives no estimate once a parcel has taken longer than its window.
A shop trains its own with `manage.py train_delivery`.
"""

"""The card that goes with a model, as Markdown, from what its file holds."""

from __future__ import annotations

from typing import Any

from ml.delivery.model import DeliveryModel
from ml.delivery.training import moment_of

STAGE_NAMES = {
    "placed": "placed",
    "paid": "paid, not handed over",
    "handed_over": "handed over",
    "in_transit": "in transit",
    "out_for_delivery": "out for delivery",
}


def card(model: DeliveryModel, *, picture: str) -> str:
    meta = model.meta
    purchase = meta["purchase"]
    low, high = purchase["mae_interval"]
    promise = purchase["promise_mae"]
    return CARD.format(
        **meta,
        picture=picture,
        since=f"{moment_of(meta['placed_from']):%Y-%m-%d}",
        until=f"{moment_of(meta['placed_until']):%Y-%m-%d}",
        cut=f"{moment_of(meta['split']):%Y-%m-%d %H:%M}",
        configuration=", ".join(f"{name} {value}" for name, value in meta["config"].items()),
        error=f"{purchase['mae']:.2f} days (95% interval {low:.2f} to {high:.2f})",
        median=f"{purchase['median_mae']:.2f}",
        promise=f"{promise:.2f}" if promise is not None else "none was made",
        stages="".join(_line(stage, scores) for stage, scores in meta["scores"].items()),
    )


def _line(stage: str, scores: dict[str, Any]) -> str:
    low, high = scores["mae_interval"]
    return (
        f"| {STAGE_NAMES[stage]} | {scores['test_orders']} | {scores['mae']:.2f} ({low:.2f} to {high:.2f}) | "
        f"{scores['bias']:+.2f} | {scores['coverage80']:.1%} | {scores['width80']:.2f} | "
        f"{scores['coverage90']:.1%} | {scores['width90']:.2f} |\n"
    )


CARD = """# {version}: when a parcel arrives

Histogram gradient boosting (scikit-learn) of the time that is left, at any stage of an order: a median (three
models averaged) and the 10% and 90% quantiles, one set for orders that are not handed over yet and one for
those that are. Windows are set by how the latest estimates fell out or stand (conformal calibration, newer
ones weighing more). docs/delivery.md says how it works and how it compares.

- **Data**: {data}. {rows} deliveries placed from {since} to {until}, SHA-256 `{data_sha256}`.
- **Split of the scores**: a trial learned from deliveries that had ended before {cut} UTC, and anew twice
  since. Orders placed since then are its test, except for the latest, of which only fast ones have arrived:
  the earlier third to set the windows, the rest for the figures. The model in the file learned from all.
- **At purchase**: mean absolute error {error}; the median of the training days {median}, the shop's own
  promise {promise}.
- **Configuration**: {configuration}.

| estimate at | estimates | mean error (95% interval) | bias | in 80% window | its width | in 90% | width |
|---|---|---|---|---|---|---|---|
{stages}
Errors and widths are days; a positive bias means that parcels came sooner than estimated. Estimates of a
stage are made at its beginning or at a random moment in it, of the time left then.

![What it looks at]({picture})

The picture: by how many days the error grows when a feature is shuffled between orders.

**Limits**: carriers, sellers and regions that it has not met are treated like the usual ones; strikes and
weather it sees only by what they do to other parcels. Parcels that never arrive are not in its data, so it
gives no estimate once a parcel has taken longer than all but one in two hundred. A shop trains its own with
`manage.py train_delivery`.
"""

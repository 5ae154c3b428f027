from __future__ import annotations

import csv
from datetime import datetime, timedelta

import numpy as np
import pytest

from benchmarks.delivery import run


def test_any_shops_csv_can_be_measured(tmp_path):
    rng = np.random.default_rng(5)
    path = tmp_path / "orders.csv"
    start = datetime(2026, 1, 1, 8)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("order_id", "placed_at", "delivered_at", "promised_at", "origin_lat", "van", "floor")
        )
        for index in range(400):
            placed = start + timedelta(hours=4 * index)
            slow = bool(rng.random() < 0.5)
            delivered = placed + timedelta(days=(6 if slow else 2) * float(rng.lognormal(0, 0.1)))
            row = (index, placed, delivered, placed + timedelta(days=8), "", "ox" if slow else "horse", 3)
            writer.writerow(row)
        writer.writerow((401, start, "", "", "", "horse", ""))
    found = run(None, csv=path, split="2026-02-15")
    assert found["test_orders"] == 132
    assert found["train_orders"] < 270
    assert found["mae_purchase"] < 0.6 < found["median_mae"] < found["promise_mae"]
    assert found["mae_handover"] is None
    assert 0.7 < found["coverage90"] <= 1


def test_what_is_missing_is_named(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("order_id,placed_at\n")
    with pytest.raises(SystemExit, match="lacks the column delivered_at"):
        run(None, csv=path, split="2026-02-15")
    with pytest.raises(SystemExit, match="--split"):
        run(None, csv=path, split=None)
    path.write_text("order_id,placed_at,delivered_at\n")
    with pytest.raises(SystemExit, match="Nothing to learn from"):
        run(None, csv=path, split="2026-02-15")
    with pytest.raises(SystemExit, match="--data DIR"):
        run(None, csv=None, split=None)

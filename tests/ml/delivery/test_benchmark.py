from __future__ import annotations

import csv
from datetime import datetime, timedelta

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.delivery import run


@pytest.fixture(autouse=True)
def small_peers(monkeypatch):
    monkeypatch.setattr(peers, "LIGHTGBM", ({"n_estimators": 60, "num_leaves": 7},))
    monkeypatch.setattr(peers, "CATBOOST", ({"iterations": 60, "depth": 4},))


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
    found = run(None, csv=path, split="2026-02-15", pictures=tmp_path)
    assert (tmp_path / "reliability.png").is_file()
    assert found["test_orders"] == 132
    assert found["train_orders"] < 270
    assert found["mae_purchase"] < 0.6 < found["median_mae"] < found["promise_mae"]
    assert found["mae_handover"] is None
    assert 0.7 < found["coverage90"] <= 1
    assert 0 < found["lightgbm_mae"] < 1.5
    assert 0 < found["catboost_mae"] < 1.5
    assert found["late_rate_p92"] < 0.25
    assert found["worst_region_gap"] is None  # no region has 200 orders


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

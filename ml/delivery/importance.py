"""What a model looks at: how much larger its error gets when a feature is shuffled between orders."""

from __future__ import annotations

import numpy as np

from ml.delivery.evaluate import Judged
from ml.delivery.past import Past
from ml.delivery.regressors import Regressors
from ml.delivery.table import Table

MOST_ROWS = 2000


def importances(regressors: Regressors, table: Table, past: Past, judged: Judged) -> dict[str, float]:
    """Days by feature, largest first (permutation importance: Breiman, Random Forests, 2001)."""
    rng = np.random.default_rng(MOST_ROWS)
    rows = rng.permutation(len(judged.who))[:MOST_ROWS]
    truth = judged.truth[rows]
    x = regressors.encoder.encode(table, past, judged.who[rows], judged.moment[rows])
    base = np.abs(regressors.median(x) - truth).mean()
    found = {}
    for column, name in enumerate(regressors.encoder.names_):
        shuffled = x.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        found[name] = float(np.abs(regressors.median(shuffled) - truth).mean() - base)
    return dict(sorted(found.items(), key=lambda item: -item[1]))

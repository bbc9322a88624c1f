from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fishembed.evaluation.rejection import risk_coverage, separation


def test_auroc_is_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    known, unknown = rng.integers(0, 8, 50), rng.integers(2, 10, 30)
    found = separation(known, unknown, 6)
    truth = np.r_[np.zeros(50), np.ones(30)]
    assert found.auroc == pytest.approx(roc_auc_score(truth, np.r_[known, unknown]))
    assert found.auroc_ci95[0] < found.auroc < found.auroc_ci95[1]
    assert found.caught == (unknown > 6).mean()
    assert found.sent_back == (known > 6).mean()


def test_the_interval_of_auroc_holds_the_truth():
    rng, truth, held = np.random.default_rng(0), 0.7602, 0
    for _ in range(300):
        found = separation(rng.normal(size=60), rng.normal(1, 1, 60), 2)
        held += found.auroc_ci95[0] <= truth <= found.auroc_ci95[1]
    assert 0.91 <= held / 300 <= 0.985


def test_risk_falls_with_what_is_sent_back():
    coverage, risk = risk_coverage([0.3, 0.1, 0.2, 0.9], [True, True, True, False])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == [0, 0, 0, 0.25]

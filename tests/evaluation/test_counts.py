from __future__ import annotations

import numpy as np
import pytest

from fishembed.errors import InputError
from fishembed.evaluation.counts import corrected_counts

CALLS = np.array([[0.9, 0.08, 0.02], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]])


def catch(rng, truth):
    return sum(rng.multinomial(n, row) for n, row in zip(truth, CALLS, strict=True))


def test_intervals_hold_the_truth_under_shifted_frequencies():
    rng, held = np.random.default_rng(0), []
    for trial in range(60):
        confusion = np.array(
            [rng.multinomial(n, row) for n, row in zip((300, 100, 40), CALLS, strict=False)]
        )
        truth = rng.multinomial(400, rng.dirichlet(np.ones(3)))
        found = corrected_counts(catch(rng, truth), confusion, seed=trial)
        held.append((found.low <= truth) & (truth <= found.high))
    assert 0.9 <= np.mean(held) <= 1


def test_the_correction_moves_towards_the_truth():
    rng = np.random.default_rng(1)
    truth = np.array([20, 300, 20])
    called = catch(rng, truth)
    found = corrected_counts(called, CALLS * 1000)
    assert np.abs(found.expected - truth).sum() < np.abs(called - truth).sum()
    assert found.expected.sum() == pytest.approx(340)


def test_the_mean_is_near_quapys_adjusted_count():
    quapy = pytest.importorskip("quapy", exc_type=ImportError)
    assert quapy
    called = CALLS.T @ np.array([100, 300, 100])
    exact = np.linalg.solve(CALLS.T, called)  # what quapy's ACC solves
    found = corrected_counts(called.round().astype(int), CALLS * 5000)
    assert found.expected == pytest.approx(exact, abs=12)


def test_images_that_were_looked_at_are_certain():
    checked = np.diag([60, 40])
    found = corrected_counts([60, 40], np.ones((2, 2)), checked)
    assert found.low.tolist() == found.high.tolist() == [60, 40]
    with pytest.raises(InputError, match="do not fit"):
        corrected_counts([1, 1], np.ones((2, 2)), checked)

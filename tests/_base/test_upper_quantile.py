from __future__ import annotations

import numpy as np

from fishembed._base.upper_quantile import upper_quantile


def test_new_rows_stay_below_as_often_as_stated():
    rng = np.random.default_rng(0)
    kept = [(rng.normal(size=200) <= upper_quantile(rng.normal(size=60), 0.9)) for _ in range(400)]
    assert 0.895 < np.mean(kept) < 0.92


def test_too_few_rows_promise_nothing():
    assert upper_quantile([], 0.5) == float("inf")
    assert upper_quantile(np.arange(18), 0.95) == float("inf")
    assert upper_quantile(np.arange(19), 0.95) == 18


def test_a_group_counts_as_one():
    scores = np.arange(40) / 40
    assert upper_quantile(scores, 0.9, np.arange(40) // 2) >= upper_quantile(scores, 0.9)
    assert upper_quantile(scores, 0.95, np.arange(40) // 4) == float("inf")


def test_weights_move_the_quantile_to_the_heavier_rows():
    assert upper_quantile([1, 2, 3, 4], 0.5, weights=[1, 1, 1, 5]) == 4

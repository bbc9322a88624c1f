from __future__ import annotations

import numpy as np
import pytest

from fishembed.evaluation.acceptance import acceptance


def made(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    sure = rng.random(n)
    return sure, rng.random(n) < sure


def test_every_threshold_counts_what_is_at_or_above_it():
    sure, right = made()
    found = acceptance(sure, right, np.ones(len(sure), bool))
    for i in (0, 37, 90, 99):
        at = sure >= i / 100
        assert found.n[i] == at.sum()
        assert found.accepted[i] == at.mean()
        assert found.right[i] == pytest.approx(right[at].mean())


def test_intervals_hold_the_share_and_widen_with_groups():
    sure, right = made()
    every = np.ones(len(sure), bool)
    alone = acceptance(sure, right, every)
    grouped = acceptance(sure, right, every, np.arange(len(sure)) // 50)
    for i in alone.rows:
        assert alone.low[i] <= alone.right[i] <= alone.high[i]
    same = np.repeat(right[::50], 50)
    whole = acceptance(sure, same, every, np.arange(len(sure)) // 50)
    single = acceptance(sure, same, every)
    assert whole.high[0] - whole.low[0] > 2 * (single.high[0] - single.low[0])
    assert grouped.total == alone.total == len(sure)


def test_the_lowest_threshold_for_a_share():
    sure = np.array([0.99, 0.95, 0.7, 0.2])
    right = np.array([True, True, False, False])
    found = acceptance(sure, right, np.ones(4, bool))
    assert found.lowest(1.0) == 71
    assert found.lowest(0.5) == 0
    assert acceptance(sure, np.zeros(4, bool), np.ones(4, bool)).lowest(0.5) is None


def test_images_without_a_label_or_a_confidence_count_nowhere():
    sure, right = np.array([0.9, np.nan, 0.8]), np.array([True, True, False])
    found = acceptance(sure, right, np.array([True, True, False]))
    assert (found.total, found.right[0]) == (1, 1.0)
    assert acceptance(np.full(3, np.nan), right, np.ones(3, bool)) is None

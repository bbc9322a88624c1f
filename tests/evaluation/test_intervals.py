from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fishembed.errors import DimensionError
from fishembed.evaluation import bootstrap_macro_recall, wilson


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilson_is_scipys(n, share):
    k = round(n * share)
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx([expected.low, expected.high])


def test_wilson_of_nothing_says_nothing():
    assert wilson([0, 1], [0, 1])[0].tolist() == [0, 1]


def test_bootstrap_agrees_with_drawing_rows():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 5, 400)
    hits = rng.random(400) < 0.3 + 0.1 * y
    draws = []
    for _ in range(2000):
        recalls = []
        for c in range(5):
            rows = np.flatnonzero(y == c)
            recalls.append(hits[rng.choice(rows, len(rows))].mean())
        draws.append(np.mean(recalls))
    expected = np.quantile(draws, [0.025, 0.975])
    assert bootstrap_macro_recall(y, hits, resamples=4000) == pytest.approx(expected, abs=0.006)


def test_groups_widen_the_interval():
    y = np.repeat([0, 1], 200)
    groups = np.arange(400) // 20
    hits = groups % 2 == 0
    alone = bootstrap_macro_recall(y, hits)
    together = bootstrap_macro_recall(y, hits, groups)
    assert together[1] - together[0] > 3 * (alone[1] - alone[0])


def test_bootstrap_is_seeded():
    y, hits = np.repeat([0, 1], 50), np.arange(100) % 3 == 0
    assert bootstrap_macro_recall(y, hits, seed=3) == bootstrap_macro_recall(y, hits, seed=3)
    assert bootstrap_macro_recall(y, hits, seed=3) != bootstrap_macro_recall(y, hits, seed=4)


def test_shapes_are_checked():
    with pytest.raises(DimensionError):
        bootstrap_macro_recall([0, 1], [True])

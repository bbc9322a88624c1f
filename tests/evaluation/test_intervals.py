from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fishembed.errors import DimensionError
from fishembed.evaluation import bootstrap_macro_recall, wilson, wilson_of_rows


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilson_is_scipys(n, share):
    k = round(n * share)
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx([expected.low, expected.high])


def test_wilson_of_nothing_says_nothing():
    assert wilson([0, 1], [0, 1])[0].tolist() == [0, 1]


def test_wilson_of_rows_counts_by_stratum():
    right = np.array([True, False, True, True, True])
    strata = np.array([0, 0, 1, 1, 1])
    ends = wilson_of_rows(right, None, strata, 3)
    assert ends == pytest.approx(np.array([wilson(1, 2), wilson(3, 3), [0, 1]]))
    assert wilson_of_rows(right) == pytest.approx(wilson([4], [5]))


@given(st.integers(0, 10_000))
def test_groups_never_narrow_wilson(seed):
    rng = np.random.default_rng(seed)
    right, strata, groups = rng.random(60) < 0.7, rng.integers(0, 4, 60), rng.integers(0, 20, 60)
    alone, together = (wilson_of_rows(right, g, strata, 5) for g in (None, groups))
    assert (np.ptp(together, axis=1) >= np.ptp(alone, axis=1) - 1e-12).all()
    assert wilson_of_rows(right, np.arange(60), strata, 5) == pytest.approx(alone)


def test_rows_that_repeat_each_other_count_once():
    fish = np.array([True, False, True, True, True, False, True, True])
    frames = np.repeat(fish, 6)
    together = wilson_of_rows(frames, np.arange(48) // 6)[0]
    assert together == pytest.approx(wilson(6, 8), abs=0.03)
    assert wilson_of_rows(np.ones(48), np.arange(48) // 6)[0] == pytest.approx(wilson(8, 8))
    assert wilson_of_rows(np.ones(48), np.zeros(48))[0] == pytest.approx(wilson(1, 1))


def test_wilson_by_group_covers():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        fish = rng.beta(0.85, 0.15, 40)  # frames of one fish: right or wrong as a whole, nearly
        frames = rng.random((40, 6)) < fish[:, None]
        low, high = wilson_of_rows(frames.ravel(), np.repeat(np.arange(40), 6))[0]
        covered += low <= 0.85 <= high
    assert 0.9 <= covered / 300 <= 0.99


def test_paired_differences_are_covered():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        change = (rng.random(400) < 0.7).astype(int) - (rng.random(400) < 0.6)
        low, high = bootstrap_macro_recall(np.zeros(400), change, resamples=500)
        covered += low <= 0.1 <= high
    assert covered >= 180


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

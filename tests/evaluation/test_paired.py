from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fishembed.errors import DimensionError
from fishembed.evaluation import macro_difference_interval, mcnemar
from fishembed.evaluation.paired import holm, macro_difference_p_value


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 20))
def test_without_groups_it_is_the_binomial_test(gained, lost, same):
    before = np.repeat([False, True, True], [gained, lost, same])
    after = np.repeat([True, False, True], [gained, lost, same])
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar(before, after) == pytest.approx(expected)
    assert mcnemar(before, after, np.arange(len(before))) == pytest.approx(expected)


def test_with_groups_it_counts_every_way():
    rng = np.random.default_rng(0)
    before, after, groups = rng.random(40) < 0.4, rng.random(40) < 0.6, rng.integers(0, 8, 40)
    change = np.bincount(groups, weights=after.astype(int) - before.astype(int))
    ways = [abs(change @ signs) for signs in itertools.product([-1, 1], repeat=len(change))]
    expected = np.mean([way >= abs(change.sum()) for way in ways])
    assert mcnemar(before, after, groups) == pytest.approx(expected)


def test_one_fish_proves_nothing():
    before, after = np.zeros(50, bool), np.ones(50, bool)
    assert mcnemar(before, after) < 1e-12
    assert mcnemar(before, after, np.zeros(50)) == 1


def test_thousands_of_changes_are_counted_exactly():
    before = np.arange(10_000) % 2 == 0
    after = np.arange(10_000) < 5_100
    gained, lost = (after & ~before).sum(), (before & ~after).sum()
    assert mcnemar(before, after) == pytest.approx(
        binomtest(int(gained), int(gained + lost)).pvalue
    )


def tango(b, c, n):
    """Ends of Tango's interval by a search over a fine grid."""
    ends = []
    for delta in np.linspace(-0.9999, 0.9999, 200_001):
        big_b, big_c = -b - c + (2 * n - b + c) * delta, -c * delta * (1 - delta)
        q = (np.sqrt(max(big_b**2 - 8 * n * big_c, 0)) - big_b) / (4 * n)
        variance = n * (2 * q + delta * (1 - delta))
        if abs(b - c - n * delta) <= 1.959964 * np.sqrt(max(variance, 1e-12)):
            ends.append(delta)
    return ends[0], ends[-1]


@pytest.mark.parametrize(("b", "c", "n"), [(7, 2, 40), (0, 0, 20), (5, 0, 12), (1, 9, 10)])
def test_one_class_gives_tangos_interval(b, c, n):
    after = np.arange(n) < b
    before = (np.arange(n) >= b) & (np.arange(n) < b + c)
    ends = macro_difference_interval(np.zeros(n), before, after)
    # the pairs' variance is taken with two pseudo rows, so the two are close, not equal
    assert ends == pytest.approx(tango(b, c, n), abs=0.06)


def test_differences_are_covered():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(20), 20)
    covered = 0
    for _ in range(200):
        before, after = rng.random(400) < 0.6, rng.random(400) < 0.7
        low, high = macro_difference_interval(y, before, after)
        covered += low <= 0.1 <= high
    assert covered >= 183


def test_no_change_is_not_certainty():
    low, high = macro_difference_interval(np.arange(4), np.ones(4), np.ones(4))
    assert low == pytest.approx(-high)
    assert high > 0.3


def test_groups_widen_a_difference():
    before, after = np.zeros(60, bool), np.arange(60) // 10 % 2 == 0
    y, groups = np.zeros(60), np.arange(60) // 10
    alone, together = (
        np.ptp(macro_difference_interval(y, before, after, g)) for g in (None, groups)
    )
    assert together > 2 * alone


def test_shapes_are_checked():
    with pytest.raises(DimensionError, match=r"\(1,\) and before \(2,\)"):
        macro_difference_interval([0], [True, False], [True, False])
    with pytest.raises(DimensionError, match=r"\(1,\) and after \(2,\)"):
        mcnemar([True], [True, False])


@given(st.integers(0, 1_000), st.floats(0.4, 0.9))
def test_the_p_value_is_below_a_level_where_the_interval_leaves_out_zero(seed, skill):
    rng = np.random.default_rng(seed)
    y, groups = rng.integers(0, 4, 80), rng.integers(0, 30, 80)
    before, after = rng.random(80) < 0.5, rng.random(80) < skill
    low, high = macro_difference_interval(y, before, after, groups)
    p = macro_difference_p_value(y, before, after, groups)
    assert (p < 0.05) == (low > 0 or high < 0)


def test_holm_multiplies_by_how_many_are_left_and_never_falls():
    assert holm([0.01, 0.02, 0.022, 0.09]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.09])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert len(holm([])) == 0


def test_no_change_is_no_difference():
    assert macro_difference_p_value([0, 1], [True, False], [True, False]) == 1
    assert macro_difference_p_value([], [], []) == 1

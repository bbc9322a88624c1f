from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fishembed.errors import DimensionError
from fishembed.evaluation import mcnemar


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


def test_shapes_are_checked():
    with pytest.raises(DimensionError, match=r"\(1,\) and after \(2,\)"):
        mcnemar([True], [True, False])

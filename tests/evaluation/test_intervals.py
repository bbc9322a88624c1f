from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fishembed.errors import DimensionError
from fishembed.evaluation import (
    clopper_pearson,
    macro_recall_interval,
    proportion_intervals,
)


@given(st.integers(1, 200), st.floats(0, 1))
def test_clopper_pearson_is_scipys(n, share):
    k = round(n * share)
    expected = stats.binomtest(k, n).proportion_ci(method="exact")
    assert clopper_pearson(k / n, n) == pytest.approx([expected.low, expected.high])


def test_none_or_all_of_a_few_leaves_much_open():
    assert clopper_pearson(0, 3) == pytest.approx([0, 0.708], abs=1e-3)
    assert clopper_pearson(1, 3) == pytest.approx([0.292, 1], abs=1e-3)


def test_nothing_says_nothing():
    assert clopper_pearson([0, 1], [0, 1])[0].tolist() == [0, 1]


def test_proportions_are_counted_by_stratum():
    right = np.array([True, False, True, True, True])
    strata = np.array([0, 0, 1, 1, 1])
    ends = proportion_intervals(right, None, strata, 3)
    expected = [clopper_pearson(1 / 2, 2), clopper_pearson(1, 3), [0, 1]]
    assert ends == pytest.approx(np.array(expected))
    assert proportion_intervals(right) == pytest.approx(clopper_pearson([0.8], [5]))


@given(st.integers(0, 10_000))
def test_groups_never_narrow_an_interval(seed):
    rng = np.random.default_rng(seed)
    right, strata, groups = rng.random(60) < 0.7, rng.integers(0, 4, 60), rng.integers(0, 20, 60)
    alone, together = (proportion_intervals(right, g, strata, 5) for g in (None, groups))
    assert (np.ptp(together, axis=1) >= np.ptp(alone, axis=1) - 1e-12).all()
    assert proportion_intervals(right, np.arange(60), strata, 5) == pytest.approx(alone)


def test_rows_that_repeat_each_other_count_once():
    fish = np.array([True, False, True, True, True, False, True, True])
    frames = np.repeat(fish, 6)
    together = proportion_intervals(frames, np.arange(48) // 6)[0]
    assert together == pytest.approx(clopper_pearson(6 / 8, 8), abs=0.03)
    by_fish = proportion_intervals(np.ones(48), np.arange(48) // 6)[0]
    assert by_fish == pytest.approx(clopper_pearson(1, 8))
    assert proportion_intervals(np.ones(48), np.zeros(48))[0] == pytest.approx([0.025, 1])


def test_a_stratum_without_rows_is_open_under_groups_too():
    right, groups = np.arange(12) // 6 == 0, np.arange(12) // 3
    ends = proportion_intervals(right, groups, np.zeros(12, int), 3)
    assert ends[1:].tolist() == [[0, 1], [0, 1]]


def test_rows_of_independent_groups_count_as_themselves():
    rng = np.random.default_rng(0)
    right, groups = rng.random(2000) < 0.7, np.arange(2000) // 5
    alone, together = (np.ptp(proportion_intervals(right, g)) for g in (None, groups))
    assert together < 1.25 * alone


def test_proportions_by_group_cover():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        fish = rng.beta(0.85, 0.15, 40)  # frames of one fish: right or wrong as a whole, nearly
        frames = rng.random((40, 6)) < fish[:, None]
        low, high = proportion_intervals(frames.ravel(), np.repeat(np.arange(40), 6))[0]
        covered += low <= 0.85 <= high
    assert 0.9 <= covered / 300 <= 0.99


def test_one_image_a_class_still_leaves_macro_recall_uncertain():
    low, high = macro_recall_interval([0, 1, 2], [True, False, False])
    assert low < 0.05
    assert high > 0.85
    low, high = macro_recall_interval(np.arange(5), np.ones(5))
    assert low == pytest.approx(clopper_pearson(1, 5)[0], abs=0.05)
    assert high == 1


def test_one_class_is_a_proportion():
    hits = np.arange(40) < 29
    assert macro_recall_interval(np.zeros(40), hits) == pytest.approx(
        proportion_intervals(hits)[0], abs=0.02
    )


def test_many_images_a_class_give_the_variance_of_the_mean_of_recalls():
    """Classes that are all right or all wrong leave little open, however many there are."""
    y = np.repeat(np.arange(10), 200)
    sure, unsure = y % 2 == 0, np.random.default_rng(0).random(2000) < 0.5
    narrow, wide = (np.ptp(macro_recall_interval(y, hits)) for hits in (sure, unsure))
    assert narrow < 0.6 * wide
    assert wide == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 2000), rel=0.15)


def test_a_large_class_does_not_hide_small_ones():
    y = np.repeat([0, 1, 2], [2000, 2, 2])
    hits = np.ones(2004)
    hits[-1] = 0
    low, high = macro_recall_interval(y, hits)
    assert high - low > 0.4


def test_groups_widen_the_interval():
    y = np.repeat([0, 1], 200)
    groups = np.arange(400) // 20
    hits = groups % 2 == 0
    alone = macro_recall_interval(y, hits)
    together = macro_recall_interval(y, hits, groups)
    assert together[1] - together[0] > 3 * (alone[1] - alone[0])


def test_groups_of_several_classes_are_not_independent_classes():
    """Sites where all species are right or all are wrong: what counts is the number of sites."""
    y = np.tile(np.arange(10), 12)
    site = np.repeat(np.arange(12), 10)
    hits = site % 2 == 0
    alone, by_site = (np.ptp(macro_recall_interval(y, hits, g)) for g in (None, site))
    assert by_site > 2 * alone
    assert by_site == pytest.approx(np.ptp(clopper_pearson(0.5, 12)), rel=0.2)


def test_shapes_are_checked():
    with pytest.raises(DimensionError):
        macro_recall_interval([0, 1], [True])
    assert macro_recall_interval([], []) == (0, 1)

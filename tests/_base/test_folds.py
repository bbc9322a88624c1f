from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed._base.folds import group_folds

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=2, max_size=80)


@given(ROWS, st.integers(2, 6))
def test_groups_stay_together_and_every_class_in_training(rows, n_folds):
    _, codes = np.unique([code for code, _ in rows], return_inverse=True)
    groups = np.array([group for _, group in rows])
    fold = group_folds(codes, groups, n_folds, 0)
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1
    for k in range(fold.max() + 1):
        assert set(codes[fold != k]) == set(codes)
        assert (fold == k).any(), "folds are counted without gaps"


def test_one_seed_gives_the_same_folds():
    codes, groups = np.repeat([0, 1], 50), np.arange(100) // 5
    first, again, other = (group_folds(codes, groups, 5, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    assert np.bincount(first).tolist() == pytest.approx([20] * 5, abs=5)


def test_what_cannot_be_divided_is_all_training():
    assert (group_folds(np.array([0, 0, 1]), np.zeros(3), 5, 0) == -1).all()
    assert (group_folds(np.arange(3), np.arange(3), 5, 0) == -1).all()
    assert not len(group_folds(np.array([], np.intp), np.array([]), 5, 0))


@pytest.mark.parametrize("seed", range(12))
def test_groups_are_spread_as_scikit_learn_does(seed):
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(seed)
    codes = np.unique(rng.choice(8, 120, p=rng.dirichlet(np.full(8, 0.5))), return_inverse=True)[1]
    groups = rng.integers(0, 30, 120) if seed % 2 else codes * 9 + rng.integers(0, 5, 120)
    n_folds = min(2 + seed % 4, int(np.bincount(codes).max()))
    expected = np.empty(120, int)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for k, (_, rows) in enumerate(splitter.split(codes, codes, groups)):
            expected[rows] = k
    fold = group_folds(codes, groups, n_folds, seed)
    kept = fold >= 0
    pairs = set(zip(fold[kept].tolist(), expected[kept].tolist(), strict=True))
    assert len(pairs) == len(np.unique(fold[kept])) == len(np.unique(expected[kept]))

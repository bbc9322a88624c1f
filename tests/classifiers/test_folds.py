from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fishembed.classifiers.folds import Folds

COUNTS = st.lists(st.integers(1, 9), min_size=2, max_size=6)


def _deal(counts, seed, groups=None):
    codes = np.repeat(np.arange(len(counts)), counts)
    rows = np.zeros((len(codes), 2), dtype=np.float32)
    random = np.random.RandomState(seed)
    return Folds.deal(rows, codes, len(counts), 5, random=random, groups=groups)


@given(COUNTS, st.integers(0, 1000))
def test_every_row_but_the_only_one_of_its_class_is_tested_after_training_on_others(counts, seed):
    folds = _deal(counts, seed)
    alone = np.array(counts)[folds.codes] == 1
    assert (folds.tested == ~alone).all()
    assert (folds.fold[alone] == -1).all()


@given(COUNTS, st.integers(0, 1000))
def test_a_class_is_dealt_evenly(counts, seed):
    folds = _deal(counts, seed)
    for code, count in enumerate(counts):
        if count > 1:
            dealt = np.bincount(folds.fold[folds.codes == code], minlength=folds.n_folds)
            assert dealt.max() - dealt.min() <= 1


@given(COUNTS, st.integers(0, 1000))
def test_a_group_is_never_split(counts, seed):
    groups = np.random.default_rng(seed).integers(0, 6, sum(counts))
    folds = _deal(counts, seed, groups)
    for group in np.unique(groups):
        assert len(np.unique(folds.fold[groups == group])) == 1


@given(COUNTS, st.integers(0, 1000), st.integers(1, 40))
def test_an_even_sample_keeps_rare_classes_and_changes_nothing_else(counts, seed, most):
    folds = _deal(counts, seed)
    thinned = folds.thinned(most, np.random.RandomState(seed), evenly=True)
    tested = np.bincount(folds.codes[folds.tested], minlength=folds.n_classes)
    kept = np.bincount(thinned.codes[thinned.tested], minlength=folds.n_classes)
    assert kept.sum() == min(most, tested.sum())
    assert (kept[kept < tested] >= kept.max() - 1).all()
    assert (thinned.trained(0)[1] == folds.trained(0)[1]).all()
    assert thinned.log_priors().shape == (folds.n_classes, kept.sum())

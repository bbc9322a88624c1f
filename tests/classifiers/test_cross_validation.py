from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.classifiers import GaussianHead
from fishembed.classifiers.cross_validation import Folds, aligned_logits, out_of_fold_logits

COUNTS = st.lists(st.integers(1, 9), min_size=2, max_size=6)


def _split(counts, seed, groups=None):
    codes = np.repeat(np.arange(len(counts)), counts)
    rows = np.zeros((len(codes), 2), dtype=np.float32)
    random = np.random.RandomState(seed)
    return Folds.split(rows, codes, len(counts), 5, random=random, groups=groups)


@given(COUNTS, st.integers(0, 1000))
def test_every_row_but_the_only_one_of_its_class_is_tested_after_training_on_others(counts, seed):
    folds = _split(counts, seed)
    alone = np.array(counts)[folds.codes] == 1
    assert (folds.evaluated == ~alone).all()
    assert (folds.fold[alone] == -1).all()


@given(COUNTS, st.integers(0, 1000))
def test_a_class_is_dealt_evenly(counts, seed):
    folds = _split(counts, seed)
    for code, count in enumerate(counts):
        if count > 1:
            dealt = np.bincount(folds.fold[folds.codes == code], minlength=folds.n_folds)
            assert dealt.max() - dealt.min() <= 1


@given(COUNTS, st.integers(0, 1000))
def test_a_group_is_never_split(counts, seed):
    groups = np.random.default_rng(seed).integers(0, 6, sum(counts))
    folds = _split(counts, seed, groups)
    for group in np.unique(groups):
        assert len(np.unique(folds.fold[groups == group])) == 1


@given(COUNTS, st.integers(0, 1000))
def test_every_class_is_trained_in_every_fold_of_groups(counts, seed):
    groups = np.random.default_rng(seed).integers(0, 6, sum(counts))
    folds = _split(counts, seed, groups)
    for k in range(folds.n_folds):
        assert set(folds.training(k)[1]) == set(range(folds.n_classes))
    assert (folds.evaluated == (folds.fold >= 0)).all()


def test_out_of_fold_logits_are_of_clones_that_saw_neither_row_nor_group():
    rng = np.random.default_rng(0)
    codes, groups = np.repeat([0, 1, 2], 8), np.arange(24) // 2
    rows = rng.normal(size=(24, 3)).astype(np.float32)
    folds = Folds.split(rows, codes, 3, 4, random=np.random.RandomState(0), groups=groups)
    names = np.array(["cod", "eel", "ray"])
    logits = out_of_fold_logits(GaussianHead(), folds, names)
    assert logits.shape == (3, 24)
    for k in range(folds.n_folds):
        held_out = folds.fold == k
        head = GaussianHead().fit(rows[~held_out], names[codes[~held_out]])
        assert logits[:, held_out] == pytest.approx(head.logits(rows[held_out]).T, rel=1e-4)
        assert not set(groups[held_out]) & set(groups[~held_out])


def test_a_class_that_a_classifier_does_not_know_lies_far_below():
    head = GaussianHead().fit([[0.0, 1.0], [1.0, 0.0]], ["cod", "ray"])
    logits = aligned_logits(head, [[0.2, 1.0]], np.array(["cod", "eel", "ray"]))
    assert logits[0, [0, 2]] == pytest.approx(head.logits([[0.2, 1.0]])[0])
    assert logits[0, 1] == pytest.approx(logits[0, [0, 2]].min() - 30)


@given(COUNTS, st.integers(0, 1000), st.integers(1, 40))
def test_an_even_sample_keeps_rare_classes_and_changes_nothing_else(counts, seed, most):
    folds = _split(counts, seed)
    sampled = folds.subsample(most, np.random.RandomState(seed), evenly=True)
    evaluated = np.bincount(folds.codes[folds.evaluated], minlength=folds.n_classes)
    kept = np.bincount(sampled.codes[sampled.evaluated], minlength=folds.n_classes)
    assert kept.sum() == min(most, evaluated.sum())
    assert (kept[kept < evaluated] >= kept.max() - 1).all()
    assert (sampled.training(0)[1] == folds.training(0)[1]).all()
    assert sampled.log_priors().shape == (folds.n_classes, kept.sum())

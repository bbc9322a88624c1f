from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from fishembed.classifiers import (
    AngularHead,
    AutoHead,
    GaussianHead,
    LogisticHead,
    PriorCorrectedClassifier,
    temperature_on,
)
from fishembed.classifiers.cross_validation import (
    Folds,
    HeldOutLogits,
    aligned_logits,
    out_of_fold_logits,
    refit,
)
from fishembed.classifiers.temperature import temperature_of

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


def blobs(n=240, dim=12, k=6, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(k, size=n)
    centres = np.random.default_rng(9).normal(size=(k, dim)) * 1.2
    return (centres[codes] + rng.normal(size=(n, dim))).astype(np.float32), codes


def test_a_head_that_was_chosen_by_them_is_fitted_no_more(monkeypatch):
    X, codes = blobs()
    head = AutoHead().fit(X, codes)
    monkeypatch.setattr(AutoHead, "refit", None)
    kept = HeldOutLogits.of(head, X, codes)
    assert kept is head.held_out_logits
    assert kept.rows.tolist() == list(range(240))
    assert temperature_of(kept, codes) == pytest.approx(1, rel=0.15), "the head's own scale"
    right = (kept.by_class.argmax(axis=0) == codes).mean()
    assert right == pytest.approx(head.results_[0].accuracy)


def test_it_had_not_learnt_from_the_row():
    """Rows whose labels are noise are called right no more often than chance."""
    X, codes = blobs()
    codes = np.random.default_rng(1).permutation(codes)
    for head in (AutoHead(), GaussianHead(0.1), LogisticHead(1000)):
        kept = HeldOutLogits.of(head.fit(X, codes), X, codes)
        right = (kept.by_class.argmax(axis=0) == codes[kept.rows]).mean()
        assert right < 0.3
        assert head.score(X, codes) > right + 0.1


def test_copies_and_pickles_carry_no_training_rows():
    X, codes = blobs()
    head = AutoHead().fit(X, codes)
    again = pickle.loads(pickle.dumps(head))
    assert again.held_out_logits is None
    assert np.array_equal(again.predict_proba(X), head.predict_proba(X))
    assert clone(head).held_out_logits is None


def test_validation_rows_are_no_training_rows():
    X, codes = blobs()
    head = AutoHead().fit(X[:160], codes[:160], X_val=X[160:], y_val=codes[160:])
    assert head.held_out_logits is None
    kept = HeldOutLogits.of(head, X[:160], codes[:160])
    assert len(kept.rows) == 160


@pytest.mark.parametrize(
    "head",
    [AngularHead(), LogisticHead(), GaussianHead(), PriorCorrectedClassifier(LogisticHead())],
)
def test_logits_are_those_of_clones_and_their_temperature_that_of_new_rows(head):
    X, codes = blobs()
    head = head.fit(X, codes)
    kept = HeldOutLogits.of(head, X, codes)
    out = kept.fold == 1
    fresh = clone(head).fit(X[~out], codes[~out]).logits(X[out])
    np.testing.assert_allclose(kept.by_class[:, out[kept.rows]].T, fresh, atol=0.03 * fresh.std())
    new = temperature_on(head, *blobs(2000, seed=5))
    assert temperature_of(kept, codes) == pytest.approx(new, rel=0.35)


def test_groups_share_a_fold():
    X, codes = blobs()
    groups = np.array([f"{c}-{i % 5}" for i, c in enumerate(codes)])
    kept = HeldOutLogits.of(GaussianHead().fit(X, codes), X, codes, groups)
    for group in np.unique(groups):
        assert len(np.unique(kept.fold[groups == group])) == 1


def test_a_clone_of_fewer_classes_keeps_their_text():
    X, codes = blobs()
    text = np.random.default_rng(9).normal(size=(6, 12))
    head = LogisticHead(text_features=text).fit(X, codes)
    some = codes % 2 == 0
    fewer = refit(head, X[some], codes[some])
    assert fewer.classes_.tolist() == [0, 2, 4]
    assert np.array_equal(fewer.text_features, text[::2])


def test_of_very_many_classes_a_sample_of_the_rows_is_held_out(monkeypatch):
    X, codes = blobs()
    monkeypatch.setattr("fishembed.classifiers.cross_validation.MOST_LOGITS", 6 * 60)
    kept = HeldOutLogits.of(GaussianHead().fit(X, codes), X, codes)
    assert kept.by_class.shape == (6, 60)
    assert len(set(kept.rows.tolist())) == 60
    fold = kept.fold[kept.rows[0]]
    fitted = GaussianHead().fit(X[kept.fold != fold], codes[kept.fold != fold])
    np.testing.assert_allclose(kept.by_class[:, 0], fitted.logits(X[kept.rows[:1]])[0], rtol=1e-4)

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from fishembed.classifiers import (
    AngularHead,
    AutoHead,
    GaussianHead,
    LogisticHead,
    PriorCorrectedClassifier,
    temperature_on,
)
from fishembed.classifiers.held_out_logits import HeldOutLogits, refit


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
    assert kept.temperature(codes) == pytest.approx(1, rel=0.15), "the head's own scale"
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
    assert kept.temperature(codes[:]) == pytest.approx(new, rel=0.35)


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
    monkeypatch.setattr("fishembed.classifiers.held_out_logits.MOST_LOGITS", 6 * 60)
    kept = HeldOutLogits.of(GaussianHead().fit(X, codes), X, codes)
    assert kept.by_class.shape == (6, 60)
    assert len(set(kept.rows.tolist())) == 60
    fold = kept.fold[kept.rows[0]]
    fitted = GaussianHead().fit(X[kept.fold != fold], codes[kept.fold != fold])
    np.testing.assert_allclose(kept.by_class[:, 0], fitted.logits(X[kept.rows[:1]])[0], rtol=1e-4)

from __future__ import annotations

import numpy as np
import pytest

from fishembed.evaluation.conformal import conformal_sets, conformal_threshold


def draw(rng, n, k=5):
    z = rng.normal(size=(n, k))
    y = rng.integers(0, k, n)
    z[np.arange(n), y] += 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return p, y


def test_sets_are_those_of_crepes():
    crepes = pytest.importorskip("crepes")
    rng = np.random.default_rng(0)
    p, y = draw(rng, 300)
    new, _ = draw(rng, 100)
    scores = 1 - p[np.arange(len(y)), y]
    classifier = crepes.ConformalClassifier().fit(scores)
    theirs = classifier.predict_set(1 - new, confidence=0.9, smoothing=False).astype(bool)
    ours = new >= 1 - conformal_threshold(scores, 0.9) - 1e-12
    assert np.array_equal(ours, theirs)


def test_coverage_is_what_was_asked_for():
    rng, shares = np.random.default_rng(1), []
    for _ in range(300):
        p, y = draw(rng, 100)
        new, true = draw(rng, 100)
        t = conformal_threshold(1 - p[np.arange(100), y], 0.95)
        shares.append(conformal_sets(new, t)[np.arange(100), true].mean())
    assert 0.94 <= np.mean(shares) <= 0.965


def test_groups_are_counted_as_groups():
    scores = np.arange(100) / 100
    alone = conformal_threshold(scores, 0.9)
    together = conformal_threshold(scores, 0.9, groups=np.arange(100) // 5)
    assert together > alone
    assert conformal_threshold(scores[:10], 0.95) == float("inf")


def test_weights_move_the_threshold_to_the_classes_that_weigh():
    scores, weights = np.r_[np.full(90, 0.1), np.full(10, 0.9)], np.r_[np.ones(90), np.full(10, 9)]
    assert conformal_threshold(scores, 0.85) == 0.1
    assert conformal_threshold(scores, 0.85, weights=weights) == 0.9


def test_no_set_is_empty():
    assert conformal_sets([[0.4, 0.35, 0.25]], 0.1).tolist() == [[True, False, False]]

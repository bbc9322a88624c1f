from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers import AutoHead, novelty
from fishembed.classifiers.novelty import (
    ClassDistances,
    KnownScores,
    Moments,
    Spread,
    indecision,
)


def blobs(n=60, dim=20, k=3, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % k
    centres = np.random.default_rng(99).normal(size=(k, dim)) * 3
    return (centres[codes] + rng.normal(size=(n, dim))).astype(np.float32), codes


def test_spread_inverts_the_shrunken_covariance():
    rows = np.random.default_rng(0).normal(size=(50, 6)) * [5, 3, 1, 1, 1, 0.2]
    covariance = rows.T @ rows / 50
    shrunken = 0.3 * covariance + 0.7 * np.trace(covariance) / 6 * np.eye(6)
    own = Spread.of(covariance)[0].squares(rows, np.zeros((1, 6)))[:, 0]
    expected = np.einsum("ij,jk,ik->i", rows, np.linalg.inv(shrunken), rows)
    assert own == pytest.approx(expected, rel=1e-4)


def test_rows_of_another_kind_are_farther():
    X, codes = blobs()
    distances = ClassDistances.fit(X, codes)
    new, _ = blobs(seed=1)
    other = np.random.default_rng(5).normal(size=(40, 20)) * 3
    assert (distances(other).min(axis=0) > np.median(distances(new), axis=0)).all()


def test_the_angle_is_the_whitened_cosine_as_seen_from_the_middle_of_the_means():
    X, codes = blobs()
    distances = ClassDistances.fit(X, codes)
    rows = X / np.linalg.norm(X, axis=1, keepdims=True)
    means = np.stack([rows[codes == c].mean(axis=0) for c in range(3)])
    away = rows - means[codes]
    covariance = away.T @ away / (len(rows) - 3)
    shrunken = 0.3 * covariance + 0.7 * np.trace(covariance) / 20 * np.eye(20)
    root = np.linalg.cholesky(np.linalg.inv(shrunken))
    new, _ = blobs(seed=1)
    new = new / np.linalg.norm(new, axis=1, keepdims=True)
    a, b = ((ends - means.mean(axis=0)) @ root for ends in (new, means))
    a, b = (ends / np.linalg.norm(ends, axis=1, keepdims=True) for ends in (a, b))
    np.testing.assert_allclose(distances(new)[:, 1], 1 - (a @ b.T).max(axis=1), atol=1e-3)


def test_the_angle_of_classes_that_coincide_is_finite():
    X = np.random.default_rng(0).normal(size=(20, 8))
    assert np.isfinite(ClassDistances.fit(np.concatenate([X, X]), np.repeat([0, 1], 20))(X)).all()
    assert np.isfinite(ClassDistances.fit(np.ones((6, 8)), np.arange(6) % 2)(X)).all()


def test_what_is_learnt_without_some_rows_is_what_the_others_teach():
    X, codes = blobs(n=120, k=4)
    moments = Moments.of(X, codes)
    whole, bases = moments.distances()
    new, _ = blobs(n=30, k=4, seed=3)
    np.testing.assert_allclose(whole(new), ClassDistances.fit(X, codes)(new), rtol=1e-5)
    for out in (np.arange(120) % 3 == 0, codes == 2):
        rest = np.unique(codes[~out], return_inverse=True)[1]
        alone = ClassDistances.fit(X[~out], rest)
        for known in (None, bases):
            without = moments.distances(out, known)[0]
            assert len(without.means) == len(alone.means)
            np.testing.assert_allclose(without(new), alone(new), rtol=1e-3, atol=1e-3)


def test_directions_sought_among_those_of_similar_rows_are_nearly_the_best(monkeypatch):
    monkeypatch.setattr(novelty, "_DIRECTIONS", 10)
    X, codes = blobs(n=300, dim=40)
    X *= np.linspace(3, 0.1, 40, dtype=np.float32)
    moments = Moments.of(X, codes)
    out = np.arange(300) % 3 == 0
    new, _ = blobs(n=50, dim=40, seed=3)
    new *= np.linspace(3, 0.1, 40, dtype=np.float32)
    near = moments.distances(out, moments.distances()[1])[0](new)
    best = moments.distances(out)[0](new)
    assert np.corrcoef(near, best)[0, 1] > 0.99
    assert np.abs(near - best).mean() < 0.1 * best.std()


def test_indecision_is_the_log_odds_against_the_best():
    p = np.array([[0.7, 0.2, 0.1], [0.98, 0.01, 0.01]])
    assert indecision(np.log(p)) == pytest.approx(np.log((1 - p[:, 0]) / p[:, 0]))


def test_at_most_the_stated_rate_of_known_images_is_sent_back():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        draw = rng.normal(size=(400, 3))
        known = KnownScores(draw[:200, 0], draw[:200, 1:])
        strange = known.strangeness(draw[200:, 0], draw[200:, 1:])
        shares.append((strange > known.threshold(0.05)).mean())
    assert 0.03 < np.mean(shares) < 0.065


def test_few_known_images_do_not_make_every_image_known():
    known = KnownScores(np.linspace(0, 1, 8), np.linspace(0, 1, 8))
    assert np.isfinite(known.threshold(0.05))
    assert known.strangeness(np.array([0.5]), np.array([50.0]))[0] > known.threshold(0.05)


def test_what_earlier_versions_kept_is_held_against_the_first_distance():
    rng = np.random.default_rng(0)
    undecided, distance = rng.normal(size=100), rng.normal(size=(100, 2))
    before, now = KnownScores(undecided, distance[:, 0]), KnownScores(undecided, distance[:, :1])
    assert before.threshold(0.05) == now.threshold(0.05)
    new = rng.normal(size=7), rng.normal(size=(7, 2))
    np.testing.assert_array_equal(before.strangeness(*new), now.strangeness(new[0], new[1][:, :1]))


def test_images_of_few_groups_make_the_threshold_wider():
    scores = np.linspace(0, 1, 60)
    alone = KnownScores(scores, scores).threshold(0.05)
    assert KnownScores(scores, scores, np.arange(60) // 3).threshold(0.05) >= alone


def test_the_chosen_model_is_fitted_to_fewer_classes():
    X, codes = blobs(n=90)
    head = AutoHead().fit(X, codes)
    again = head.refit(X, codes)
    assert np.array_equal(again.predict(X), head.predict(X))
    some = codes < 2
    assert head.refit(X[some], codes[some]).classes_.tolist() == [0, 1]

from __future__ import annotations

import numpy as np
import pytest
from make_run import make_run

from fishembed import Run
from fishembed._base.arrays import upper_quantile
from fishembed.evaluation.confidence import acceptance, conformal_sets, reliability, top_k_accuracy


def bins_of(confidence, right):
    right = np.array(right, dtype=bool)
    return reliability(np.array(confidence, dtype=float), right, np.ones(len(right), dtype=bool))


def test_error_is_the_weighted_distance_from_accuracy():
    bins = bins_of([0.95, 0.95, 0.55, 0.55], [True, False, True, True])
    assert bins.ece == pytest.approx((2 * abs(0.5 - 0.95) + 2 * abs(1 - 0.55)) / 4)
    assert bins.n.tolist() == [2, 2]
    assert (bins.low <= bins.accuracy).all()
    assert (bins.accuracy <= bins.high).all()


def test_believable_confidence_has_little_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(size=20_000)
    assert bins_of(confidence, rng.uniform(size=20_000) < confidence).ece < 0.02


@pytest.mark.parametrize("value", [0.0, 1.0, 1.0000001])
def test_constant_confidence(value):
    assert bins_of([value, value], [True, False]).n.tolist() == [2]


def test_no_confidence_no_bins():
    assert bins_of([np.nan], [True]) is None
    assert bins_of([], []) is None


def test_images_without_a_label_stay_out():
    right, labelled = np.array([True, False]), np.array([True, False])
    assert reliability(np.array([0.5, 0.5]), right, labelled).mean_accuracy == 1


def test_top_k_starts_at_the_accuracy_and_never_falls(tmp_path):
    run = Run.open(make_run(tmp_path / "run", skill=0.5))
    points = run.result.top_k
    assert [point.k for point in points] == [1, 2, 3, 4, 5]
    assert points[0].share == pytest.approx(run.metrics["accuracy"])
    assert points[4].share == pytest.approx(run.metrics["top5_accuracy"])
    assert np.all(np.diff([point.share for point in points]) >= 0)
    assert top_k_accuracy(np.array([], int), 5) == []


def made(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    sure = rng.random(n)
    return sure, rng.random(n) < sure


def test_every_threshold_counts_what_is_at_or_above_it():
    sure, right = made()
    found = acceptance(sure, right, np.ones(len(sure), bool))
    for i in (0, 37, 90, 99):
        at = sure >= i / 100
        assert found.n[i] == at.sum()
        assert found.accepted[i] == at.mean()
        assert found.right[i] == pytest.approx(right[at].mean())


def test_intervals_hold_the_share_and_widen_with_groups():
    sure, right = made()
    every = np.ones(len(sure), bool)
    alone = acceptance(sure, right, every)
    grouped = acceptance(sure, right, every, np.arange(len(sure)) // 50)
    for i in alone.rows:
        assert alone.low[i] <= alone.right[i] <= alone.high[i]
    same = np.repeat(right[::50], 50)
    whole = acceptance(sure, same, every, np.arange(len(sure)) // 50)
    single = acceptance(sure, same, every)
    assert whole.high[0] - whole.low[0] > 2 * (single.high[0] - single.low[0])
    assert grouped.total == alone.total == len(sure)


def test_the_lowest_threshold_for_a_share():
    sure = np.array([0.99, 0.95, 0.7, 0.2])
    right = np.array([True, True, False, False])
    found = acceptance(sure, right, np.ones(4, bool))
    assert found.lowest(1.0) == 71
    assert found.lowest(0.5) == 0
    assert acceptance(sure, np.zeros(4, bool), np.ones(4, bool)).lowest(0.5) is None


def test_images_without_a_label_or_a_confidence_count_nowhere():
    sure, right = np.array([0.9, np.nan, 0.8]), np.array([True, True, False])
    found = acceptance(sure, right, np.array([True, True, False]))
    assert (found.total, found.right[0]) == (1, 1.0)
    assert acceptance(np.full(3, np.nan), right, np.ones(3, bool)) is None


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
    ours = new >= 1 - upper_quantile(scores, 0.9) - 1e-12
    assert np.array_equal(ours, theirs)


def test_coverage_is_what_was_asked_for():
    rng, shares = np.random.default_rng(1), []
    for _ in range(300):
        p, y = draw(rng, 100)
        new, true = draw(rng, 100)
        t = upper_quantile(1 - p[np.arange(100), y], 0.95)
        shares.append(conformal_sets(new, t)[np.arange(100), true].mean())
    assert 0.94 <= np.mean(shares) <= 0.965


def test_groups_are_counted_as_groups():
    scores = np.arange(100) / 100
    alone = upper_quantile(scores, 0.9)
    together = upper_quantile(scores, 0.9, groups=np.arange(100) // 5)
    assert together > alone
    assert upper_quantile(scores[:10], 0.95) == float("inf")


def test_weights_move_the_threshold_to_the_classes_that_weigh():
    scores, weights = np.r_[np.full(90, 0.1), np.full(10, 0.9)], np.r_[np.ones(90), np.full(10, 9)]
    assert upper_quantile(scores, 0.85) == 0.1
    assert upper_quantile(scores, 0.85, weights=weights) == 0.9


def test_no_set_is_empty():
    assert conformal_sets([[0.4, 0.35, 0.25]], 0.1).tolist() == [[True, False, False]]

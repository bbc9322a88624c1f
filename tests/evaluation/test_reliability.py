from __future__ import annotations

import numpy as np
import pytest
from make_run import make_run

from fishembed import Run
from fishembed.evaluation.reliability import reliability, top_k_accuracy


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

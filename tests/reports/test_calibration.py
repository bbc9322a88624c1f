from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from make_run import make_run
from test_confusion import predictions

from fishembed.reports.calibration import reliability, top_k_accuracy
from fishembed.reports.outcome import read_outcome
from fishembed.reports.run import Run


def test_error_is_the_weighted_distance_from_accuracy():
    rows = replace(
        predictions([0, 0, 0, 0], [0, 1, 0, 0]), confidence=np.array([0.95, 0.95, 0.55, 0.55])
    )
    bins = reliability(rows)
    assert bins.ece == pytest.approx((2 * abs(0.5 - 0.95) + 2 * abs(1 - 0.55)) / 4)
    assert bins.n.tolist() == [2, 2]
    assert (bins.low <= bins.accuracy).all()
    assert (bins.accuracy <= bins.high).all()


def test_believable_confidence_has_little_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(size=20_000)
    called = np.where(rng.uniform(size=20_000) < confidence, 0, 1)
    rows = replace(predictions(np.zeros(20_000, dtype=int), called), confidence=confidence)
    assert reliability(rows).ece < 0.02


@pytest.mark.parametrize("value", [0.0, 1.0, 1.0000001])
def test_constant_confidence(value):
    rows = replace(predictions([0, 0], [0, 1]), confidence=np.full(2, value))
    assert reliability(rows).n.tolist() == [2]


def test_no_confidence_no_bins():
    assert reliability(predictions([0], [0])) is None
    assert reliability(predictions([], [])) is None


def test_top_k_starts_at_the_accuracy_and_never_falls(tmp_path):
    run = Run.open(make_run(tmp_path / "run", skill=0.5))
    points = top_k_accuracy(read_outcome(run))
    assert [k for k, *_ in points] == [1, 2, 3, 4, 5]
    assert points[0][1] == pytest.approx(run.metrics["accuracy"])
    assert points[4][1] == pytest.approx(run.metrics["top5_accuracy"])
    assert np.all(np.diff([share for _, share, _, _ in points]) >= 0)

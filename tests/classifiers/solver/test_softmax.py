"""The objective against finite differences, and chunk by chunk against in memory."""

from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers.chunked_rows import ChunkedRows
from fishembed.classifiers.solver.softmax import ChunkedRotated, Objective, Rotated

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 60)
X = RNG.normal(size=(60, 6)) + RNG.normal(size=(3, 6))[Y] + 2
WEIGHTS = RNG.uniform(0, 2, 60)


@pytest.mark.parametrize("penalty", [0.1, 2.0])
def test_the_gradient_is_the_slope_of_the_objective(penalty):
    objective = Objective(Rotated.of(X, WEIGHTS), Y, WEIGHTS, 3, penalty)
    point = RNG.normal(size=(3, 7))
    gradient = objective.evaluate(point)[1]
    step = 1e-6 * RNG.normal(size=point.shape)
    change = objective.evaluate(point + step)[0] - objective.evaluate(point - step)[0]
    assert change == pytest.approx((2 * gradient * step).sum(), rel=1e-5)


def test_logits_of_hundreds_do_not_overflow():
    objective = Objective(Rotated.of(X, np.ones(60)), Y, np.ones(60), 3, 0.0)
    value, gradient, _ = objective.evaluate(1e4 * RNG.normal(size=(3, 7)))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_the_start_is_the_log_prior_and_its_value_is_what_no_row_explains():
    objective = Objective(Rotated.of(X, WEIGHTS), Y, WEIGHTS, 4, 1.0)  # class 3 has no row
    start = objective.start()
    assert np.exp(start[:, -1]).sum() == pytest.approx(1)
    assert start[3, -1] == -30
    assert objective.evaluate(start)[0] == pytest.approx(objective.null_value())


def test_rotating_changes_no_logit():
    data = Rotated.of(X, WEIGHTS)
    point = RNG.normal(size=(3, 7))
    coef, intercept = data.unrotate(point)
    logits = data.rows @ point[:, :-1].T + point[:, -1]
    difference = X @ coef.T + intercept - logits
    assert difference == pytest.approx(np.repeat(difference[:, :1], 3, axis=1))


def test_chunks_give_the_sums_of_all_rows(monkeypatch):
    monkeypatch.setattr("fishembed.classifiers.chunked_rows.CHUNK", 16)
    rows = X.astype(np.float32)
    whole = Rotated.of(rows, WEIGHTS)
    chunked = ChunkedRotated.over(ChunkedRows(rows), WEIGHTS)
    assert chunked.variances == pytest.approx(whole.variances, rel=1e-3)
    coef = RNG.normal(size=(3, 6))
    values = []
    for data in (whole, chunked):  # signs of the directions are free: compare at one map
        point = np.concatenate([coef @ data.basis, np.zeros((3, 1))], axis=1)
        value, gradient, curvature = Objective(data, Y, WEIGHTS, 3, 0.5).evaluate(point)
        back = gradient[:, :-1] @ data.basis.T
        values.append((value, back, gradient[:, -1], curvature))
    for one, other in zip(*values, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-5)

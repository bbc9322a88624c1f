"""The minimiser on a quadratic, where every answer is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import LogisticHead, logistic_path
from fishembed.classifiers.solver.quasi_newton import Minimiser
from fishembed.errors import InputError

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=(3, 5))
HESSIAN = RNG.uniform(0.5, 3, size=(3, 5))


CS = (0.01, 1.0, 100.0, 10_000.0)


class Quadratic:
    """Half the weighted squared distance to `TARGET`, plus 1; counts its evaluations."""

    data = SimpleNamespace(variances=np.ones(4))
    penalty = 0.0

    def __init__(self) -> None:
        self.n = 0

    def evaluate(self, point):
        self.n += 1
        away = point - TARGET
        return 1 + 0.5 * float((HESSIAN * away**2).sum()), HESSIAN * away, np.ones(3)


def test_it_finds_the_minimum():
    minimiser = Minimiser(np.zeros((3, 5)), 0.0, null_value=10.0)
    minimiser.minimise(Quadratic(), 1e-14, 200)
    assert minimiser.point == pytest.approx(TARGET, abs=1e-5)
    assert minimiser.gap <= 1e-14
    assert not minimiser.stuck


def test_it_stops_after_the_steps_allowed():
    objective = Quadratic()
    minimiser = Minimiser(np.zeros((3, 5)), 0.0, null_value=10.0)
    minimiser.minimise(objective, 0.0, 2)
    assert minimiser.n_iter == 2
    assert minimiser.gap > 0
    assert objective.n >= 3


def test_a_step_that_went_too_far_is_shortened_and_not_taken():
    minimiser = Minimiser(np.zeros((3, 5)), 0.0, null_value=10.0)
    value, gradient, _ = Quadratic().evaluate(minimiser.trial())
    minimiser.accept(value, gradient, np.full((3, 5), 1e-3))  # a metric far too flat
    before = minimiser.point.copy()
    minimiser.accept(*Quadratic().evaluate(minimiser.trial())[:2], np.ones((3, 5)))
    assert (minimiser.point == before).all()
    assert minimiser.step < 1
    assert minimiser.n_iter == 0


def test_it_says_when_no_better_point_can_be_found():
    minimiser = Minimiser(np.zeros((3, 5)), 0.0, null_value=10.0)
    value, gradient, _ = Quadratic().evaluate(minimiser.trial())
    minimiser.accept(value, gradient, np.ones((3, 5)))
    while not minimiser.stuck:
        minimiser.accept(value + 1, gradient, np.ones((3, 5)))
    assert minimiser.step < 1e-4


def test_another_penalty_shifts_what_was_learnt_of_the_curvature():
    minimiser = Minimiser(np.zeros((3, 5)), 0.5, null_value=10.0)
    minimiser.minimise(Quadratic(), 1e-6, 5)
    again = minimiser.repenalised(2.0, minimiser.point)
    for (moved, change, _), (_, shifted, product) in zip(minimiser.pairs, again.pairs, strict=True):
        assert shifted[:, :-1] == pytest.approx(change[:, :-1] + 1.5 * moved[:, :-1])
        assert (shifted[:, -1] == change[:, -1]).all()  # the intercept is not penalised
        assert product == pytest.approx(np.vdot(moved, shifted))


def _rows(n: int = 400, dim: int = 20, n_classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, n)
    return rng.normal(size=(n, dim)) + 1.2 * rng.normal(size=(n_classes, dim))[y] + 2, y


def _objective(X, y, coef, intercept, C):
    logits = X @ coef.T.astype(float) + intercept
    top = logits.max(axis=1)
    loss = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits[np.arange(len(y)), y]
    return C * loss.sum() + 0.5 * (coef.astype(float) ** 2).sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_value_on_the_path_reaches_scikit_learns_optimum(dtype):
    X, y = _rows()
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    for C, head in zip(CS, logistic_path(X.astype(dtype), y, CS), strict=True):
        theirs = LogisticRegression(C=C, tol=1e-10, max_iter=50_000, solver="newton-cg").fit(X, y)
        best = _objective(X, y, theirs.coef_, theirs.intercept_, C)
        assert _objective(X, y, head.coef_, head.intercept_, C) <= best * (1 + 1e-6)
        assert np.mean(head.predict(X) == theirs.predict(X)) >= 0.999
        assert head.converged_
        assert head.gap_ <= 1e-7


def test_the_path_comes_in_the_order_asked_for():
    X, y = _rows()
    heads = logistic_path(X, y, (10.0, 0.1, 1.0))
    assert [head.C for head in heads] == [10.0, 0.1, 1.0]
    assert [head.classes_.tolist() for head in heads] == [[0, 1, 2, 3, 4]] * 3
    assert heads[2].predict_proba(X) == pytest.approx(
        LogisticHead(1.0).fit(X, y).predict_proba(X), abs=1e-3
    )


def test_bad_values_of_c_are_refused():
    X, y = _rows()
    with pytest.raises(InputError, match="Cs is empty"):
        logistic_path(X, y, [])
    with pytest.raises(InputError, match=r"C=-1\.0"):
        logistic_path(X, y, [1.0, -1.0])

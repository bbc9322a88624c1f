"""The minimiser on a quadratic, where every answer is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fishembed.classifiers.solver.quasi_newton import Minimiser

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=(3, 5))
HESSIAN = RNG.uniform(0.5, 3, size=(3, 5))


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

"""L-BFGS in the metric of the diagonal Hessian, along a path of C."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fishembed._base.arrays import Codes, Double, Floats
from fishembed.classifiers.solver.softmax import Objective, Rotated

_MEMORY = 10
_SUFFICIENT_DECREASE = 1e-4
_ROUNDING = 1e-7  # relative; below it the slope decides whether a step was good, not the value
_SHORTEN = 0.4
_SHORTEST = 1e-5
_LEAST_CURVATURE = 1e-7
_LEAST_EXPLAINED = 1e-4  # share of the value: rows without information need no steps to a gap of 0


Pair = tuple[Double, Double, float]  # a step, the change of gradient along it, their product


def _remember(pairs: deque[Pair], moved: Double, change: Double) -> None:
    product = float(np.vdot(moved, change))
    if product > 1e-12 * np.vdot(moved, moved):
        pairs.append((moved, change, product))


def _diagonal_hessian(curvature: Double, variances: Double, penalty: float) -> Double:
    """Return (n_classes, rank + 1), as if a row's probabilities did not depend on the row.

    The mean p (1 - p) of the class times the variance of the direction, plus the penalty: nearly
    all of the Hessian in the rotated basis.
    """
    values = np.maximum(curvature, _LEAST_CURVATURE)
    return np.concatenate([values[:, None] * variances + penalty, values[:, None]], axis=1)


@dataclass
class Minimiser:
    """State of a minimisation.

    Attributes
    ----------
    point, value, gradient
        The best point so far, and the objective and gradient there.
    penalty, null_value
        Of the objective.
    gap
        Estimate of how far `value` lies above the minimum: half the squared length of the
        gradient in the metric, over the value or over what the rows have explained of
        `null_value`, the smaller of the two. Under a strong penalty little is explained, and a
        share of the whole value would not measure the error of the weights.
    n_iter
        Accepted steps.
    stuck
        Whether rounding allows no better point.
    """

    point: Double
    penalty: float
    null_value: float
    pairs: deque[Pair] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    value: float = np.inf
    gap: float = np.inf
    n_iter: int = 0
    stuck: bool = False
    step: float = 1.0

    def __post_init__(self) -> None:
        self.gradient = np.zeros_like(self.point)
        self.direction = np.zeros_like(self.point)
        self.slope = 0.0

    def minimise(self, objective: Objective, tol: float, max_iter: int) -> None:
        """Step until ``gap <= tol``, `max_iter` steps, or rounding ends it.

        Notes
        -----
        Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization",
        algorithm 2.1, with the metric in place of a multiple of the identity; the acceptance of
        steps below rounding error: Hager and Zhang 2005, eq. 4.1.
        """
        while not (self.gap <= tol or self.stuck or self.n_iter >= max_iter):
            value, gradient, curvature = objective.evaluate(self.trial())
            hessian = _diagonal_hessian(curvature, objective.data.variances, objective.penalty)
            self.accept(value, gradient, hessian)

    def trial(self) -> Double:
        """Return the point to evaluate next."""
        return self.point + self.step * self.direction

    def accept(self, value: float, gradient: Double, hessian: Double) -> None:
        """Accept the value found at `trial`, or shorten the step."""
        if np.isfinite(self.value):
            if not self._good(value, gradient):
                self.step *= _SHORTEN
                self.stuck = self.step < _SHORTEST
                return
            moved, change = self.step * self.direction, gradient - self.gradient
            _remember(self.pairs, moved, change)
            self.point = self.point + moved
            self.n_iter += 1
        self.value, self.gradient = value, gradient
        newton = gradient / hessian
        explained = max(self.null_value - value, _LEAST_EXPLAINED * value)
        self.gap = float(0.5 * np.vdot(gradient, newton) / max(min(value, explained), 1e-300))
        self._aim(hessian, newton)

    def _good(self, value: float, gradient: Double) -> bool:
        if value <= self.value + _SUFFICIENT_DECREASE * self.step * self.slope:
            return True
        rounding = value <= self.value * (1 + _ROUNDING)
        return rounding and bool(np.vdot(gradient, self.direction) <= -0.8 * self.slope)

    def _aim(self, hessian: Double, newton: Double) -> None:
        self.step = 1.0
        self.direction = -self._two_loops(hessian, newton)
        self.slope = float(np.vdot(self.direction, self.gradient))
        if self.slope >= 0:  # rounding has spoilt the pairs
            self.pairs.clear()
            self.direction = -newton
            self.slope = float(np.vdot(self.direction, self.gradient))

    def _two_loops(self, hessian: Double, newton: Double) -> Double:
        if not self.pairs:
            return newton
        vector, factors = self.gradient, []
        for moved, change, product in reversed(self.pairs):
            factor = np.vdot(moved, vector) / product
            vector = vector - factor * change
            factors.append(factor)
        _, change, product = self.pairs[-1]
        vector = product / np.vdot(change, change / hessian) * (vector / hessian)
        for (moved, change, product), factor in zip(self.pairs, reversed(factors), strict=True):
            vector = vector + moved * (factor - np.vdot(change, vector) / product)
        return vector

    def repenalised(self, penalty: float, point: Double) -> Minimiser:
        """Return a start at `point` under another penalty with the curvature learnt so far.

        The objective changes by a known quadratic, so what was learnt stays exact.
        """
        pairs: deque[Pair] = deque(maxlen=_MEMORY)
        for moved, change, _ in self.pairs:
            shifted = change.copy()
            shifted[:, :-1] += (penalty - self.penalty) * moved[:, :-1]
            _remember(pairs, moved, shifted)
        return Minimiser(point, penalty, self.null_value, pairs)


@dataclass(frozen=True)
class Optimum:
    """Solution at one C."""

    # (n_classes, rank + 1) in rotated coordinates, the last column the intercept
    parameters: Double
    gap: float  # Estimated distance from the minimum, relative; see `Minimiser`
    n_iter: int  # Steps from the start, which was the neighbour's solution
    converged: bool  # Whether `gap` came below the tolerance, or rounding allows no more


def solve_path(
    data: Rotated,
    codes: Codes,
    weights: Double,
    n_classes: int,
    Cs: Sequence[float],
    *,
    tol: float,
    max_iter: int,
    around: Floats | None = None,
) -> Iterator[Optimum]:
    """Yield the solution for every C, in the order of `Cs`: best ascending, scikit-learn's scale.

    A solution has converged at the relative gap `tol`, and is given up after `max_iter` steps. The
    weights `around`, (n_classes, dim) of the original rows, are added to the solution, which alone
    is penalised; None for zero.
    """
    origin = None if around is None else data.rotate(around)
    # two rows W = (-w/2, w/2) have half the square of one row w: twice the penalty makes it one
    factor = 2.0 if n_classes == 2 else 1.0
    minimiser: Minimiser | None = None
    before: Double | None = None
    for C in Cs:
        penalty = factor / (C * weights.sum())
        objective = Objective(data, codes, weights, n_classes, penalty, origin)
        if minimiser is None:
            minimiser = Minimiser(objective.start(), objective.penalty, objective.null_value())
        else:  # extrapolating two solutions takes a third fewer passes than starting from the last
            point = minimiser.point
            target = point if before is None else 2 * point - before
            minimiser, before = minimiser.repenalised(objective.penalty, target), point
        minimiser.minimise(objective, tol, max_iter)
        converged = minimiser.gap <= tol or minimiser.stuck
        yield Optimum(minimiser.point, minimiser.gap, minimiser.n_iter, converged)

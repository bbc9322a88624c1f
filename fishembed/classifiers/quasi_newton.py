"""Minimise many softmax problems at once: L-BFGS in the metric of the diagonal Hessian."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from fishembed.classifiers.softmax import Double, Problems

_MEMORY = 10
_SUFFICIENT_DECREASE = 1e-4
_ROUNDING = 1e-7  # relative; below it the slope decides whether a step was good, not the value
_SHORTEN = 0.4
_SHORTEST = 1e-5
_LEAST_CURVATURE = 1e-7
_LEAST_EXPLAINED = 1e-4  # share of the value; rows that say nothing must not be solved to nothing


Pair = tuple[Double, Double, float]  # a step, the change of gradient along it, their product


def _remember(pairs: deque[Pair], moved: Double, change: Double) -> None:
    product = float(np.vdot(moved, change))
    if product > 1e-12 * np.vdot(moved, moved):
        pairs.append((moved, change, product))


@dataclass(frozen=True)
class Metric:
    """The Hessian as if a row's probabilities did not depend on the row.

    Its diagonal, which is nearly all of it in the rotated basis: the mean of p (1 - p) of the
    class times the variance of the direction, plus the penalty.
    """

    diagonal: Double

    @classmethod
    def of(cls, curvature: Double, variances: Double, penalty: float) -> Metric:
        """Build it from the mean p (1 - p) of every class and the variances of the rows."""
        values = np.maximum(curvature, _LEAST_CURVATURE)
        weights = values[:, None] * variances + penalty
        return cls(np.concatenate([weights, values[:, None]], axis=1))

    def solve(self, gradient: Double) -> Double:
        """Multiply with the inverse."""
        step: Double = gradient / self.diagonal
        return step


@dataclass
class Minimiser:
    """One problem on its way down.

    Attributes
    ----------
    point, value, gradient
        The best point so far, and the mean objective and gradient there.
    gap
        Estimate of how far `value` lies above the minimum: half the squared length of the
        gradient in the metric, over the value or over what the rows have explained of
        `null_value`, the smaller of the two. Under a strong penalty little is explained, and a
        share of the whole value would say nothing about the weights.
    n_iter
        Accepted steps.
    converged
        Whether `gap` came below the tolerance.
    """

    point: Double
    penalty: float
    null_value: float
    pairs: deque[Pair] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    value: float = np.inf
    gap: float = np.inf
    n_iter: int = 0
    converged: bool = False
    stuck: bool = False
    step: float = 1.0

    def __post_init__(self) -> None:
        self.gradient = np.zeros_like(self.point)
        self.direction = np.zeros_like(self.point)
        self.slope = 0.0

    def trial(self) -> Double:
        """Point to evaluate next."""
        return self.point + self.step * self.direction

    def take(self, value: float, gradient: Double, metric: Metric) -> None:
        """Accept what was found at `trial`, or shorten the step."""
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
        newton = metric.solve(gradient)
        explained = max(self.null_value - value, _LEAST_EXPLAINED * value)
        self.gap = float(0.5 * np.vdot(gradient, newton) / max(min(value, explained), 1e-300))
        self._aim(metric, newton)

    def _good(self, value: float, gradient: Double) -> bool:
        if value <= self.value + _SUFFICIENT_DECREASE * self.step * self.slope:
            return True
        rounding = value <= self.value * (1 + _ROUNDING)
        return rounding and bool(np.vdot(gradient, self.direction) <= -0.8 * self.slope)

    def _aim(self, metric: Metric, newton: Double) -> None:
        self.step = 1.0
        self.direction = -self._two_loops(metric, newton)
        self.slope = float(np.vdot(self.direction, self.gradient))
        if self.slope >= 0:  # rounding has spoilt the pairs
            self.pairs.clear()
            self.direction = -newton
            self.slope = float(np.vdot(self.direction, self.gradient))

    def _two_loops(self, metric: Metric, newton: Double) -> Double:
        if not self.pairs:
            return newton
        vector, factors = self.gradient, []
        for moved, change, product in reversed(self.pairs):
            factor = np.vdot(moved, vector) / product
            vector = vector - factor * change
            factors.append(factor)
        _, change, product = self.pairs[-1]
        scale = product / np.vdot(change, metric.solve(change))
        vector = scale * metric.solve(vector)
        for (moved, change, product), factor in zip(self.pairs, reversed(factors), strict=True):
            vector = vector + moved * (factor - np.vdot(change, vector) / product)
        return vector

    def repenalised(self, penalty: float, point: Double) -> Minimiser:
        """Start at `point` under another penalty with the curvature learnt so far.

        The objective changes by a known quadratic, so what was learnt stays exact.
        """
        pairs: deque[Pair] = deque(maxlen=_MEMORY)
        for moved, change, _ in self.pairs:
            shifted = change.copy()
            shifted[:, :-1] += (penalty - self.penalty) * moved[:, :-1]
            _remember(pairs, moved, shifted)
        return Minimiser(point, penalty, self.null_value, pairs)


def minimise(problems: Problems, minimisers: list[Minimiser], tol: float, max_iter: int) -> None:
    """Bring every minimiser to ``gap <= tol``, or to `max_iter` steps.

    Every pass over the rows serves all problems that are still running.

    Notes
    -----
    Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization",
    algorithm 2.1, with the metric in place of a multiple of the identity; the acceptance of
    steps below rounding error: Hager and Zhang 2005, eq. 4.1.
    """
    while running := [
        k for k, m in enumerate(minimisers) if not (m.converged or m.stuck or m.n_iter >= max_iter)
    ]:
        found = problems.subset(running).evaluate(
            np.stack([minimisers[k].trial() for k in running])
        )
        for row, k in enumerate(running):
            minimiser = minimisers[k]
            metric = Metric.of(found.curvature[row], problems.data.variances, problems.penalties[k])
            minimiser.take(float(found.value[row]), found.gradient[row], metric)
            minimiser.converged = minimiser.gap <= tol

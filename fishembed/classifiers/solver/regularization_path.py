"""Multinomial logistic regression along a path of C, each value started from its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fishembed.classifiers.base import Codes, Floats
from fishembed.classifiers.solver.quasi_newton import Minimiser
from fishembed.classifiers.solver.softmax import Double, Objective, Rotated


@dataclass(frozen=True)
class Optimum:
    """Solution at one C.

    Attributes
    ----------
    parameters
        (n_classes, rank + 1) in rotated coordinates, the last column the intercept.
    gap
        Estimated distance from the minimum, relative; see `Minimiser`.
    n_iter
        Steps from the start, which was the neighbour's solution.
    converged
        Whether `gap` came below the tolerance, or rounding allows no more.
    """

    parameters: Double
    gap: float
    n_iter: int
    converged: bool


@dataclass(frozen=True)
class Limits:
    """Limits at which a fit stops.

    Attributes
    ----------
    tol, max_iter
        Relative gap at which a solution has converged, and steps after which it is given up.
    """

    tol: float
    max_iter: int


def solve_path(
    data: Rotated,
    codes: Codes,
    weights: Double,
    n_classes: int,
    Cs: Sequence[float],
    *,
    limits: Limits,
    around: Floats | None = None,
) -> Iterator[Optimum]:
    """Yield the solution for every C, in the order of `Cs`.

    Parameters
    ----------
    data
        Rotated rows.
    codes, weights
        (n,) class and weight of every row.
    n_classes
        Number of classes.
    Cs
        Inverse penalties, best ascending; scikit-learn's scale.
    limits
        When to stop at each of them.
    around
        (n_classes, dim) weights of the original rows that are added to the solution, which alone
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
        minimiser.minimise(objective, limits.tol, limits.max_iter)
        converged = minimiser.gap <= limits.tol or minimiser.stuck
        yield Optimum(minimiser.point, minimiser.gap, minimiser.n_iter, converged)

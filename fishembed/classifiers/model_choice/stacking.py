"""Weights of models in a sum of their logits, by the log loss of rows they have not learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fishembed._base.arrays import Codes, Double, Floats

MOST_TAU = 1.5
"""Share of the log class prior that is subtracted at most."""

_RIDGE = 0.01  # nats for a weight of 1: near copies share a weight rather than trade it at random
_LOGITS = 1_000_000  # of a model; some forty numbers are learnt from them
_STEPS, _SWEEPS, _HALVINGS = 50, 500, 30
_TOLERANCE = 1e-7  # nats that a further step may gain, and weight that a further sweep may move
_NEGLIGIBLE = 1e-3  # of all weight


@dataclass(frozen=True)
class StackedWeights:
    """Factors on scaled logits, and the share of the log prior that is subtracted."""

    models: Double
    tau: float


def stack(
    logits: Sequence[Floats],
    scales: Sequence[float],
    log_priors: Floats,
    codes: Codes,
    row_weights: Double,
) -> StackedWeights | None:
    """Weigh models so that their summed logits have the least log loss.

    No weight is negative, and a small square penalty makes the optimum one point, which moves
    little where the logits do. It is found by Newton steps within the bounds. Where logits are
    many, every so many of the rows are used.

    Parameters
    ----------
    logits
        float32 (n_classes, n) of every model, of rows it has not learnt from.
    scales
        Factor on each model's logits, so that all are calibrated before they are weighed.
    log_priors
        (n_classes, n) log shares of the classes among the rows that each row's models learnt from.
    codes
        (n,) true class.
    row_weights
        (n,) weight of every row in the loss.

    Returns
    -------
    StackedWeights or None
        None where no weight is above 0: the models are no better than none.

    Notes
    -----
    Wolpert 1992, "Stacked generalization"; with weights that are not negative: Breiman 1996,
    "Stacked regressions".
    """
    every = -(-log_priors.size // _LOGITS)
    features = np.stack([*(one[:, ::every] for one in logits), -log_priors[:, ::every]])
    features *= np.append(scales, 1.0).astype(np.float32)[:, None, None]
    mass = row_weights[::every] / row_weights[::every].sum()
    values = _minimise(_Problem(features, codes[::every], mass))
    weights, tau = values[:-1], float(values[-1])
    weights = np.where(weights > _NEGLIGIBLE * weights.sum(), weights, 0.0)
    return StackedWeights(weights, tau) if weights.any() else None


@dataclass(frozen=True)
class _Problem:
    """Mean log loss of a weighted sum of features, and the penalty on all weights but the last."""

    features: Floats  # float32 (n_features, n_classes, n)
    # codes, mass: (n,) true class, and weight of each row; the weights sum to 1
    codes: Codes
    mass: Double

    @property
    def penalty(self) -> Double:
        """(n_features,) weight of each square."""
        return np.append(np.full(len(self.features) - 1, _RIDGE), 0.0)

    @property
    def bounds(self) -> Double:
        """(n_features,) upper bound of each weight."""
        return np.append(np.full(len(self.features) - 1, np.inf), MOST_TAU)

    def value(self, values: Double) -> tuple[float, Floats]:
        """Return the objective, and float32 (n_classes, n) probabilities."""
        z = np.tensordot(values.astype(np.float32), self.features, 1)
        z -= z.max(axis=0)
        own = z[self.codes, np.arange(len(self.codes))].astype(np.float64)
        odds = np.exp(z, out=z)
        total = odds.sum(axis=0, dtype=np.float64)
        loss = float(self.mass @ (np.log(total) - own)) + float(self.penalty @ values**2)
        return loss, odds / total.astype(np.float32)

    def derivatives(self, values: Double, p: Floats) -> tuple[Double, Double]:
        """Return gradient (n_features,) and Hessian where the probabilities are `p`."""
        n_features, n_classes, n = self.features.shape
        mass = self.mass.astype(np.float32)
        means = np.zeros((n_features, n), np.float32)
        own = self.features[:, self.codes, np.arange(n)]
        hessian = np.zeros((n_features, n_features))
        for code in range(n_classes):
            means += self.features[:, code] * p[code]
        for code in range(n_classes):  # around the means, so that rounding leaves no negative one
            centred = self.features[:, code] - means
            hessian += (centred * (p[code] * mass)) @ centred.T
        gradient = (means - own).astype(np.float64) @ self.mass + 2 * self.penalty * values
        return gradient, hessian + np.diag(2 * self.penalty)


def _minimise(problem: _Problem) -> Double:
    n_models = len(problem.features) - 1
    values = np.append(np.full(n_models, 1 / n_models), 0.5)
    loss, p = problem.value(values)
    for _ in range(_STEPS):
        gradient, hessian = problem.derivatives(values, p)
        step = _bounded_step(gradient, hessian, values, problem.bounds)
        slope = float(gradient @ step)
        if slope > -_TOLERANCE:
            break
        share = 1.0
        for _ in range(_HALVINGS):
            new_loss, p = problem.value(values + share * step)
            if new_loss <= loss + 1e-4 * share * slope:
                break
            share /= 2
        else:  # rounding allows no more
            break
        values, loss = values + share * step, new_loss
    return values


def _bounded_step(gradient: Double, hessian: Double, values: Double, most: Double) -> Double:
    """Return the step to the least of the quadratic model within the bounds, by coordinates."""
    step = np.zeros_like(values)
    slopes = gradient.copy()
    # What float32 sums leave uncertain is added, so that no direction curves downwards.
    hessian = hessian + np.diag(np.full(len(values), 1e-6 * hessian.diagonal().max() + 1e-12))
    curvatures = hessian.diagonal()
    for _ in range(_SWEEPS):
        moved = 0.0
        for k in range(len(values)):
            goal = min(max(values[k] + step[k] - slopes[k] / curvatures[k], 0.0), most[k])
            change = goal - values[k] - step[k]
            if change:
                step[k] += change
                slopes += change * hessian[k]
                moved = max(moved, abs(change))
        if moved < _TOLERANCE:
            break
    return step

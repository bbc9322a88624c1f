"""Softmax cross-entropy of many linear maps over the same rows, with gradient and curvature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from fishembed.classifiers.base import Floats

Double = npt.NDArray[np.float64]

NUMBERS_AT_ONCE = 131_072  # of logits: measured, between cache misses and calls
_NEGLIGIBLE = 1e-12  # share of the largest variance below which a direction is rounding noise


@dataclass(frozen=True)
class Rotated:
    """Rows in the basis of their own principal directions, where the Hessian is near diagonal.

    An unpenalised intercept takes up the shift and the penalty does not change under rotation,
    so a penalised linear map has the same optimum in these coordinates.

    Attributes
    ----------
    rows
        (n, rank) in the dtype of the original.
    mean, basis
        (dim,) and (dim, rank): ``rows = (X - mean) @ basis``.
    variances
        float64 (rank,), ascending: weighted mean square of every column of `rows`.
    """

    rows: Floats
    mean: Floats
    basis: Floats
    variances: Double

    @classmethod
    def of(cls, X: Floats, weights: Double) -> Rotated:
        """Rotate `X`, (n, dim), to the principal directions of the weighted rows."""
        mean = weights.astype(X.dtype) @ X / X.dtype.type(weights.sum())  # need not be exact
        centred = X - mean
        variances, basis = principal_directions(
            _second_moments(centred, weights) / weights.sum(), int(np.count_nonzero(weights))
        )
        basis = np.ascontiguousarray(basis, dtype=X.dtype)
        return cls(centred @ basis, mean, basis, variances)

    def problems(
        self, codes: npt.NDArray[np.intp], weights: Double, offsets: Double, penalties: Double
    ) -> Problems:
        """Give the problems over these rows."""
        return Problems(self, codes, weights, offsets, penalties)

    def unrotate(self, parameters: Double) -> tuple[Floats, Floats]:
        """Turn (n_classes, rank + 1) parameters into weights and bias for the original rows."""
        coef = parameters[:, :-1] @ self.basis.T.astype(np.float64)
        intercept = parameters[:, -1] - coef @ self.mean.astype(np.float64)
        dtype = self.rows.dtype
        return coef.astype(dtype), (intercept - intercept.mean()).astype(dtype)


def principal_directions(covariance: Double, n_rows: int) -> tuple[Double, Double]:
    """Give the variances, ascending, and directions that `n_rows` rows can tell from rounding."""
    variances, basis = np.linalg.eigh(covariance)
    # a rounding error must not become a direction, so no more than the n - 1 there can be
    kept = variances > variances[-1] * _NEGLIGIBLE
    kept[: max(0, len(covariance) - n_rows + 1)] = False
    if not kept.any():  # all rows are the same
        kept[-1] = True
    return np.maximum(variances[kept], 1e-30), basis[:, kept]


def _second_moments(rows: Floats, weights: Double) -> Double:
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), 1024):
        block = rows[start : start + 1024].astype(np.float64, copy=False)
        total += (block * weights[start : start + 1024, None]).T @ block
    return total


@dataclass(frozen=True)
class Evaluation:
    """Mean objective of every problem at its own point.

    Attributes
    ----------
    value
        (n_problems,).
    gradient
        (n_problems, n_classes, rank + 1), the last column the intercept's.
    curvature
        (n_problems, n_classes): mean of p (1 - p) over the rows.
    """

    value: Double
    gradient: Double
    curvature: Double


@dataclass(frozen=True)
class Problems:
    """Penalised multinomial regressions that differ in penalty, row weights and offsets only.

    The objective of one is ``sum_i w_i CE(softmax(W x_i + b + offset), y_i) / S +
    penalty / 2 |W|^2`` with S the sum of its weights.

    Attributes
    ----------
    data
        The rows.
    codes
        (n,) class of every row.
    weights
        (n_problems, n).
    offsets
        (n_problems, n_classes), added to the logits.
    penalties
        (n_problems,).
    """

    data: Rotated
    codes: npt.NDArray[np.intp]
    weights: Double
    offsets: Double
    penalties: Double

    def __len__(self) -> int:
        return len(self.penalties)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.offsets.shape[1])

    def subset(self, which: Sequence[int]) -> Problems:
        """Keep some of the problems."""
        index = list(which)
        return replace(
            self,
            weights=self.weights[index],
            offsets=self.offsets[index],
            penalties=self.penalties[index],
        )

    def null_values(self) -> Double:
        """(n_problems,) objective of the log priors alone: what there is to be explained."""
        values = np.zeros(len(self))
        for k, weights in enumerate(self.weights):
            share = np.bincount(self.codes, weights, self.n_classes) / weights.sum()
            values[k] = -xlogy(share, share).sum()
        return values

    def start(self) -> Double:
        """Zero weights and the log priors as intercepts, (n_problems, n_classes, rank + 1)."""
        points = np.zeros((len(self), self.n_classes, self.data.rows.shape[1] + 1))
        for point, weights, offset in zip(points, self.weights, self.offsets, strict=True):
            mass = np.bincount(self.codes, weights, self.n_classes)
            # a class without rows has its optimum at minus infinity; e^-30 is as good as 0
            log_prior = np.full(self.n_classes, -30.0)
            np.log(mass / mass.sum(), out=log_prior, where=mass > 0)
            point[:, -1] = log_prior - offset
        return points

    def evaluate(self, points: Double) -> Evaluation:
        """Go through the rows once for all problems, one wide matrix product for all of them.

        Parameters
        ----------
        points
            (n_problems, n_classes, rank + 1).
        """
        rows, dtype = self.data.rows, self.data.rows.dtype
        n_problems, n_classes, width = points.shape
        wide = points.reshape(-1, width)
        maps = np.ascontiguousarray(wide[:, :-1], dtype=dtype)
        shifts = (wide[:, -1] + self.offsets.ravel()).astype(dtype)[:, None]
        totals = Totals(n_problems, n_classes, width)
        step = max(64, NUMBERS_AT_ONCE // len(wide))
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            logits = maps @ rows[block].T
            logits += shifts
            totals.add(
                logits.reshape(n_problems, n_classes, -1),
                rows[block],
                self.codes[block],
                self.weights[:, block],
            )
        return totals.evaluation(points, self.weights.sum(axis=1), self.penalties)


class Totals:
    """Running sums over blocks of rows, in float64 whatever the dtype of a block."""

    def __init__(self, n_problems: int, n_classes: int, width: int) -> None:
        self.loss = np.zeros(n_problems)
        self.gradient = np.zeros((n_problems, n_classes, width))
        self.curvature = np.zeros((n_problems, n_classes))

    def add(
        self, logits: Floats, rows: Floats, codes: npt.NDArray[np.intp], weights: Double
    ) -> None:
        """Add one block; `logits` (n_problems, n_classes, n_block) are overwritten."""
        at = np.arange(logits.shape[2])
        logits -= logits.max(axis=1, keepdims=True)
        own_logits = logits[:, codes, at].astype(np.float64)
        odds = np.exp(logits, out=logits)
        own = odds[:, codes, at]
        odds[:, codes, at] = 0
        # the sum over the other classes alone: near 0 it would drown in 1 + others
        others = odds.sum(axis=1)
        log_odds = np.log(np.maximum(others.astype(np.float64), 1e-300)) - own_logits
        self.loss += (np.logaddexp(0, log_odds) * weights).sum(axis=1)
        total = own + others
        odds /= total[:, None]
        odds[:, codes, at] = -others / total  # p - 1 of the true class, without its rounding
        absolute = np.abs(odds)
        weighted = weights.astype(odds.dtype)
        # p (1 - p) is the same for p and 1 - p
        spread = ((absolute - absolute * absolute) @ weighted[:, :, None])[:, :, 0]
        self.curvature += spread
        odds *= weighted[:, None]
        self.gradient[:, :, -1] += odds.sum(axis=2, dtype=np.float64)
        n_problems, n_classes, n_rows = odds.shape
        products = odds.reshape(-1, n_rows) @ rows
        self.gradient[:, :, :-1] += products.reshape(n_problems, n_classes, -1)

    def include(self, other: Totals) -> None:
        """Add the sums of other blocks."""
        self.loss += other.loss
        self.gradient += other.gradient
        self.curvature += other.curvature

    def evaluation(self, points: Double, mass: Double, penalties: Double) -> Evaluation:
        """Turn the sums into the mean objective, its gradient and curvature."""
        weights = points[:, :, :-1]
        square: Any = np.einsum("pkr,pkr->p", weights, weights)
        gradient = self.gradient / mass[:, None, None]
        gradient[:, :, :-1] += penalties[:, None, None] * weights
        return Evaluation(
            self.loss / mass + penalties / 2 * square,
            gradient,
            self.curvature / mass[:, None],
        )

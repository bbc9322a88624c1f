"""Penalised softmax cross-entropy of a linear map, with gradient and curvature.

Rows that do not fit into memory stay as they are: a point in rotated coordinates is turned into a
map of the original ones before a pass, and the gradient back after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import xlogy

from fishembed._base.arrays import Codes, Double, Floats
from fishembed.classifiers.chunked_rows import ChunkedRows, prefetch

_LOGITS_AT_ONCE = 131_072  # measured, between cache misses and calls
_NEGLIGIBLE = 1e-12  # share of the largest variance below which a direction is rounding noise


_THREADS = 2  # chunks at once; sums are added in the order of the rows all the same


@dataclass(frozen=True)
class Rotated:
    """Rows in the basis of their own principal directions, where the Hessian is near diagonal.

    An unpenalised intercept absorbs the shift and the penalty does not change under rotation,
    so a penalised linear map has the same optimum in these coordinates.
    """

    rows: Floats  # (n, rank) in the dtype of the original
    # mean, basis: (dim,) and (dim, rank): ``rows = (X - mean) @ basis``
    mean: Floats
    basis: Floats
    variances: Double  # float64 (rank,), ascending: weighted mean square of every column of `rows`

    @classmethod
    def of(cls, X: Floats, weights: Double, *, centred: bool = True) -> Rotated:
        """Rotate `X`, (n, dim), to the principal directions of the weighted rows.

        Not `centred`, for a map without a free intercept, the mean counts as a direction.
        """
        rank, mean = int(np.count_nonzero(weights)), np.zeros(X.shape[1], X.dtype)
        if centred:
            mean = weights.astype(X.dtype) @ X / X.dtype.type(weights.sum())  # need not be exact
            rank -= 1
        centred_rows = X - mean
        moments = _second_moments(centred_rows, weights) / weights.sum()
        variances, basis = principal_directions(moments, rank)
        basis = np.ascontiguousarray(basis, dtype=X.dtype)
        return cls(centred_rows @ basis, mean, basis, variances)

    def sums(self, point: Double, codes: Codes, weights: Double) -> Sums:
        """Sum loss, gradient and curvature at `point`, (n_classes, rank + 1), over the rows."""
        dtype = self.rows.dtype
        coef = np.ascontiguousarray(point[:, :-1], dtype=dtype)
        sums = Sums(*point.shape)
        sums.add_rows(coef, point[:, -1].astype(dtype), self.rows, codes, weights)
        return sums

    def rotate(self, coef: Floats) -> Double:
        """Turn weights (n_classes, dim) of the original rows into (n_classes, rank + 1)."""
        weights = coef.astype(np.float64)
        shifts = weights @ self.mean.astype(np.float64)
        return np.concatenate([weights @ self.basis.astype(np.float64), shifts[:, None]], axis=1)

    def unrotate(self, parameters: Double) -> tuple[Floats, Floats]:
        """Turn (n_classes, rank + 1) parameters into weights and bias for the original rows."""
        coef = parameters[:, :-1] @ self.basis.T.astype(np.float64)
        intercept = parameters[:, -1] - coef @ self.mean.astype(np.float64)
        dtype = self.rows.dtype
        return coef.astype(dtype), (intercept - intercept.mean()).astype(dtype)


def rotated(rows: Floats | ChunkedRows, weights: Double, *, centred: bool = True) -> Rotated:
    """Rotate rows in memory, or those that are read chunk by chunk; see `Rotated.of`."""
    if isinstance(rows, ChunkedRows):
        return ChunkedRotated.over(rows, weights, centred=centred)
    return Rotated.of(rows, weights, centred=centred)


def principal_directions(covariance: Double, rank: int) -> tuple[Double, Double]:
    """Return the variances, ascending, and directions that exceed rounding, at most `rank`."""
    variances, basis = np.linalg.eigh(covariance)
    # a rounding error must not become a direction, so no more than there can be
    large = variances > variances[-1] * _NEGLIGIBLE
    large[: max(0, len(covariance) - rank)] = False
    if not large.any():  # all rows are the same
        large[-1] = True
    return np.maximum(variances[large], 1e-30), basis[:, large]


def _second_moments(rows: Floats, weights: Double) -> Double:
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), 1024):
        block = rows[start : start + 1024].astype(np.float64, copy=False)
        total += (block * weights[start : start + 1024, None]).T @ block
    return total


class Sums:
    """Running sums over rows, in float64 whatever their dtype."""

    def __init__(self, n_classes: int, width: int) -> None:
        self.loss = 0.0  # cross-entropy
        self.gradient = np.zeros((n_classes, width))  # the last column the intercept's
        self.curvature = np.zeros(n_classes)  # p (1 - p)

    def add_rows(
        self, coef: Floats, intercept: Floats, rows: Floats, codes: Codes, weights: Double
    ) -> None:
        """Add the rows under weights (n_classes, width - 1) and bias (n_classes,)."""
        step = max(64, _LOGITS_AT_ONCE // len(coef))
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            logits = coef @ rows[block].T
            logits += intercept[:, None]
            self._add(logits, rows[block], codes[block], weights[block])

    def _add(self, logits: Floats, rows: Floats, codes: Codes, weights: Double) -> None:
        """Add a block; `logits` (n_classes, n_block) are overwritten."""
        at = np.arange(logits.shape[1])
        logits -= logits.max(axis=0)
        own_logits = logits[codes, at].astype(np.float64)
        odds = np.exp(logits, out=logits)
        own = odds[codes, at]
        odds[codes, at] = 0
        # the sum over the other classes alone: near 0 it would drown in 1 + others
        others = odds.sum(axis=0)
        log_odds = np.log(np.maximum(others.astype(np.float64), 1e-300)) - own_logits
        self.loss += float((np.logaddexp(0, log_odds) * weights).sum())
        total = own + others
        odds /= total
        odds[codes, at] = -others / total  # p - 1 of the true class, without its rounding
        absolute = np.abs(odds)
        weighted = weights.astype(odds.dtype)
        # p (1 - p) is the same for p and 1 - p
        self.curvature += (absolute - absolute * absolute) @ weighted
        odds *= weighted
        self.gradient[:, -1] += odds.sum(axis=1, dtype=np.float64)
        self.gradient[:, :-1] += odds @ rows

    def include(self, other: Sums) -> None:
        """Add the sums over other rows."""
        self.loss += other.loss
        self.gradient += other.gradient
        self.curvature += other.curvature


@dataclass(frozen=True)
class Objective:
    """Objective of penalised multinomial regression.

    ``sum_i w_i CE(softmax((W + O) x_i + b), y_i) / S + penalty / 2 |W|^2``, S the sum of the
    weights, O the origin.
    """

    data: Rotated
    # codes, weights: (n,) class and weight of every row
    codes: Codes
    weights: Double
    n_classes: int
    penalty: float  # Of the squared weights
    # (n_classes, rank + 1) what is added to the point before the rows see it, without penalty;
    # None for nothing. With one the intercepts stay 0: the class frequencies of few rows would
    # move them far.
    origin: Double | None = None

    def null_value(self) -> float:
        """Return the objective of the log priors alone, which the rows can improve on."""
        share = np.bincount(self.codes, self.weights, self.n_classes) / self.weights.sum()
        return float(-xlogy(share, share).sum())

    def start(self) -> Double:
        """Return zero weights and the log priors as intercepts, (n_classes, rank + 1)."""
        point = np.zeros((self.n_classes, len(self.data.variances) + 1))
        if self.origin is not None:
            return point
        mass = np.bincount(self.codes, self.weights, self.n_classes)
        # a class without rows has its optimum at minus infinity; e^-30 is as good as 0
        point[:, -1] = -30.0
        np.log(mass / mass.sum(), out=point[:, -1], where=mass > 0)
        return point

    def evaluate(self, point: Double) -> tuple[float, Double, Double]:
        """Evaluate the objective at (n_classes, rank + 1) weights and intercepts, in one pass.

        Returns value, gradient and curvature: the (n_classes,) mean of p (1 - p) over the rows.
        """
        seen = point if self.origin is None else point + self.origin
        sums, mass = self.data.sums(seen, self.codes, self.weights), self.weights.sum()
        weights = point[:, :-1]
        gradient = sums.gradient / mass
        gradient[:, :-1] += self.penalty * weights
        if self.origin is not None:
            gradient[:, -1] = 0
        value = sums.loss / mass + self.penalty / 2 * float(np.vdot(weights, weights))
        return float(value), gradient, sums.curvature / mass


@dataclass(frozen=True)
class ChunkedRotated(Rotated):
    """A rotation of rows that are read in every pass: `rows` are (0, rank)."""

    source: ChunkedRows

    @classmethod
    def over(cls, source: ChunkedRows, weights: Double, *, centred: bool = True) -> ChunkedRotated:
        """Compute the principal directions in one pass."""
        shift = np.zeros(source.dim)
        if centred:
            shift = source.read(0, min(1024, len(source))).mean(axis=0, dtype=np.float64)
        total = np.zeros(source.dim)
        moments = np.zeros((source.dim, source.dim))
        jobs = [partial(_moments, source, span, shift, weights) for span in source.spans()]
        for first, second in prefetch(jobs, _THREADS):
            total += first
            moments += second
        mass = weights.sum()
        away = total / mass if centred else total * 0
        variances, basis = principal_directions(
            moments / mass - np.outer(away, away), int(np.count_nonzero(weights)) - centred
        )
        mean = (shift + away).astype(np.float32)
        nothing = np.zeros((0, len(variances)), np.float32)
        return cls(nothing, mean, basis.astype(np.float32), variances, source)

    def sums(self, point: Double, codes: Codes, weights: Double) -> Sums:
        """See `Rotated`."""
        basis = self.basis.astype(np.float64)
        coef = np.ascontiguousarray(point[:, :-1] @ basis.T, dtype=np.float32)
        intercept = point[:, -1].astype(np.float32)
        jobs = [
            partial(self._sums, span, coef, intercept, codes, weights)
            for span in self.source.spans()
        ]
        total = Sums(len(coef), self.source.dim + 1)
        for sums in prefetch(jobs, _THREADS):
            total.include(sums)
        slopes = total.gradient
        total.gradient = np.concatenate([slopes[:, :-1] @ basis, slopes[:, -1:]], axis=1)
        return total

    def _sums(
        self,
        span: tuple[int, int],
        coef: Floats,
        intercept: Floats,
        codes: Codes,
        weights: Double,
    ) -> Sums:
        rows = self.source.read(*span) - self.mean
        of_span = slice(*span)
        sums = Sums(len(coef), rows.shape[1] + 1)
        sums.add_rows(coef, intercept, rows, codes[of_span], weights[of_span])
        return sums


def _moments(
    source: ChunkedRows, span: tuple[int, int], shift: Double, weights: Double
) -> tuple[Double, Double]:
    rows = source.read(*span).astype(np.float64) - shift
    weighted = rows * weights[span[0] : span[1], None]
    return weighted.sum(axis=0), weighted.T @ rows

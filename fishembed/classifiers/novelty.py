"""Detection of images of unknown classes: distances from classes, p-values, a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, logsumexp

from fishembed._base.arrays import Double, Floats, add_class_sums, unit_rows, upper_quantile

_SHRINKAGE = 0.7
_DIRECTIONS = 256
_ROWS_AT_ONCE = 2048
_DISTANCES_AT_ONCE = 1 << 22
_TINY = 1e-12


@dataclass(frozen=True)
class Spread:
    """A covariance shrunk to a multiple of the identity, as its inverse by few directions."""

    # (n_directions, dim) orthonormal directions of large variance, each times the root of
    # `precision` less the precision along it
    directions: Floats
    precision: float  # Inverse of the variance in all other directions

    @classmethod
    def of(cls, covariance: Double, basis: Double | None = None) -> tuple[Spread, Double]:
        """Return a (dim, dim) covariance shrunk towards the identity, and the basis of directions.

        `basis`, (dim, n_directions) orthonormal columns, such as that of a similar covariance,
        spans the directions of large variance; they are searched among all when it is None.
        """
        dim = len(covariance)
        total = max(float(np.trace(covariance)), 1e-12 * dim)
        if basis is None or basis.shape[1] == dim:
            values, basis = np.linalg.eigh(covariance)  # all sooner than SciPy finds some
            values, basis = values[-_DIRECTIONS:], basis[:, -_DIRECTIONS:]
        else:
            values, within = np.linalg.eigh(basis.T @ covariance @ basis)
            basis = basis @ within
        values = np.maximum(values, 0)
        others = dim - len(values)
        rest = max(total - float(values.sum()), 0) / others if others else float(values[0])
        precision = 1 / ((1 - _SHRINKAGE) * rest + _SHRINKAGE * total / dim)
        less = precision - 1 / ((1 - _SHRINKAGE) * values + _SHRINKAGE * total / dim)
        weighted = basis.T * np.sqrt(np.maximum(less, 0))[:, None]
        return cls(weighted.astype(np.float32), precision), basis

    def squares(self, rows: Floats, centres: Floats) -> Double:
        """Return squared Mahalanobis distances, float64 (n, n_centres)."""
        total = self.precision * _squares(rows, centres)
        return total - _squares(rows @ self.directions.T, centres @ self.directions.T)


def _squares(rows: Floats, centres: Floats) -> Double:
    own = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)[:, None]
    other = np.einsum("ij,ij->i", centres, centres, dtype=np.float64)
    return np.asarray(own + other - 2 * (rows @ centres.T).astype(np.float64))


@dataclass(frozen=True)
class ClassDistances:
    """Relative Mahalanobis distance of rows to the nearest class mean, and the least angle to one.

    The distance to the nearest class mean under the spread within classes, less the distance to
    the mean of all rows under the spread of all rows: deviations common to all images count less.
    The angle, also under the spread within classes and as seen from the mean of the class means,
    does not grow with the distance from that mean: it detects classes between the known ones.

    Notes
    -----
    The distance: Ren, Fort, Liu, Roy, Padhy & Lakshminarayanan (2021). A simple fix to Mahalanobis
    distance for improving near-OOD detection. ICML workshop. The angle: whitened cosine, as in
    Techapanurak, Suganuma & Okatani (2020). Hyperparameter-free out-of-distribution detection
    using cosine similarity. ACCV.
    """

    # means, centre: (n_classes, dim) class means and (dim,) mean of all rows, of rows of length 1
    means: Floats
    centre: Floats
    # within, overall: The spread within classes, and of all rows
    within: Spread
    overall: Spread

    @classmethod
    def fit(cls, X: npt.ArrayLike, codes: npt.NDArray[np.intp]) -> ClassDistances:
        """Learn from (n, dim) rows and their (n,) codes, all of 0 … n_classes - 1."""
        return Moments.of(X, codes).distances()[0]

    def __call__(self, X: npt.ArrayLike) -> Double:
        """Return the distance of each of (n, dim) rows and 1 minus its cosine, float64 (n, 2)."""
        rows = np.asarray(unit_rows(X), np.float32)
        n = max(1, min(_ROWS_AT_ONCE, _DISTANCES_AT_ONCE // len(self.means)))
        middle = self.middle
        of_means = self.within.squares(self.means, middle).T
        parts = [self._block(rows[k : k + n], middle, of_means) for k in range(0, len(rows), n)]
        return np.concatenate(parts) if parts else np.empty((0, 2))

    @property
    def middle(self) -> Floats:
        """(1, dim) mean of the class means, the vertex of the angles."""
        return np.asarray(self.means.mean(axis=0, keepdims=True))

    def _block(self, rows: Floats, middle: Floats, of_means: Double) -> Double:
        squares, own = self.within.squares(rows, self.means), self.within.squares(rows, middle)
        distance = squares.min(axis=1) - self.overall.squares(rows, self.centre[None])[:, 0]
        product = np.sqrt(np.maximum(own * of_means, _TINY))
        cosine = (own + of_means - squares) / (2 * product)
        return np.stack([distance, 1 - cosine.max(axis=1)], axis=1)


@dataclass(frozen=True)
class Moments:
    """Sums over rows, from which those of a part of the rows follow by subtraction."""

    rows: Floats  # (n, dim) rows of length 1, less `centre`
    codes: npt.NDArray[np.intp]  # (n,) class of each row
    centre: Floats  # (dim,) mean of the rows
    products: Double  # (dim, dim) sum of the products of their entries

    @classmethod
    def of(cls, X: npt.ArrayLike, codes: npt.NDArray[np.intp]) -> Moments:
        """Compute the sums of (n, dim) rows with (n,) codes."""
        rows = np.asarray(unit_rows(X), np.float32)
        centre = rows.mean(axis=0)
        rows = rows - centre
        return cls(rows, codes, centre, _products(rows))

    def distances(
        self,
        without: npt.NDArray[np.bool_] | None = None,
        bases: tuple[Double, Double] | None = None,
    ) -> tuple[ClassDistances, tuple[Double, Double]]:
        """Return distances learnt from rows, and the bases of the spreads, within classes and all.

        Rows where `without` is true are left out; a class of which none is left has no mean.
        `bases` of similar rows limit the search for directions, which then costs little.
        """
        left = np.ones(len(self.codes), bool) if without is None else ~without
        products = (
            self.products if without is None else self.products - _products(self.rows[without])
        )
        codes, n = self.codes[left], int(left.sum())
        counts = np.bincount(codes)
        sums = np.zeros((len(counts), len(self.centre)))
        add_class_sums(sums, self.rows[left], codes)
        sums, counts = sums[counts > 0], counts[counts > 0]
        means, mean = sums / counts[:, None], sums.sum(axis=0) / n
        # Rows leave their class's mean by less than new ones do, most where a class has few.
        scatter = (products - sums.T @ means) / max(1, n - len(counts))
        within, basis = Spread.of(scatter, bases and bases[0])
        overall, other = Spread.of(products / n - np.outer(mean, mean), bases and bases[1])
        near, far = ((m + self.centre).astype(np.float32) for m in (means, mean))
        return ClassDistances(near, far, within, overall), (basis, other)


def _products(rows: Floats) -> Double:
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[start : start + _ROWS_AT_ONCE]
        total += block.T @ block
    return total


def indecision(logits: npt.ArrayLike) -> Double:
    """Return the log odds against the most probable class of each of (n, n_classes) logits."""
    z = np.array(logits, np.float64)
    best = z.argmax(axis=1)[:, None]
    top = np.take_along_axis(z, best, 1)[:, 0]
    np.put_along_axis(z, best, -np.inf, 1)
    return np.asarray(logsumexp(z, axis=1) - top)


def columns(distance: Double) -> Double:
    """Return distances as (n, n_distances), also those of (n,) in files of earlier versions."""
    return distance[:, None] if distance.ndim == 1 else distance


@dataclass(frozen=True)
class KnownScores:
    """Scores of known images that the head has not learnt from: the reference for new ones."""

    indecision: Double  # (n,) `indecision`
    # (n, n_distances) `ClassDistances` of the same images; (n,) of one distance, as
    # earlier versions stored it
    distance: Double
    # (n,) any values; images of one group are not independent. None for every image its own.
    groups: npt.NDArray[Any] | None = None

    def strangeness(self, indecision: Double, distance: Double) -> Double:
        """Combine the scores: minus the log of the product of their p-values (Fisher)."""
        far: Double = self.farness(distance).sum(axis=1)
        return self._p(indecision, self._sorted[0]) + far

    def farness(self, distance: Double) -> Double:
        """Return minus the log of each distance's p-value, (n, n_distances)."""
        known = self._sorted[1:]  # earlier versions stored the first alone
        own = columns(distance)[:, : len(known)].T
        return np.stack([self._p(*pair) for pair in zip(own, known, strict=True)], axis=1)

    def is_distance(self, indecision: Double, distance: Double) -> npt.NDArray[np.bool_]:
        """Return whether a distance is the most unusual of all, or reached by 1% at most."""
        far = self.farness(distance).max(axis=1)
        return np.asarray((far >= self._p(indecision, self._sorted[0])) | (far >= np.log(100)))

    def threshold(self, rate: float) -> float:
        """Return the strangeness that at most a share `rate` of new known images exceed.

        Where there are too few images for that, the quantile that Fisher's sum has if the
        scores are independent.
        """
        limit = upper_quantile(self._own, 1 - rate, self.groups)
        if np.isfinite(limit):
            return limit
        return float(max(self._own.max(initial=0), gammaincinv(len(self._sorted), 1 - rate)))

    @cached_property
    def _own(self) -> Double:
        """Strangeness of the known images themselves."""
        return self.strangeness(self.indecision, self.distance)

    @cached_property
    def _sorted(self) -> list[Double]:
        return [np.sort(score) for score in (self.indecision, *columns(self.distance).T)]

    @staticmethod
    def _p(score: Double, known: Double) -> Double:
        """Return minus the log of the share of known scores that reach `score`.

        Beyond the largest, an exponential tail is fitted to the upper twentieth.
        """
        n = len(known)
        if not n:
            return np.zeros(len(score))
        reach = n - np.searchsorted(known, score, side="left")
        counted = -np.log((reach + 1) / (n + 1))
        m = min(n, max(10, n // 20))
        start, scale = known[-m], float((known[-m:] - known[-m]).mean()) + 1e-9
        tail = (score - start) / scale - np.log(m / (n + 1))
        return np.asarray(np.where(score > known[-1], np.maximum(counted, tail), counted))

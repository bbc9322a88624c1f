"""How like its classes an image is: distances to class means, and when they are too large."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from scipy.stats import chi2

from fishembed._base.arrays import unit_rows

Floats = npt.NDArray[np.floating]
Double = npt.NDArray[np.float64]

_SHRINKAGE = 0.7
_DIRECTIONS = 256
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class Spread:
    """A covariance shrunk to a multiple of the identity, as its inverse by few directions.

    Attributes
    ----------
    directions
        (n_directions, dim) orthonormal directions of large variance, each times the root of what
        the inverse has less there than elsewhere.
    precision
        Inverse of the variance in all other directions.
    """

    directions: Floats
    precision: float

    @classmethod
    def of(cls, rows: Floats) -> Spread:
        """Estimate from (n, dim) centred rows."""
        dim = rows.shape[1]
        covariance = rows.T @ rows / max(1, len(rows))
        mean = max(float(np.trace(covariance)) / dim, 1e-12)
        first = max(0, dim - _DIRECTIONS)
        values, vectors = np.linalg.eigh(covariance)  # all of them sooner than SciPy finds some
        values, vectors = values[first:], vectors[:, first:]
        rest = (mean * dim - float(values.sum())) / first if first else float(values[0])
        elsewhere = 1 / ((1 - _SHRINKAGE) * max(rest, 0) + _SHRINKAGE * mean)
        less = elsewhere - 1 / ((1 - _SHRINKAGE) * np.maximum(values, 0) + _SHRINKAGE * mean)
        weighted = vectors.T * np.sqrt(np.maximum(less, 0))[:, None]
        return cls(weighted.astype(np.float32), elsewhere)

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
    """Relative Mahalanobis distance of rows to the nearest class mean.

    The distance to the nearest class mean under the spread within classes, less the distance to
    the mean of all rows under the spread of all rows: what is unusual for any image counts less.

    Attributes
    ----------
    means, centre
        (n_classes, dim) class means and (dim,) mean of all rows, of rows of length 1.
    within, overall
        The spread within classes, and of all rows.

    Notes
    -----
    Ren, Fort, Liu, Roy, Padhy & Lakshminarayanan (2021). A simple fix to Mahalanobis distance
    for improving near-OOD detection. ICML workshop.
    """

    means: Floats
    centre: Floats
    within: Spread
    overall: Spread

    @classmethod
    def fit(cls, X: npt.ArrayLike, codes: npt.NDArray[np.intp]) -> ClassDistances:
        """Learn from (n, dim) rows and their (n,) codes, all of 0 … n_classes - 1."""
        rows = np.asarray(unit_rows(X), np.float32)
        counts = np.bincount(codes)
        means = np.zeros((len(counts), rows.shape[1]), np.float32)
        np.add.at(means, codes, rows)
        means /= counts[:, None]
        centre = rows.mean(axis=0)
        # Rows leave their class's mean by less than new ones do, most where a class has few.
        inflate = np.sqrt(len(rows) / max(1, len(rows) - len(counts)))
        within = Spread.of((rows - means[codes]) * np.float32(inflate))
        return cls(means, centre, within, Spread.of(rows - centre))

    def __call__(self, X: npt.ArrayLike) -> Double:
        """Return the distance of each of (n, dim) rows, float64 (n,)."""
        rows = np.asarray(unit_rows(X), np.float32)
        parts = [self._block(rows[k : k + _ROWS_AT_ONCE]) for k in range(0, len(rows), 2048)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _block(self, rows: Floats) -> Double:
        nearest = self.within.squares(rows, self.means).min(axis=1)
        return np.asarray(nearest - self.overall.squares(rows, self.centre[None])[:, 0])


def indecision(logits: npt.ArrayLike) -> Double:
    """Return the log odds against the most probable class of each of (n, n_classes) logits."""
    z = np.array(logits, np.float64)
    best = z.argmax(axis=1)[:, None]
    top = np.take_along_axis(z, best, 1)[:, 0]
    np.put_along_axis(z, best, -np.inf, 1)
    return np.asarray(logsumexp(z, axis=1) - top)


@dataclass(frozen=True)
class KnownScores:
    """Scores of known images that the head had not learnt from: what others are held against.

    Attributes
    ----------
    indecision, distance
        (n,) `indecision` and `ClassDistances` of the same images.
    """

    indecision: Double
    distance: Double

    def strangeness(self, indecision: Double, distance: Double) -> Double:
        """Combine the two scores: minus the log of the product of their p-values (Fisher)."""
        return self._p(indecision, self._sorted[0]) + self._p(distance, self._sorted[1])

    def is_distance(self, indecision: Double, distance: Double) -> npt.NDArray[np.bool_]:
        """Return whether the distance is the more unusual of the two, or reached by 1% at most."""
        far = self._p(distance, self._sorted[1])
        return np.asarray((far >= self._p(indecision, self._sorted[0])) | (far >= np.log(100)))

    def threshold(self, rate: float) -> float:
        """Return the strangeness that at most a share `rate` of new known images exceed.

        Where there are too few images for that, the quantile that Fisher's sum has if the two
        scores are independent.
        """
        own = np.sort(self.strangeness(self.indecision, self.distance))
        place = int(np.ceil((len(own) + 1) * (1 - rate)))
        if place <= len(own):
            return float(own[place - 1])
        return float(max(own[-1:].max(initial=0), chi2.ppf(1 - rate, 4) / 2))

    @cached_property
    def _sorted(self) -> tuple[Double, Double]:
        return np.sort(self.indecision), np.sort(self.distance)

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

"""Scores of how unlike known images a new one is, and the threshold for calling it unknown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, logsumexp

from fishembed._base.arrays import upper_quantile

Double = npt.NDArray[np.float64]


def indecision(logits: npt.ArrayLike) -> Double:
    """Return the log odds against the most probable class of each of (n, n_classes) logits."""
    z = np.array(logits, np.float64)
    best = z.argmax(axis=1)[:, None]
    top = np.take_along_axis(z, best, 1)[:, 0]
    np.put_along_axis(z, best, -np.inf, 1)
    return np.asarray(logsumexp(z, axis=1) - top)


def columns(distance: Double) -> Double:
    """Return distances as (n, n_distances), also those of (n,) that earlier versions kept."""
    return distance[:, None] if distance.ndim == 1 else distance


@dataclass(frozen=True)
class KnownScores:
    """Scores of known images that the head had not learnt from: what others are held against.

    Attributes
    ----------
    indecision
        (n,) `indecision`.
    distance
        (n, n_distances) `ClassDistances` of the same images; (n,) of one distance, as earlier
        versions kept it.
    groups
        (n,) any values; images of one group are not independent. None for every image its own.
    """

    indecision: Double
    distance: Double
    groups: npt.NDArray[Any] | None = None

    def strangeness(self, indecision: Double, distance: Double) -> Double:
        """Combine the scores: minus the log of the product of their p-values (Fisher)."""
        far: Double = self.farness(distance).sum(axis=1)
        return self._p(indecision, self._sorted[0]) + far

    def farness(self, distance: Double) -> Double:
        """Return minus the log of each distance's p-value, (n, n_distances)."""
        known = self._sorted[1:]  # of which earlier versions kept the first
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

"""How like known images a new one is: two scores of it, and when they are too large."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, logsumexp

Double = npt.NDArray[np.float64]


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
        return float(max(own[-1:].max(initial=0), gammaincinv(2, 1 - rate)))

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

"""Softmax objective over features that do not fit into memory: every pass reads them once.

The rows stay as they are. A point in rotated coordinates is turned into a map of the original
ones before a pass, and the gradient back after it, so that rotating costs nothing by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from fishembed.classifiers.base import Codes, Floats
from fishembed.classifiers.chunked_rows import ChunkedRows, prefetch
from fishembed.classifiers.solver.softmax import Double, Rotated, Sums, principal_directions

_THREADS = 2  # chunks at once; sums are added in the order of the rows all the same


@dataclass(frozen=True)
class ChunkedRotated(Rotated):
    """A rotation of rows that are read in every pass.

    Attributes
    ----------
    rows
        (0, rank): none of them.
    source
        Reads them.
    """

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

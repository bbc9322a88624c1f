"""Softmax problems over vectors that do not fit into memory: every pass reads them once.

The rows stay as they are. A point in rotated coordinates is turned into a map of the original
ones before a pass, and the gradient back after it, so that rotating costs nothing by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.blocks import Streamed, read_ahead
from fishembed.classifiers.softmax import (
    NUMBERS_AT_ONCE,
    Double,
    Evaluation,
    Problems,
    Rotated,
    Totals,
    principal_directions,
)

_THREADS = 2
"""Blocks that are worked on at once; sums are added in the order of the rows all the same."""


@dataclass(frozen=True)
class StreamedRotated(Rotated):
    """A rotation of rows that stay where they are.

    Attributes
    ----------
    rows
        (0, rank): none of them.
    source
        Where they are read.
    """

    source: Streamed | None = None

    @classmethod
    def over(cls, source: Streamed, weights: Double) -> StreamedRotated:
        """Find the principal directions in one pass."""
        shift = source.read(0, min(1024, len(source))).mean(axis=0, dtype=np.float64)
        total = np.zeros(source.dim)
        moments = np.zeros((source.dim, source.dim))
        jobs = [partial(_moments, source, span, shift, weights) for span in source.spans()]
        for first, second in read_ahead(jobs, _THREADS):
            total += first
            moments += second
        mass = weights.sum()
        away = total / mass
        variances, basis = principal_directions(
            moments / mass - np.outer(away, away), int(np.count_nonzero(weights))
        )
        mean = (shift + away).astype(np.float32)
        nothing = np.zeros((0, len(variances)), np.float32)
        return cls(nothing, mean, basis.astype(np.float32), variances, source)

    def problems(
        self, codes: npt.NDArray[np.intp], weights: Double, offsets: Double, penalties: Double
    ) -> Problems:
        """Give the problems over these rows."""
        return StreamedProblems(self, codes, weights, offsets, penalties)


def _moments(
    source: Streamed, span: tuple[int, int], shift: Double, weights: Double
) -> tuple[Double, Double]:
    rows = source.read(*span).astype(np.float64) - shift
    weighted = rows * weights[span[0] : span[1], None]
    return weighted.sum(axis=0), weighted.T @ rows


class StreamedProblems(Problems):
    """Problems whose rows are read anew in every pass."""

    def evaluate(self, points: Double) -> Evaluation:
        """Go through the rows once for all problems; see `Problems.evaluate`."""
        n_problems, n_classes, width = points.shape
        wide = points.reshape(-1, width)
        basis = self.data.basis.astype(np.float64)
        maps = np.ascontiguousarray(wide[:, :-1] @ basis.T, dtype=np.float32)
        shifts = (wide[:, -1] + self.offsets.ravel()).astype(np.float32)[:, None]
        totals = Totals(n_problems, n_classes, len(basis) + 1)
        source = self.data.source  # type: ignore[attr-defined]
        jobs = [partial(self._totals, source, span, maps, shifts) for span in source.spans()]
        for some in read_ahead(jobs, _THREADS):
            totals.include(some)
        rotated = Totals(n_problems, n_classes, width)
        rotated.loss, rotated.curvature = totals.loss, totals.curvature
        rotated.gradient[:, :, :-1] = totals.gradient[:, :, :-1] @ basis
        rotated.gradient[:, :, -1] = totals.gradient[:, :, -1]
        return rotated.evaluation(points, self.weights.sum(axis=1), self.penalties)

    def _totals(
        self,
        source: Streamed,
        span: tuple[int, int],
        maps: npt.NDArray[np.float32],
        shifts: npt.NDArray[np.float32],
    ) -> Totals:
        rows = source.read(*span) - self.data.mean
        n_problems, n_classes = self.offsets.shape
        totals = Totals(n_problems, n_classes, rows.shape[1] + 1)
        step = max(64, NUMBERS_AT_ONCE // len(maps))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            at = slice(span[0] + start, span[0] + start + len(part))
            logits = maps @ part.T
            logits += shifts
            totals.add(
                logits.reshape(n_problems, n_classes, -1),
                part,
                self.codes[at],
                self.weights[:, at],
            )
        return totals

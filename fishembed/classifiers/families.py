"""Out-of-fold logits of whole families of heads, each family in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats, unit_rows
from fishembed.classifiers.folds import Folds
from fishembed.classifiers.gaussian import GaussianStatistics
from fishembed.classifiers.path import solve_path
from fishembed.classifiers.softmax import Rotated

Parameters = Mapping[str, float]
Map = tuple[Floats, Floats]

_ROUGH = 1e-4  # relative gap that is enough to compare heads
_FINE = 1e-6
_MAX_ITER = 300


class Family(Protocol):
    """Heads that differ in parameters and share most of their work."""

    @property
    def name(self) -> str:
        """What people call it."""

    def out_of_fold(self, folds: Folds) -> Iterator[tuple[Parameters, Floats]]:
        """Give parameters and (n, n_classes) logits of rows by a head that was not shown them."""

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int, parameters: Parameters
    ) -> Map:
        """Give weights and bias of the head with these parameters, learnt from all rows."""


@dataclass(frozen=True)
class LogisticFamily:
    """Multinomial logistic regression at several C; all folds share every pass over the rows."""

    Cs: tuple[float, ...]
    name: str = "logistic"

    def out_of_fold(self, folds: Folds) -> Iterator[tuple[Parameters, Floats]]:
        """See `Family`."""
        weights = (folds.fold != np.arange(folds.n_folds)[:, None]).astype(np.float64)
        data = Rotated.of(folds.rows, np.ones(len(folds.rows)))
        offsets = np.zeros((folds.n_folds, folds.n_classes))
        path = solve_path(
            data, folds.codes, weights, offsets, self.Cs, tol=_ROUGH, max_iter=_MAX_ITER
        )
        for C, optima in zip(self.Cs, path, strict=True):
            logits = folds.empty_logits()
            for k, optimum in enumerate(optima):
                tested = folds.fold == k
                maps = optimum.parameters.astype(data.rows.dtype)
                logits[tested] = data.rows[tested] @ maps[:, :-1].T + maps[:, -1]
            yield {"C": C}, logits

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int, parameters: Parameters
    ) -> Map:
        """See `Family`."""
        weights = np.ones((1, len(rows)))
        data = Rotated.of(rows, weights[0])
        path = solve_path(
            data,
            codes,
            weights,
            np.zeros((1, n_classes)),
            [parameters["C"]],
            tol=_FINE,
            max_iter=_MAX_ITER,
        )
        return data.unrotate(next(path)[0].parameters)


@dataclass(frozen=True)
class GaussianFamily:
    """Shrunken discriminants; one eigendecomposition for each fold serves all parameters."""

    shrinkages: tuple[float, ...]
    pseudo_counts: tuple[float, ...]
    anchors: Floats | None = None
    name: str = "gaussian"

    def out_of_fold(self, folds: Folds) -> Iterator[tuple[Parameters, Floats]]:
        """See `Family`."""
        parts = []
        for k in range(folds.n_folds):
            tested = folds.fold == k
            trained = ~tested
            statistics = GaussianStatistics.of(
                folds.rows[trained], folds.codes[trained], folds.n_classes, self.anchors
            )
            rotated = (folds.rows[tested] - statistics.centre) @ statistics.vectors
            parts.append((tested, statistics, rotated.astype(np.float32)))
        for shrinkage in self.shrinkages:
            projected = [
                (tested, statistics, _Projection.of(statistics, rotated, shrinkage))
                for tested, statistics, rotated in parts
            ]
            for pseudo_count in self.pseudo_counts:
                logits = folds.empty_logits()
                for tested, statistics, projection in projected:
                    logits[tested] = projection.logits(statistics.trust(pseudo_count))
                yield {"shrinkage": shrinkage, "pseudo_count": pseudo_count}, logits

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int, parameters: Parameters
    ) -> Map:
        """See `Family`."""
        statistics = GaussianStatistics.of(rows, codes, n_classes, self.anchors)
        return statistics.linear_map(parameters["shrinkage"], parameters["pseudo_count"])


@dataclass(frozen=True)
class _Projection:
    """Products of rows with whitened means and anchors: logits of every pseudo count follow."""

    with_means: Floats
    with_anchors: Floats | float
    squares: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, statistics: GaussianStatistics, rotated: Floats, shrinkage: float) -> _Projection:
        precisions = statistics.precisions(shrinkage)
        means, anchors = statistics.offsets, statistics.anchors
        squares = tuple(
            ((a * precisions) * b).sum(axis=1)
            for a, b in ((means, means), (means, anchors), (anchors, anchors))
        )
        return cls(
            rotated @ (means * precisions).T.astype(np.float32),
            rotated @ (anchors * precisions).T.astype(np.float32) if anchors.any() else 0.0,
            squares,
        )

    def logits(self, trust: Floats) -> Floats:
        rest = 1 - trust
        own, cross, far = self.squares
        bias = -0.5 * (trust**2 * own + 2 * trust * rest * cross + rest**2 * far)
        logits = self.with_means * trust.astype(np.float32)
        logits += self.with_anchors * rest.astype(np.float32) + bias.astype(np.float32)
        return logits


@dataclass(frozen=True)
class TextFamily:
    """Cosine to one text vector for each class: nothing is learnt."""

    anchors: Floats
    scale: float = 100.0
    name: str = "zeroshot"

    def out_of_fold(self, folds: Folds) -> Iterator[tuple[Parameters, Floats]]:
        """See `Family`."""
        coef, _ = self.fit(folds.rows, folds.codes, folds.n_classes, {})
        yield {}, (folds.rows @ coef.T).astype(np.float32)

    def fit(
        self,
        rows: Floats,
        codes: npt.NDArray[np.intp],  # noqa: ARG002
        n_classes: int,
        parameters: Parameters,  # noqa: ARG002
    ) -> Map:
        """See `Family`."""
        coef = self.scale * unit_rows(self.anchors).astype(rows.dtype)
        return coef, np.zeros(n_classes, dtype=rows.dtype)

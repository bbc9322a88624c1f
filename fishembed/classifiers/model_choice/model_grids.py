"""Grids of models over hyperparameters, whose points share most of their work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol

import numpy as np

from fishembed._base.arrays import unit_rows
from fishembed.classifiers.base import Codes, Floats
from fishembed.classifiers.cross_validation import Folds
from fishembed.classifiers.gaussian import GaussianStatistics
from fishembed.classifiers.head_function import FittedMap, Whitening
from fishembed.classifiers.solver.quasi_newton import Limits, solve_path
from fishembed.classifiers.solver.softmax import Rotated

Parameters = Mapping[str, float]

ROUGH = 1e-4  # relative gap that is enough to compare models
FINE = 1e-6  # and for the one that is used
_MAX_ITER = 300
_LOGIT_SCALE = 100.0  # of every released CLIP; the temperature is fitted afterwards


class ModelGrid(Protocol):
    """Models of one kind at several hyperparameters."""

    @property
    def name(self) -> str:
        """Name of the kind of model."""

    @property
    def points(self) -> list[Parameters]:
        """Hyperparameters of every model, the simplest first; C ascending."""

    @property
    def taus(self) -> tuple[float, ...]:
        """Shares of the log prior that may be subtracted from the logits."""

    def at(self, parameters: Parameters) -> ModelGrid:
        """Return the grid of one point, without corrections for the prior."""

    def held_out_logits(self, folds: Folds, k: int) -> Iterator[Floats]:
        """Yield, point by point, (n_classes, n) logits of the rows that fold `k` holds out."""

    def fit(
        self,
        rows: Floats,
        codes: Codes,
        n_classes: int,
        points: Sequence[Parameters],
        tol: float = FINE,
    ) -> list[FittedMap]:
        """Return the models at some points, in the order of `points`, fitted to all rows.

        Steps towards an optimum end at a relative gap `tol`.
        """


@dataclass(frozen=True)
class LogisticGrid:
    """Multinomial logistic regressions at several C, ascending: one regularisation path.

    With text, (n_classes, dim) rows of length 1, around the zero-shot weights.
    """

    Cs: tuple[float, ...]
    taus: tuple[float, ...] = (0.0,)
    text: Floats | None = None
    name: str = "logistic"

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        return [{"C": C} for C in self.Cs]

    def at(self, parameters: Parameters) -> LogisticGrid:
        """See `ModelGrid`."""
        return replace(self, Cs=(parameters["C"],), taus=(0.0,))

    def held_out_logits(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `ModelGrid`."""
        rows, codes = folds.training(k)
        held_out = folds.rows[folds.held_out(k)]
        path = _path(rows, codes, folds.n_classes, self.Cs, tol=ROUGH, around=self._around(rows))
        for coef, intercept in path:
            yield coef @ held_out.T + intercept[:, None]

    def fit(
        self,
        rows: Floats,
        codes: Codes,
        n_classes: int,
        points: Sequence[Parameters],
        tol: float = FINE,
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        Cs, around = [point["C"] for point in points], self._around(rows)
        path = _path(rows, codes, n_classes, Cs, tol=tol, around=around)
        return [FittedMap(*weights) for weights in path]

    def _around(self, rows: Floats) -> Floats | None:
        return None if self.text is None else _zero_shot_weights(self.text, rows)


def _path(
    rows: Floats,
    codes: Codes,
    n_classes: int,
    Cs: Sequence[float],
    *,
    tol: float,
    around: Floats | None = None,
) -> Iterator[tuple[Floats, Floats]]:
    weights = np.ones(len(rows))
    data = Rotated.of(rows, weights, centred=around is None)
    limits = Limits(tol, _MAX_ITER)
    for optimum in solve_path(data, codes, weights, n_classes, Cs, limits=limits, around=around):
        coef, intercept = data.unrotate(optimum.parameters)
        yield coef if around is None else coef + around, intercept


def _zero_shot_weights(text: Floats, rows: Floats) -> Floats:
    weights: Floats = _LOGIT_SCALE * unit_rows(text).astype(rows.dtype)
    return weights


@dataclass(frozen=True)
class AngularGrid:
    """Logistic regressions of whitened directions at several C, ascending: see `AngularHead`."""

    Cs: tuple[float, ...]
    shrinkage: float
    taus: tuple[float, ...] = (0.0,)
    name: str = "angular"

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        return [{"C": C} for C in self.Cs]

    def at(self, parameters: Parameters) -> AngularGrid:
        """See `ModelGrid`."""
        return replace(self, Cs=(parameters["C"],), taus=(0.0,))

    def held_out_logits(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `ModelGrid`."""
        rows, codes = folds.training(k)
        whitening = self._whitening(rows, codes, folds.n_classes)
        held_out = whitening.directions(folds.rows[folds.held_out(k)])
        directions = whitening.directions(rows)
        for coef, intercept in _path(directions, codes, folds.n_classes, self.Cs, tol=ROUGH):
            yield coef @ held_out.T + intercept[:, None]

    def fit(
        self,
        rows: Floats,
        codes: Codes,
        n_classes: int,
        points: Sequence[Parameters],
        tol: float = FINE,
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        whitening, Cs = self._whitening(rows, codes, n_classes), [point["C"] for point in points]
        path = _path(whitening.directions(rows), codes, n_classes, Cs, tol=tol)
        return [FittedMap.of_direction(whitening, *weights) for weights in path]

    def _whitening(self, rows: Floats, codes: Codes, n_classes: int) -> Whitening:
        return GaussianStatistics.of(rows, codes, n_classes).whitening(self.shrinkage)


@dataclass(frozen=True)
class GaussianGrid:
    """Shrunken discriminants; one eigendecomposition serves all points."""

    shrinkages: tuple[float, ...]
    pseudo_counts: tuple[float, ...]
    taus: tuple[float, ...] = (0.0,)
    text: Floats | None = None
    name: str = "gaussian"

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        pairs = product(self.shrinkages, self.pseudo_counts)
        return [{"shrinkage": shrinkage, "pseudo_count": count} for shrinkage, count in pairs]

    def at(self, parameters: Parameters) -> GaussianGrid:
        """See `ModelGrid`."""
        shrinkages, counts = (parameters["shrinkage"],), (parameters["pseudo_count"],)
        return replace(self, shrinkages=shrinkages, pseudo_counts=counts, taus=(0.0,))

    def held_out_logits(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `ModelGrid`."""
        statistics = GaussianStatistics.of(*folds.training(k), folds.n_classes, self.text)
        held_out = folds.rows[folds.held_out(k)]
        rotated = ((held_out - statistics.centre) @ statistics.directions).T.astype(np.float32)
        for shrinkage in self.shrinkages:
            products = _WhitenedProducts.of(statistics, rotated, shrinkage)
            for pseudo_count in self.pseudo_counts:
                yield products.logits(statistics.trust(pseudo_count)[:, None])

    def fit(
        self,
        rows: Floats,
        codes: Codes,
        n_classes: int,
        points: Sequence[Parameters],
        tol: float = FINE,  # noqa: ARG002
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        statistics = GaussianStatistics.of(rows, codes, n_classes, self.text)
        return [
            FittedMap(*statistics.linear_map(point["shrinkage"], point["pseudo_count"]))
            for point in points
        ]


@dataclass(frozen=True)
class _WhitenedProducts:
    """Products of rows with whitened means and anchors: logits of every pseudo count follow."""

    with_means: Floats
    with_anchors: Floats | float
    squares: tuple[Floats, Floats, Floats]

    @classmethod
    def of(
        cls, statistics: GaussianStatistics, rotated: Floats, shrinkage: float
    ) -> _WhitenedProducts:
        precisions = statistics.precisions(shrinkage)
        means, anchors = statistics.offsets, statistics.anchors
        squares = tuple(
            ((a * precisions) * b).sum(axis=1, keepdims=True)
            for a, b in ((means, means), (means, anchors), (anchors, anchors))
        )
        return cls(
            (means * precisions).astype(np.float32) @ rotated,
            (anchors * precisions).astype(np.float32) @ rotated if anchors.any() else 0.0,
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
class ZeroShotGrid:
    """Cosine to one text embedding for each class: a single point, nothing is learnt."""

    text: Floats
    name: str = "zeroshot"
    taus: tuple[float, ...] = (0.0,)

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        return [{}]

    def at(self, parameters: Parameters) -> ZeroShotGrid:  # noqa: ARG002
        """See `ModelGrid`."""
        return self

    def held_out_logits(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `ModelGrid`."""
        held_out = folds.rows[folds.held_out(k)]
        yield _zero_shot_weights(self.text, held_out) @ held_out.T

    def fit(
        self,
        rows: Floats,
        codes: Codes,  # noqa: ARG002
        n_classes: int,
        points: Sequence[Parameters],
        tol: float = FINE,  # noqa: ARG002
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        weights = _zero_shot_weights(self.text, rows)
        return [FittedMap(weights, np.zeros(n_classes, dtype=rows.dtype)) for _ in points]

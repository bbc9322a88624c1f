"""Grids of models over hyperparameters, whose points share most of their work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from threading import Lock

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Codes, Floats, unit_rows
from fishembed.classifiers.gaussian import GaussianStatistics
from fishembed.classifiers.head_function import FittedMap, Whitening
from fishembed.classifiers.solver.quasi_newton import solve_path
from fishembed.classifiers.solver.softmax import Rotated

Parameters = Mapping[str, float]

ROUGH = 1e-4  # relative gap that is enough to compare models
FINE = 1e-6  # and for the one that is used
_MAX_ITER = 300
_LOGIT_SCALE = 100.0  # of every released CLIP; the temperature is fitted afterwards


class TrainingRows:
    """Rows that models learn from; statistics that several of them need are computed once.

    Of (n, dim) normalised rows and (n,) their classes, all or those where bool (n,) `at` is true.
    """

    def __init__(
        self, rows: Floats, codes: Codes, n_classes: int, at: npt.NDArray[np.bool_] | None = None
    ) -> None:
        self._rows, self._at = rows, slice(None) if at is None else at
        self.codes, self.n_classes = codes[self._at], n_classes
        self._lock = Lock()
        self._statistics: GaussianStatistics | None = None

    @property
    def rows(self) -> Floats:
        """The rows; a new copy at each access where they are a part of those passed."""
        return self._rows[self._at]

    @property
    def statistics(self) -> GaussianStatistics:
        """Means and covariance of the rows, without text."""
        with self._lock:
            if self._statistics is None:
                self._statistics = GaussianStatistics.of(self.rows, self.codes, self.n_classes)
            return self._statistics


@dataclass(frozen=True, kw_only=True)
class ModelGrid(ABC):
    """Models of one kind at several hyperparameters."""

    name: str  # Of the kind of model
    # Shares of the log prior that may be subtracted from the logits
    taus: tuple[float, ...] = (0.0,)
    # (n_classes, dim) text features of length 1; None where the models use none
    text: Floats | None = None

    @property
    @abstractmethod
    def points(self) -> list[Parameters]:
        """Hyperparameters of every model, the simplest first; C ascending."""

    @abstractmethod
    def at(self, parameters: Parameters) -> ModelGrid:
        """Return the grid of one point, without corrections for the prior."""

    @abstractmethod
    def held_out_logits(self, training: TrainingRows, held_out: Floats) -> Iterator[Floats]:
        """Yield, point by point, (n_classes, n) logits of (n, dim) rows not learnt from."""

    @abstractmethod
    def fit(
        self, training: TrainingRows, points: Sequence[Parameters], tol: float = FINE
    ) -> list[FittedMap]:
        """Return the models at some points, in the order of `points`.

        Steps towards an optimum end at a relative gap `tol`.
        """


@dataclass(frozen=True)
class LogisticGrid(ModelGrid):
    """Multinomial logistic regressions at several C, ascending: one regularisation path.

    With text, around the zero-shot weights.
    """

    Cs: tuple[float, ...]
    name: str = field(default="logistic", kw_only=True)

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        return [{"C": C} for C in self.Cs]

    def at(self, parameters: Parameters) -> LogisticGrid:
        """See `ModelGrid`."""
        return replace(self, Cs=(parameters["C"],), taus=(0.0,))

    def held_out_logits(self, training: TrainingRows, held_out: Floats) -> Iterator[Floats]:
        """See `ModelGrid`."""
        whitening = self._whitening(training)
        seen = held_out if whitening is None else whitening.directions(held_out)
        for coef, intercept in self._path(training, whitening, self.Cs, ROUGH):
            yield coef @ seen.T + intercept[:, None]

    def fit(
        self, training: TrainingRows, points: Sequence[Parameters], tol: float = FINE
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        whitening = self._whitening(training)
        path = self._path(training, whitening, [point["C"] for point in points], tol)
        if whitening is None:
            return [FittedMap(*weights) for weights in path]
        return [FittedMap.of_direction(whitening, *weights) for weights in path]

    def _whitening(self, training: TrainingRows) -> Whitening | None:  # noqa: ARG002
        """Return the whitening of the rows; None where models use the rows themselves."""
        return None

    def _path(
        self,
        training: TrainingRows,
        whitening: Whitening | None,
        Cs: Sequence[float],
        tol: float,
    ) -> Iterator[tuple[Floats, Floats]]:
        """Yield the weights and the bias at every C."""
        rows, codes, n_classes = training.rows, training.codes, training.n_classes
        if whitening is not None:
            rows = whitening.directions(rows)
        around = None if self.text is None else _zero_shot_weights(self.text, rows)
        weights = np.ones(len(rows))
        data = Rotated.of(rows, weights, centred=around is None)
        for optimum in solve_path(
            data, codes, weights, n_classes, Cs, tol=tol, max_iter=_MAX_ITER, around=around
        ):
            coef, intercept = data.unrotate(optimum.parameters)
            yield coef if around is None else coef + around, intercept


@dataclass(frozen=True)
class AngularGrid(LogisticGrid):
    """Logistic regressions of whitened directions at several C, ascending: see `AngularHead`."""

    shrinkage: float = 0.5
    name: str = field(default="angular", kw_only=True)

    def _whitening(self, training: TrainingRows) -> Whitening:
        return training.statistics.whitening(self.shrinkage)


def _zero_shot_weights(text: Floats, rows: Floats) -> Floats:
    weights: Floats = _LOGIT_SCALE * unit_rows(text).astype(rows.dtype)
    return weights


@dataclass(frozen=True)
class GaussianGrid(ModelGrid):
    """Shrunken discriminants; one eigendecomposition serves all points."""

    shrinkages: tuple[float, ...]
    pseudo_counts: tuple[float, ...]
    name: str = field(default="gaussian", kw_only=True)

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        pairs = product(self.shrinkages, self.pseudo_counts)
        return [{"shrinkage": shrinkage, "pseudo_count": count} for shrinkage, count in pairs]

    def at(self, parameters: Parameters) -> GaussianGrid:
        """See `ModelGrid`."""
        shrinkages, counts = (parameters["shrinkage"],), (parameters["pseudo_count"],)
        return replace(self, shrinkages=shrinkages, pseudo_counts=counts, taus=(0.0,))

    def held_out_logits(self, training: TrainingRows, held_out: Floats) -> Iterator[Floats]:
        """See `ModelGrid`."""
        statistics = training.statistics.with_text(self.text)
        rotated = ((held_out - statistics.centre) @ statistics.directions).T.astype(np.float32)
        for shrinkage in self.shrinkages:
            products = _WhitenedProducts.of(statistics, rotated, shrinkage)
            for pseudo_count in self.pseudo_counts:
                yield products.logits(statistics.trust(pseudo_count)[:, None])

    def fit(
        self,
        training: TrainingRows,
        points: Sequence[Parameters],
        tol: float = FINE,  # noqa: ARG002
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        statistics = training.statistics.with_text(self.text)
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
class ZeroShotGrid(ModelGrid):
    """Cosine to one text embedding for each class: a single point, nothing is learnt."""

    text: Floats
    name: str = field(default="zeroshot", kw_only=True)

    @property
    def points(self) -> list[Parameters]:
        """See `ModelGrid`."""
        return [{}]

    def at(self, parameters: Parameters) -> ZeroShotGrid:  # noqa: ARG002
        """See `ModelGrid`."""
        return self

    def held_out_logits(
        self,
        training: TrainingRows,  # noqa: ARG002
        held_out: Floats,
    ) -> Iterator[Floats]:
        """See `ModelGrid`."""
        yield _zero_shot_weights(self.text, held_out) @ held_out.T

    def fit(
        self,
        training: TrainingRows,
        points: Sequence[Parameters],
        tol: float = FINE,  # noqa: ARG002
    ) -> list[FittedMap]:
        """See `ModelGrid`."""
        weights = _zero_shot_weights(self.text, training.rows)
        nothing = np.zeros(training.n_classes, dtype=weights.dtype)
        return [FittedMap(weights, nothing) for _ in points]

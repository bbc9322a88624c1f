"""Families of heads: what one part of the rows teaches all of them in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
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

    @property
    def members(self) -> list[Parameters]:
        """Parameters of every head, the simplest first."""

    @property
    def taus(self) -> tuple[float, ...]:
        """Shares of the log prior that may be taken from the logits."""

    def unseen(self, folds: Folds, k: int) -> Iterator[Floats]:
        """Give, for every member, (n_classes, n) logits of the rows of fold `k`.

        The head has learnt from the rows of all other folds.
        """

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int, parameters: Parameters
    ) -> Map:
        """Give weights and bias of the head with these parameters, learnt from all rows."""


@dataclass(frozen=True)
class LogisticFamily:
    """Multinomial logistic regression at several C, ascending: one path."""

    Cs: tuple[float, ...]
    taus: tuple[float, ...] = (0.0,)
    name: str = "logistic"

    @property
    def members(self) -> list[Parameters]:
        """See `Family`."""
        return [{"C": C} for C in self.Cs]

    def unseen(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `Family`."""
        rows, codes = folds.trained(k)
        tested = folds.rows[folds.asked(k)]
        for coef, intercept in _path(rows, codes, folds.n_classes, self.Cs, _ROUGH):
            yield coef @ tested.T + intercept[:, None]

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int, parameters: Parameters
    ) -> Map:
        """See `Family`."""
        return next(_path(rows, codes, n_classes, [parameters["C"]], _FINE))


def _path(
    rows: Floats,
    codes: npt.NDArray[np.intp],
    n_classes: int,
    Cs: tuple[float, ...] | list[float],
    tol: float,
) -> Iterator[Map]:
    weights = np.ones((1, len(rows)))
    data = Rotated.of(rows, weights[0])
    offsets = np.zeros((1, n_classes))
    for (optimum,) in solve_path(data, codes, weights, offsets, Cs, tol=tol, max_iter=_MAX_ITER):
        yield data.unrotate(optimum.parameters)


@dataclass(frozen=True)
class GaussianFamily:
    """Shrunken discriminants; one eigendecomposition serves all parameters."""

    shrinkages: tuple[float, ...]
    pseudo_counts: tuple[float, ...]
    taus: tuple[float, ...] = (0.0,)
    anchors: Floats | None = None
    name: str = "gaussian"

    @property
    def members(self) -> list[Parameters]:
        """See `Family`."""
        pairs = product(self.shrinkages, self.pseudo_counts)
        return [{"shrinkage": shrinkage, "pseudo_count": count} for shrinkage, count in pairs]

    def unseen(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `Family`."""
        statistics = GaussianStatistics.of(*folds.trained(k), folds.n_classes, self.anchors)
        tested = folds.rows[folds.asked(k)]
        rotated = ((tested - statistics.centre) @ statistics.vectors).T.astype(np.float32)
        for shrinkage in self.shrinkages:
            products = _Products.of(statistics, rotated, shrinkage)
            for pseudo_count in self.pseudo_counts:
                yield products.logits(statistics.trust(pseudo_count)[:, None])

    def fit(
        self, rows: Floats, codes: npt.NDArray[np.intp], n_classes: int, parameters: Parameters
    ) -> Map:
        """See `Family`."""
        statistics = GaussianStatistics.of(rows, codes, n_classes, self.anchors)
        return statistics.linear_map(parameters["shrinkage"], parameters["pseudo_count"])


@dataclass(frozen=True)
class _Products:
    """Products of whitened means and anchors with rows: logits of every pseudo count follow."""

    with_means: Floats
    with_anchors: Floats | float
    squares: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, statistics: GaussianStatistics, rotated: Floats, shrinkage: float) -> _Products:
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
class TextFamily:
    """Cosine to one text vector for each class: nothing is learnt."""

    anchors: Floats
    scale: float = 100.0
    name: str = "zeroshot"
    taus: tuple[float, ...] = (0.0,)

    @property
    def members(self) -> list[Parameters]:
        """See `Family`."""
        return [{}]

    def unseen(self, folds: Folds, k: int) -> Iterator[Floats]:
        """See `Family`."""
        tested = folds.rows[folds.asked(k)]
        coef, _ = self.fit(tested, folds.codes, folds.n_classes, {})
        yield coef @ tested.T

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

"""The function of a fitted head: maps of rows and of their directions, votes, and sums of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, Floats, rows_and_lengths, unit_rows
from fishembed.errors import InputError

VoteWeights = Literal["distance", "uniform"]
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Whitening:
    """Coordinates in which rows vary the same in every direction within a class."""

    matrix: Floats  # (dim, rank): rows times it have the identity as covariance within classes
    # (rank,) subtracted after that: the mean of the class means, times the matrix
    centre: Floats

    def directions(self, rows: Floats, lengths: Floats | None = None) -> Floats:
        """Return (n, dim) rows, divided by (n,) lengths if any, whitened and scaled to length 1.

        (n, rank) in the dtype of `rows`.
        """
        whitened = rows @ self.matrix.astype(rows.dtype, copy=False)
        if lengths is not None:
            whitened /= lengths[:, None]
        whitened -= self.centre.astype(rows.dtype, copy=False)
        return unit_rows(whitened)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Whitening)
            and np.array_equal(self.matrix, other.matrix)
            and np.array_equal(self.centre, other.centre)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class DirectionMap:
    """Logits ``coef @ direction`` of a row's whitened direction."""

    whitening: Whitening  # Computes the direction
    coef: Floats  # (n_classes, rank)


@dataclass(frozen=True)
class FittedMap:
    """Logits ``coef @ row + intercept``, plus those of the row's whitened direction."""

    coef: Floats  # (n_classes, dim)
    intercept: Floats  # (n_classes,)
    # Logits of the direction; None for a linear map
    angular: DirectionMap | None = None

    @classmethod
    def of_direction(cls, whitening: Whitening, coef: Floats, intercept: Floats) -> FittedMap:
        """Return a map of the direction alone."""
        nothing = np.zeros((len(coef), len(whitening.matrix)), coef.dtype)
        return cls(nothing, intercept, DirectionMap(whitening, coef))

    @classmethod
    def of_arrays(cls, coef: Floats, intercept: Floats, *angular: Floats) -> FittedMap:
        """Return the map of the arrays of `arrays`: two, or also those of a whitening."""
        part = DirectionMap(Whitening(*angular[:2]), angular[2]) if angular else None
        return cls(coef, intercept, part)

    def arrays(self) -> dict[str, Any]:
        """Return all numbers of the map, by the names of `AngularMap`."""
        arrays = {"coef": self.coef, "intercept": self.intercept}
        if self.angular is not None:
            arrays["whitening"] = self.angular.whitening.matrix
            arrays["whitened_centre"] = self.angular.whitening.centre
            arrays["angular_coef"] = self.angular.coef
        return arrays

    def logits(self, rows: Floats, *, unit: bool) -> npt.NDArray[np.float64]:
        """Return float64 (n, n_classes) logits of (n, dim) rows; `unit` scales them to length 1."""
        lengths = None
        if unit:  # after the products: no scaled copy of the rows is made
            rows, lengths = rows_and_lengths(rows)
        logits = rows @ self.coef.T.astype(rows.dtype, copy=False)
        if lengths is not None:
            logits /= lengths[:, None]
        if self.angular is not None:
            directions = self.angular.whitening.directions(rows, lengths)
            logits += directions @ self.angular.coef.T.astype(rows.dtype, copy=False)
        total: npt.NDArray[np.float64] = logits.astype(np.float64, copy=False) + self.intercept
        return total

    def scaled(self, factor: float) -> FittedMap:
        """Return the map with its logits multiplied by `factor`."""
        return self._each(lambda values: np.asarray(values * values.dtype.type(factor)))

    def shifted(self, shift: Floats) -> FittedMap:
        """Return the map with (n_classes,) added to its logits."""
        return replace(self, intercept=self.intercept + shift)

    def reordered(self, classes: list[int]) -> FittedMap:
        """Return the map of some classes, in the order of their positions."""
        return self._each(lambda values: values[classes])

    def plus(self, other: FittedMap) -> FittedMap:
        """Return the map of the sum of both logits.

        Raises
        ------
        ValueError
            Both have directions, of different whitenings: no map of this kind is their sum.
        """
        angular = self.angular or other.angular
        if self.angular is not None and other.angular is not None:
            if self.angular.whitening != other.angular.whitening:
                raise ValueError("maps of two whitenings have no sum")
            angular = replace(self.angular, coef=self.angular.coef + other.angular.coef)
        return FittedMap(self.coef + other.coef, self.intercept + other.intercept, angular)

    def astype(self, dtype: Any) -> FittedMap:
        """Return the map with all its numbers in another dtype."""
        return self.of_arrays(*(values.astype(dtype) for values in self.arrays().values()))

    def _each(self, change: Any) -> FittedMap:
        """Return the map with every array that has a row for each class changed."""
        angular = self.angular and replace(self.angular, coef=change(self.angular.coef))
        return FittedMap(change(self.coef), change(self.intercept), angular)


@dataclass(frozen=True, eq=False)
class NeighborVotes:
    """Logarithms of the classes' shares among the votes of the nearest rows."""

    rows: Floats  # (n, dim) training rows, scaled as new rows are
    codes: npt.NDArray[np.intp]  # (n,) positions of their classes, from 0 on without a gap
    n_neighbors: int  # Rows that vote, n at most
    weights: VoteWeights  # ``"distance"``: closer ones count more; or ``"uniform"``

    @cached_property
    def model(self) -> Any:
        """scikit-learn's classifier over the rows."""
        from sklearn.neighbors import KNeighborsClassifier

        model = KNeighborsClassifier(self.n_neighbors, weights=self.weights, algorithm="brute")
        return model.fit(self.rows, self.codes)

    def logits(self, rows: Floats, *, unit: bool) -> Double:
        """Return float64 (n, n_classes) logits of (n, dim) rows, -708 for a class without votes.

        `unit` scales the rows to length 1.
        """
        votes = self.model.predict_proba(unit_rows(rows) if unit else rows)
        return np.asarray(np.log(np.maximum(votes, _TINY)))


@dataclass(frozen=True, eq=False)
class Part:
    """One summand of a head's logits."""

    fitted: FittedMap | NeighborVotes  # Computes logits of a row
    unit: bool  # Whether the row is scaled to length 1 first
    scale: float = 1.0  # Factor on its logits


@dataclass(frozen=True, eq=False)
class FittedSum:
    """Logits of several parts, each times its scale, plus (n_classes,) `shift`."""

    parts: tuple[Part, ...]
    shift: Double

    @property
    def dim(self) -> int:
        """Width of the rows."""
        fitted = self.parts[0].fitted
        rows = fitted.rows if isinstance(fitted, NeighborVotes) else fitted.coef
        return int(rows.shape[1])

    def logits(self, rows: Floats) -> Double:
        """Return float64 (n, n_classes) logits of (n, dim) rows."""
        total = np.zeros((1, len(self.shift))) + self.shift
        for part in self.parts:
            total = total + part.scale * part.fitted.logits(rows, unit=part.unit)
        return total

    def scaled(self, factor: float) -> FittedSum:
        """Return the sum with its logits multiplied by `factor`."""
        parts = tuple(replace(part, scale=part.scale * factor) for part in self.parts)
        return FittedSum(parts, self.shift * factor)

    @classmethod
    def of(cls, heads: Sequence[tuple[Any, float]], classes: list[Any], shift: Double) -> FittedSum:
        """Add up fitted heads, each times its scale: see `fitted_sum`."""
        parts: list[Part] = []
        total = np.asarray(shift, np.float64)
        for head, scale in heads:
            own = fitted_sum(head, classes)
            parts += own.scaled(scale).parts
            total = total + scale * own.shift
        return cls(tuple(parts), total)


def ordered_map(head: Any, classes: list[Any]) -> FittedMap:
    """Return the one map that a fitted head computes, for classes that it knows, in their order."""
    known = np.asarray(head.classes_).tolist()
    ordered: FittedMap = head.fitted_map.reordered([known.index(label) for label in classes])
    return ordered


def fitted_sum(head: Any, classes: list[Any]) -> FittedSum:
    """Return the function of a fitted head for classes that it knows, in their order.

    Raises
    ------
    InputError
        When it cannot be written as arrays.
    """
    if hasattr(head, "fitted_map"):
        part = Part(ordered_map(head, classes), head.normalize == "l2")
        return FittedSum((part,), np.zeros(len(classes)))
    own: FittedSum | None = getattr(head, "fitted_sum", None)
    if own is None:
        raise InputError(
            f"{type(head).__name__} is no map of rows or their directions, and no vote of "
            "neighbours: keep it with joblib.dump."
        )
    return own

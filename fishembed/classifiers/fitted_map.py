"""The function of a fitted head: a linear map of rows, and one of their whitened directions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import rows_and_lengths, unit_rows

if TYPE_CHECKING:
    from fishembed.classifiers.gaussian import GaussianStatistics

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Whitening:
    """Coordinates in which rows vary the same in every direction within a class.

    Attributes
    ----------
    matrix
        (dim, rank): rows times it have the identity as covariance within classes.
    centre
        (rank,) what is subtracted after that: the mean of the class means, times the matrix.
    """

    matrix: Floats
    centre: Floats

    @classmethod
    def of(cls, statistics: GaussianStatistics, shrinkage: float) -> Whitening:
        """Return the root of the inverse of the shrunken covariance within classes."""
        matrix = statistics.directions * np.sqrt(statistics.precisions(shrinkage))
        return cls(matrix, statistics.centre @ matrix)

    def directions(self, rows: Floats, lengths: Floats | None = None) -> Floats:
        """Return whitened rows scaled to length 1.

        Parameters
        ----------
        rows
            (n, dim).
        lengths
            (n,) what to divide the rows by first; None for nothing.

        Returns
        -------
        (n, rank) in the dtype of `rows`.
        """
        whitened = rows @ self.matrix.astype(rows.dtype, copy=False)
        if lengths is not None:
            whitened /= lengths[:, None]
        whitened -= self.centre.astype(rows.dtype, copy=False)
        return unit_rows(whitened)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Whitening) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("matrix", "centre")
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class DirectionMap:
    """Logits ``coef @ direction`` of a row's whitened direction.

    Attributes
    ----------
    whitening
        Makes the direction.
    coef
        (n_classes, rank).
    """

    whitening: Whitening
    coef: Floats


@dataclass(frozen=True)
class FittedMap:
    """Logits ``coef @ row + intercept``, plus those of the row's whitened direction.

    Attributes
    ----------
    coef
        (n_classes, dim).
    intercept
        (n_classes,).
    angular
        The part that looks at the direction; None for a linear map.
    """

    coef: Floats
    intercept: Floats
    angular: DirectionMap | None = None

    @classmethod
    def of_direction(cls, whitening: Whitening, coef: Floats, intercept: Floats) -> FittedMap:
        """Return the map that looks at nothing but the direction."""
        nothing = np.zeros((len(coef), len(whitening.matrix)), coef.dtype)
        return cls(nothing, intercept, DirectionMap(whitening, coef))

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
            Both look at directions, of different whitenings: no map of this kind is their sum.
        """
        angular = self.angular or other.angular
        if self.angular is not None and other.angular is not None:
            if self.angular.whitening != other.angular.whitening:
                raise ValueError("maps of two whitenings have no sum")
            angular = replace(self.angular, coef=self.angular.coef + other.angular.coef)
        return FittedMap(self.coef + other.coef, self.intercept + other.intercept, angular)

    def astype(self, dtype: Any) -> FittedMap:
        """Return the map with all its numbers in another dtype."""
        converted = self._each(lambda values: values.astype(dtype))
        if converted.angular is None:
            return converted
        old = converted.angular.whitening
        whitening = Whitening(old.matrix.astype(dtype), old.centre.astype(dtype))
        return replace(converted, angular=replace(converted.angular, whitening=whitening))

    def _each(self, change: Any) -> FittedMap:
        """Return the map with every array that has a row for each class changed."""
        angular = self.angular and replace(self.angular, coef=change(self.angular.coef))
        return FittedMap(change(self.coef), change(self.intercept), angular)

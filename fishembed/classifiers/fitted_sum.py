"""The function of a head that is no single map: maps and votes of neighbours, added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.classifiers.fitted_map import FittedMap, Floats
from fishembed.errors import InputError

Double = npt.NDArray[np.float64]
VoteWeights = Literal["distance", "uniform"]
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class NeighborVotes:
    """Logarithms of the classes' shares among the votes of the nearest rows.

    Attributes
    ----------
    rows
        (n, dim) training rows, scaled as new rows are.
    codes
        (n,) positions of their classes, from 0 on without a gap.
    n_neighbors
        Rows that vote, n at most.
    weights
        ``"distance"``: closer ones count more; or ``"uniform"``.
    """

    rows: Floats
    codes: npt.NDArray[np.intp]
    n_neighbors: int
    weights: VoteWeights

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
    """One summand of a head's logits.

    Attributes
    ----------
    fitted
        What is computed of a row.
    unit
        Whether the row is scaled to length 1 first.
    scale
        What its logits are multiplied by.
    """

    fitted: FittedMap | NeighborVotes
    unit: bool
    scale: float = 1.0


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
        """Add up fitted heads, each times its scale.

        Raises
        ------
        InputError
            When one of them cannot be written as arrays.
        """
        parts: list[Part] = []
        total = np.asarray(shift, np.float64)
        for head, scale in heads:
            own = fitted_sum(head, classes)
            parts += own.scaled(scale).parts
            total = total + scale * own.shift
        return cls(tuple(parts), total)


def fitted_sum(head: Any, classes: list[Any]) -> FittedSum:
    """Return what a fitted head computes for classes that it knows, in their order.

    Raises
    ------
    InputError
        When it cannot be written as arrays.
    """
    if hasattr(head, "fitted_map"):
        known = np.asarray(head.classes_).tolist()
        ordered = head.fitted_map.reordered([known.index(label) for label in classes])
        return FittedSum((Part(ordered, head.normalize == "l2"),), np.zeros(len(classes)))
    own: FittedSum | None = getattr(head, "fitted_sum", None)
    if own is None:
        raise InputError(
            f"{type(head).__name__} is no map of rows or their directions, and no vote of "
            "neighbours: keep it with joblib.dump."
        )
    return own

"""The training images that lie nearest to a picture: why a head may have said what it said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.cache import Store, Which, open_joined
from fishembed.errors import StoreMismatchError
from fishembed.reports.rows import Indices, divide
from fishembed.reports.run import Run

_AT_ONCE = 8192  # training rows that are compared at once

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A training image near a picture.

    Attributes
    ----------
    path, label
        As the store names it, and its class.
    similarity
        Cosine between the two vectors, -1 to 1.
    """

    path: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Evidence:
    """What a run's head learnt from.

    Attributes
    ----------
    store, rows, features
        The store, its training rows and the kind of vectors.
    """

    store: Store
    rows: Indices
    features: Which

    @classmethod
    def of(cls, run: Run) -> Evidence:
        """Open the store of a run.

        Raises
        ------
        StoreNotFoundError
            When it is no longer where it was.
        StoreMismatchError
            When it has changed since.
        """
        told = run.info
        store = open_joined([one["path"] for one in told.get("stores") or [told["store"]]])
        if store.fingerprint != told["store"]["fingerprint"]:
            raise StoreMismatchError(
                f"{str(store.path)!r} has changed since the run {run.name!r} was made, so it no "
                "longer tells what the head learnt from: fit again"
            )
        split = told["scored_split"]
        division = divide(store, None if split == "holdout" else split, told["seed"])
        return cls(store, division.train, run.features)

    def nearest(self, X: Floats, n: int) -> list[tuple[Neighbour, ...]]:
        """Give the `n` nearest training images of each vector by cosine, nearest first.

        Parameters
        ----------
        X
            float32 (n_pictures, dim).
        """
        wanted = unit_rows(X)
        best: npt.NDArray[Any] = np.empty((len(X), 0), np.float32)
        at: npt.NDArray[Any] = np.empty((len(X), 0), np.intp)
        for start in range(0, len(self.rows), _AT_ONCE):
            rows = self.rows[start : start + _AT_ONCE]
            found = wanted @ unit_rows(self.store.vectors(rows, self.features)).T
            best = np.concatenate([best, found], axis=1)
            at = np.concatenate([at, np.broadcast_to(rows, found.shape)], axis=1)
            order = np.argsort(-best, axis=1, kind="stable")[:, :n]
            best, at = (np.take_along_axis(array, order, axis=1) for array in (best, at))
        return [
            tuple(self._neighbour(row, cosine) for row, cosine in zip(rows, cosines, strict=True))
            for rows, cosines in zip(at.tolist(), best.tolist(), strict=True)
        ]

    def _neighbour(self, row: int, cosine: float) -> Neighbour:
        return Neighbour(self.store.paths[row], self.store.classes[self.store.labels[row]], cosine)

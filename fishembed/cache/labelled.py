"""What classifiers ask of vectors with labels, wherever these lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from fishembed.cache.concatenated import LazyRows, Selected
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

Which = Literal["image", "trunk"]
"""The vectors of the joint space, or those before the projection into it."""


class LabelledVectors(ABC):
    """Rows with a vector, a label and a split each."""

    path: AnyPath

    @property
    @abstractmethod
    def labels(self) -> npt.NDArray[np.int32]:
        """int32 (n,), -1 for none."""

    @property
    @abstractmethod
    def splits(self) -> npt.NDArray[np.str_]:
        """Text (n,): train, val, test or ""."""

    @abstractmethod
    def vectors(
        self, rows: npt.NDArray[np.intp] | Sequence[int], which: Which = "image"
    ) -> npt.NDArray[np.float32]:
        """Give float32 (len(rows), dim) of the rows named."""

    @abstractmethod
    def width(self, which: Which = "image") -> int:
        """Give the length of a vector."""

    @abstractmethod
    def feature_fingerprint(self, which: Which = "image") -> str:
        """Give the identity of the vectors' space: a head that learnt in it fits no other."""

    def split(
        self, name: str, which: Which = "image"
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Give the labelled rows of a split, ready for a classifier.

        Parameters
        ----------
        name
            train, val or test; "all" for every labelled row.
        which
            "image", or "trunk" for the vectors before the projection.

        Returns
        -------
        X : float32 (n, dim)
        y : int32 (n,)
            Labels into `classes`.

        Raises
        ------
        InputError
            When no labelled row has that split, or there are no trunk vectors.
        """
        rows = self.split_rows(name)
        return self.vectors(rows, which), self.labels[rows]

    def lazy_split(
        self, name: str, which: Which = "image"
    ) -> tuple[LazyRows, npt.NDArray[np.int32]]:
        """Give the labelled rows of a split without reading their vectors.

        Parameters
        ----------
        name, which
            See `split`.

        Returns
        -------
        X : LazyRows
            (n, dim), in the type of the store; a slice of it is an array. The heads that
            train from blocks take it as it is.
        y : int32 (n,)
            Labels into `classes`.

        Raises
        ------
        InputError
            See `split`; also for joined stores.
        """
        matrix = getattr(self, "trunk" if which == "trunk" else "features", None)
        if matrix is None:
            raise InputError("joined stores are scaled row by row: read them with 'split'")
        rows = self.split_rows(name)
        return Selected(matrix, rows), self.labels[rows]

    def split_rows(self, name: str) -> npt.NDArray[np.intp]:
        """Give the row numbers that `split` reads."""
        wanted = self.labels >= 0
        if name != "all":
            wanted &= self.splits == name
        rows = np.flatnonzero(wanted)
        if not len(rows):
            raise InputError(
                f"{str(self.path)!r} has no labelled row in the split {name!r}; it has "
                f"{self._what_is_labelled()}"
            )
        return rows

    def _what_is_labelled(self) -> str:
        labelled = self.labels >= 0
        names = sorted({str(name) for name in np.unique(self.splits[labelled])} - {""})
        return ", ".join(names) or ("labels without splits" if labelled.any() else "no labels")

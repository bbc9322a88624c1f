"""Rows that are read where they are looked at: of several arrays, or some of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Key = int | slice | Sequence[int] | npt.NDArray[Any]


class Matrix(Protocol):
    """What can be asked for rows: an array, a memory map, or one of the classes below."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, dim)."""
        ...

    @property
    def dtype(self) -> Any:
        """Of the rows."""
        ...

    def __getitem__(self, key: Any, /) -> Any:
        """Give rows as an array."""
        ...


class LazyRows:
    """A matrix (n, dim) whose rows are read when they are asked for; see the subclasses.

    Parameters
    ----------
    n, dim
        Its shape; `n` may be beyond 32 bits.
    dtype
        Of its rows.
    """

    ndim = 2

    def __init__(self, n: int, dim: int, dtype: npt.DTypeLike) -> None:
        self.shape = (n, dim)
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Key) -> npt.NDArray[Any]:
        """Give rows by number, slice, list of numbers or mask, as an array in memory."""
        n = len(self)
        if isinstance(key, slice):
            start, stop, step = key.indices(n)
            if step == 1:
                return self._between(start, max(start, stop))
            return self._at(np.arange(start, stop, step, dtype=np.int64))
        wanted = np.asarray(key)
        if wanted.dtype == bool:
            wanted = np.flatnonzero(wanted)
        wanted = wanted.astype(np.int64)
        if wanted.size and not (-n <= wanted.min() and wanted.max() < n):
            raise IndexError(f"row {int(np.abs(wanted).max()):,} of {n:,}")
        wanted = np.where(wanted < 0, wanted + n, wanted)
        rows = self._at(np.atleast_1d(wanted))
        return rows if wanted.ndim else np.asarray(rows[0])

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        """Read all of it into memory."""
        return self[:].astype(dtype or self.dtype, copy=False)

    def _between(self, start: int, stop: int) -> npt.NDArray[Any]:
        return self._at(np.arange(start, stop, dtype=np.int64))

    def _at(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        raise NotImplementedError


class Concatenated(LazyRows):
    """Several matrices one below the other.

    Parameters
    ----------
    lengths
        Rows of each.
    matrix
        Gives the matrix of a number; asked for those whose rows are wanted only.
    dim, dtype
        Of all.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        matrix: Callable[[int], Matrix],
        dim: int,
        dtype: npt.DTypeLike,
    ) -> None:
        self.starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        super().__init__(int(self.starts[-1]), dim, dtype)
        self._matrix = matrix

    def _between(self, start: int, stop: int) -> npt.NDArray[Any]:
        out = np.empty((stop - start, self.shape[1]), self.dtype)
        done = start
        while done < stop:
            number = int(np.searchsorted(self.starts, done, "right")) - 1
            first, behind = int(self.starts[number]), min(int(self.starts[number + 1]), stop)
            out[done - start : behind - start] = self._matrix(number)[done - first : behind - first]
            done = behind
        return out

    def _at(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        numbers = np.searchsorted(self.starts, rows, "right") - 1
        for number in np.unique(numbers):
            mine = numbers == number
            out[mine] = self._matrix(int(number))[rows[mine] - self.starts[number]]
        return out


class Selected(LazyRows):
    """Some rows of a matrix, in the order named.

    Parameters
    ----------
    matrix
        Where they are.
    rows
        Their numbers.
    """

    def __init__(self, matrix: Matrix, rows: npt.NDArray[np.intp]) -> None:
        super().__init__(len(rows), matrix.shape[1], matrix.dtype)
        self._matrix, self._rows = matrix, rows

    def _between(self, start: int, stop: int) -> npt.NDArray[Any]:
        rows = self._rows[start:stop]
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return np.asarray(self._matrix[int(rows[0]) : int(rows[-1]) + 1])
        return np.asarray(self._matrix[rows])

    def _at(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        return np.asarray(self._matrix[self._rows[rows]])

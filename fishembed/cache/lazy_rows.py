"""Matrices whose rows are read when they are asked for.

A memory map occupies every page that was touched until the system reclaims it; these read what is
wanted and cache nothing, so that a matrix may be larger than memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.errors import StoreClosedError

Key = int | slice | Sequence[int] | npt.NDArray[Any]

_DENSE = 8
"""Rows that lie within this many times their number are read at once."""


class Matrix(Protocol):
    """Protocol of what returns rows: an array, a memory map, or one of the classes below."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, dim)."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of the rows."""
        ...

    def __getitem__(self, key: Any, /) -> Any:
        """Return rows as an array."""
        ...


class LazyRows:
    """Base of the matrices (n, dim) here; a subclass reads rows by their numbers."""

    ndim = 2

    def __init__(self, n: int, dim: int, dtype: npt.DTypeLike) -> None:
        self.shape = (n, dim)
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Key) -> npt.NDArray[Any]:
        """Return rows by number, slice, list of numbers or mask, as an array in memory."""
        n = len(self)
        if isinstance(key, slice):
            start, stop, step = key.indices(n)
            if step == 1:
                return self._range(start, max(start, stop))
            return self._take(np.arange(start, stop, step, dtype=np.int64))
        numbers = np.asarray(key)
        if numbers.dtype == bool:
            numbers = np.flatnonzero(numbers)
        numbers = numbers.astype(np.int64)
        if numbers.size and not (-n <= numbers.min() and numbers.max() < n):
            raise IndexError(f"row {int(np.abs(numbers).max()):,} of {n:,}")
        numbers = np.where(numbers < 0, numbers + n, numbers)
        rows = self._take(np.atleast_1d(numbers))
        return rows if numbers.ndim else np.asarray(rows[0])

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        """Read all rows into memory."""
        return self[:].astype(dtype or self.dtype, copy=False)

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        return self._take(np.arange(start, stop, dtype=np.int64))

    def _take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        raise NotImplementedError


class ComputedRows(LazyRows):
    """Rows start to stop that a function returns; `write_store` asks for them in order."""

    def __init__(
        self,
        compute: Callable[[int, int], npt.NDArray[Any]],
        n: int,
        dim: int,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__(n, dim, dtype)
        self._compute = compute

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        return self._compute(start, stop)

    def _take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        blocks = [self._compute(int(row), int(row) + 1) for row in rows]
        return np.concatenate(blocks) if blocks else self._compute(0, 0)


class StackedRows(LazyRows):
    """Several matrices of these lengths and one dim one below the other.

    `matrix` returns the one of a number; it is called only for those whose rows are asked for.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        matrix: Callable[[int], Matrix],
        dim: int,
        dtype: npt.DTypeLike,
    ) -> None:
        self._starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        super().__init__(int(self._starts[-1]), dim, dtype)
        self._matrix = matrix

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        out = np.empty((stop - start, self.shape[1]), self.dtype)
        done = start
        while done < stop:
            number = int(np.searchsorted(self._starts, done, "right")) - 1
            first, end = int(self._starts[number]), min(int(self._starts[number + 1]), stop)
            out[done - start : end - start] = self._matrix(number)[done - first : end - first]
            done = end
        return out

    def _take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        numbers = np.searchsorted(self._starts, rows, "right") - 1
        for number in np.unique(numbers):
            inside = numbers == number
            out[inside] = self._matrix(int(number))[rows[inside] - self._starts[number]]
        return out


class SelectedRows(LazyRows):
    """Some rows of a matrix, in the order of their numbers."""

    def __init__(self, matrix: Matrix, rows: npt.NDArray[np.integer[Any]]) -> None:
        super().__init__(len(rows), matrix.shape[1], matrix.dtype)
        self._matrix, self._rows = matrix, rows

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        rows = self._rows[start:stop]
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return np.asarray(self._matrix[int(rows[0]) : int(rows[-1]) + 1])
        return np.asarray(self._matrix[rows])

    def _take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        return np.asarray(self._matrix[self._rows[rows]])


class JoinedRows(LazyRows):
    """Rows of several matrices side by side, each part scaled to length 1; float32.

    `rows` (n, n_matrices) are the numbers that each row has in each matrix.
    """

    def __init__(self, matrices: Sequence[Matrix], rows: npt.NDArray[np.integer[Any]]) -> None:
        super().__init__(len(rows), sum(int(one.shape[1]) for one in matrices), np.float32)
        self._matrices, self._rows = matrices, rows

    def _take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        numbers = self._rows[rows].T
        parts = [unit_rows(one[at]) for one, at in zip(self._matrices, numbers, strict=True)]
        return np.concatenate(parts, axis=1).astype(np.float32, copy=False)


def file_rows(dataset: h5py.Dataset) -> Matrix:
    """Return the rows of a dataset, read from its file when they are asked for."""
    offset = dataset.id.get_offset()
    if offset is None or not hasattr(os, "preadv"):  # chunked, or Windows: HDF5 reads it
        return dataset  # type: ignore[no-any-return]
    return _FileRows(dataset, offset)


class _FileRows(LazyRows):
    """Rows of a contiguous dataset, by plain reads from where its first row starts in the file.

    The dataset stays open as long as this does, also when another file took its place.
    """

    def __init__(self, dataset: h5py.Dataset, offset: int) -> None:
        n, dim = dataset.shape
        super().__init__(n, dim, dataset.dtype)
        self._dataset = dataset
        self._handle = dataset.file.id.get_vfd_handle()
        self._offset = offset

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        if not self._dataset:  # closed: its handle may be another file's by now
            raise StoreClosedError(
                "the store of these rows is closed: read them before, or open the store again"
            )
        length = self.shape[1] * self.dtype.itemsize
        rows = np.empty((max(0, stop - start), self.shape[1]), self.dtype)
        left = rows.data.cast("B") if rows.size else memoryview(b"")
        at = self._offset + start * length
        while left:
            n = os.preadv(self._handle, [left], at)
            if not n:
                raise OSError(f"{self._dataset.file.filename!r} ends before row {stop:,}")
            left, at = left[n:], at + n
        return rows

    def _take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        if not len(rows):
            return self._range(0, 0)
        first, last = int(rows.min()), int(rows.max())
        if last - first < _DENSE * len(rows):
            return np.asarray(self._range(first, last + 1)[rows - first])
        return np.concatenate([self._range(int(row), int(row) + 1) for row in rows])

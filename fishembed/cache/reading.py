"""Rows of a file by plain reads, so that what was looked at does not stay in memory.

A memory map counts every page that was touched until the system takes it back; who goes
through ten times the memory again and again does better without.
"""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.cache.concatenated import LazyRows, Matrix

_DENSE = 8
"""Rows that lie within this many times their number are read in one go."""


def plain_rows(dataset: h5py.Dataset) -> Matrix:
    """Give the rows of a dataset, read where they are looked at."""
    offset = dataset.id.get_offset()
    if offset is None or not hasattr(os, "preadv"):  # chunked, or Windows: HDF5 reads it
        return dataset  # type: ignore[no-any-return]
    return _PlainRows(dataset, offset)


class _PlainRows(LazyRows):
    """Rows of a contiguous dataset.

    Parameters
    ----------
    dataset
        Stays open as long as this does, also when another file took its place.
    offset
        Where its first row begins in the file.
    """

    def __init__(self, dataset: h5py.Dataset, offset: int) -> None:
        n, dim = dataset.shape
        super().__init__(n, dim, dataset.dtype)
        self._dataset = dataset
        self._handle = dataset.file.id.get_vfd_handle()
        self._offset = offset

    def _between(self, start: int, stop: int) -> npt.NDArray[Any]:
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

    def _at(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        if not len(rows):
            return self._between(0, 0)
        first, last = int(rows.min()), int(rows.max())
        if last - first < _DENSE * len(rows):
            return np.asarray(self._between(first, last + 1)[rows - first])
        return np.concatenate([self._between(int(row), int(row) + 1) for row in rows])

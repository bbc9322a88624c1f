"""Checksums over blocks of rows, so that a flipped byte is found and named."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.cache.lazy_rows import Matrix
from fishembed.cache.schema import CHECKED_ROWS, CHECKSUMS

_FINITE_ROWS = 1024
"""Rows that are looked at at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Damage:
    """A block of rows that is not what was written.

    Attributes
    ----------
    dataset
        Which one, by its name in the file; "attributes" for what the file says of itself.
    first, last
        Row numbers, both included.
    """

    dataset: str
    first: int
    last: int


def block_checksums(array: Matrix | npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
    """Return the CRC-32 of each block of rows.

    Parameters
    ----------
    array
        (n, …) of a type without pointers, the first row at a block's start.

    Returns
    -------
    uint32 (ceil(n / CHECKED_ROWS),)
    """
    starts = range(0, array.shape[0], CHECKED_ROWS)
    blocks = (np.ascontiguousarray(array[s : s + CHECKED_ROWS]) for s in starts)
    return np.array([zlib.crc32(block.view(np.uint8).data) for block in blocks], dtype=np.uint32)


def read_checksums(file: h5py.File) -> dict[str, npt.NDArray[np.uint32]]:
    """Return the checksums that a file holds, by the name of what they are of."""
    found: dict[str, npt.NDArray[np.uint32]] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    file[CHECKSUMS].visititems(visit)
    return found


def attributes_checksum(attributes: Mapping[str, object]) -> int:
    """Return the CRC-32 of a file's attributes; HDF5 keeps their text where it checks nothing."""
    return zlib.crc32(repr(sorted((name, str(attributes[name])) for name in attributes)).encode())


def find_damage(
    name: str, array: Matrix | npt.NDArray[np.generic], expected: npt.NDArray[np.uint32]
) -> list[Damage]:
    """Compare an array with the checksums it was written with.

    Returns
    -------
    list of Damage
        The blocks that differ, touching ones as one; all rows where even the number of
        blocks differs.
    """
    found = block_checksums(array)
    if found.shape != expected.shape:
        return [Damage(name, 0, max(0, array.shape[0] - 1))]
    bad = np.flatnonzero(found != expected)
    runs = np.split(bad, np.flatnonzero(np.diff(bad) > 1) + 1) if len(bad) else []
    return [
        Damage(
            name,
            int(run[0]) * CHECKED_ROWS,
            min((int(run[-1]) + 1) * CHECKED_ROWS, array.shape[0]) - 1,
        )
        for run in runs
    ]


def first_not_finite(matrix: Matrix | npt.NDArray[np.generic]) -> int | None:
    """Return the first row with a NaN or an infinity; None where all are finite."""
    for start in range(0, matrix.shape[0], _FINITE_ROWS):
        block = np.asarray(matrix[start : start + _FINITE_ROWS])
        finite = np.isfinite(block)
        if not finite.all():
            return start + int(np.argmin(finite.all(axis=1)))
    return None

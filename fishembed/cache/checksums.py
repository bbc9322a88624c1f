"""Checksums over blocks of rows, so that a flipped byte is found and named."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from fishembed.cache.schema import CHECKED_ROWS


def block_checksums(vectors: npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
    """Give the CRC-32 of each block of rows.

    Parameters
    ----------
    vectors
        (n, dim), the first row at a block's start.

    Returns
    -------
    uint32 (ceil(n / CHECKED_ROWS),)
    """
    starts = range(0, len(vectors), CHECKED_ROWS)
    blocks = (np.ascontiguousarray(vectors[s : s + CHECKED_ROWS]) for s in starts)
    return np.array([zlib.crc32(block.view(np.uint8).data) for block in blocks], dtype=np.uint32)


def damaged_blocks(
    vectors: npt.NDArray[np.generic], expected: npt.NDArray[np.uint32]
) -> list[tuple[int, int]]:
    """Give (first, behind last) row of each block whose checksum differs."""
    bad = np.flatnonzero(block_checksums(vectors) != expected)
    return [(int(b) * CHECKED_ROWS, min((int(b) + 1) * CHECKED_ROWS, len(vectors))) for b in bad]

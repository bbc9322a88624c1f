"""Exact search for similar embeddings, in blocks, so that memory does not grow with pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.nearest import BLOCK

Features = npt.NDArray[Any]
"""(n, dim) float16 or float32, an array or a memory map; rows of any length."""

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


class Pairs(NamedTuple):
    """Pairs of rows (first < second) and their cosines, (n_pairs,) each."""

    first: Indices  # intp (n_pairs,) row numbers, first < second
    second: Indices
    cosine: Floats  # float32 (n_pairs,)


def similar_pairs(features: Features, threshold: float, *, block: int = BLOCK) -> Iterator[Pairs]:
    """Yield every pair of rows whose cosine reaches a threshold, each pair once.

    `features` (n, dim) are read `block` rows at a time, and pairs come from two blocks at a time.
    """
    n = len(features)
    for start in range(0, n, block):
        rows = unit_rows(features[start : start + block])
        for other in range(start, n, block):
            columns = rows if other == start else unit_rows(features[other : other + block])
            cosines = rows @ columns.T
            if other == start:
                cosines[np.tril_indices(len(rows))] = -2
            if cosines.max(initial=-2) < threshold:
                continue
            first, second = np.nonzero(cosines >= threshold)
            yield Pairs(first + start, second + other, cosines[first, second])

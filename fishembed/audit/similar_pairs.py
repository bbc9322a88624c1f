"""Exact search for similar embeddings, in blocks, so that memory does not grow with pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.nearest import nearest_rows

Features = npt.NDArray[Any]
"""(n, dim) float16 or float32, an array or a memory map; rows of any length."""

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

BLOCK = 2048
"""Rows that are compared with as many others at once: 16 MB of cosines."""


class Pairs(NamedTuple):
    """Pairs of rows and their cosines."""

    first: Indices  # intp (n_pairs,) row numbers, first < second
    second: Indices
    cosine: Floats  # float32 (n_pairs,)


def similar_pairs(features: Features, threshold: float, *, block: int = BLOCK) -> Iterator[Pairs]:
    """Yield every pair of rows whose cosine reaches a threshold.

    Parameters
    ----------
    features
        (n, dim), read block by block.
    threshold
        Cosine.
    block
        Rows of a block.

    Yields
    ------
    Pairs
        Of two blocks at a time; together each pair once.
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


def nearest_in_other_groups(
    features: Features, rows: Indices, groups: npt.NDArray[np.integer[Any]], *, block: int = BLOCK
) -> Floats:
    """Return for some rows the cosine with the nearest row of another group.

    Parameters
    ----------
    features
        (n, dim).
    rows
        intp (n_rows,) the rows to search for.
    groups
        Integers (n,): rows of one group are not compared, nor those below 0.

    Returns
    -------
    float32 (n_rows,)
        -1 where there is no other group.
    """
    _, cosines = nearest_rows(
        features[rows],
        lambda start, stop: features[start:stop],
        len(features),
        excluded=lambda some, others: (
            (groups[rows[some]][:, None] == groups[None, others]) | (groups[None, others] < 0)
        ),
        block=block,
    )
    return cosines[:, 0]

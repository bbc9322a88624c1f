"""Exact search for similar embeddings, in blocks, so that memory does not grow with pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.nearest import BLOCK
from fishembed.evaluation.near_duplicates import CopyDetector

Features = npt.NDArray[Any]
"""(n, dim) float16 or float32, an array or a memory map; rows of any length."""

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


_FEW = 8


class Pairs(NamedTuple):
    """Pairs of rows (first < second) and their cosines, (n_pairs,) each."""

    first: Indices  # intp (n_pairs,) row numbers, first < second
    second: Indices
    cosine: Floats  # float32 (n_pairs,)
    copies: npt.NDArray[np.bool_]  # Whether both are the same photo, and not only alike
    alike: npt.NDArray[np.bool_]  # Whether their cosine reaches the threshold, or they are copies

    def where(self, chosen: npt.NDArray[np.bool_]) -> Pairs:
        """Return some of the pairs."""
        first, second, cosine, copies, alike = self
        return Pairs(first[chosen], second[chosen], cosine[chosen], copies[chosen], alike[chosen])


def similar_pairs(
    features: Features,
    threshold: float,
    *,
    detector: CopyDetector | None = None,
    lowest: float | None = None,
    block: int = BLOCK,
) -> Iterator[Pairs]:
    """Yield every pair of rows that are copies or whose cosine reaches a threshold, each once.

    `features` (n, dim) are read `block` rows at a time, and pairs come from two blocks at a time.
    Without a `detector`, which looks at pixels, all pairs are taken for copies. From the cosine
    `lowest` on, pairs come too that are neither alike nor copies, at most a few for each row.
    """
    n = len(features)
    for start in range(0, n, block):
        rows = unit_rows(features[start : start + block])
        for other in range(start, n, block):
            columns = rows if other == start else unit_rows(features[other : other + block])
            cosines = rows @ columns.T
            if other == start:
                cosines[np.tril_indices(len(rows))] = -2
            alike = cosines >= threshold
            copies = alike
            if detector is not None:
                at = slice(start, start + len(rows)), slice(other, other + len(columns))
                copies = detector.copies(*at, cosines) & (cosines > -2)
                alike = alike | copies
            found = alike if lowest is None else alike | (cosines >= _cut(cosines, lowest))
            first, second = np.nonzero(found)
            if len(first):
                in_block = first, second
                yield Pairs(
                    first + start,
                    second + other,
                    cosines[in_block],
                    copies[in_block],
                    alike[in_block],
                )


def _cut(cosines: Floats, lowest: float) -> float:
    """Return the cosine from which there are no more than a few pairs for each row."""
    most = _FEW * len(cosines)
    if np.count_nonzero(cosines >= lowest) <= most:
        return lowest
    return float(np.partition(cosines, -most, axis=None)[-most])

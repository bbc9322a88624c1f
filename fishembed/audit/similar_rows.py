"""Exact search for similar embeddings, in blocks; rows that belong together as numbered groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import BLOCK, Indices, Single, unit_rows
from fishembed.evaluation.near_duplicates import CopyDetector

Features = npt.NDArray[Any]
"""(n, dim) float16 or float32, an array or a memory map; rows of any length."""


_FEW = 8
_MERGE_AT = 1_000_000


class Pairs(NamedTuple):
    """Pairs of rows and their cosines, (n_pairs,) each."""

    first: Indices  # intp (n_pairs,) row numbers, first < second
    second: Indices
    cosine: Single  # float32 (n_pairs,)
    copies: npt.NDArray[np.bool_]  # Whether one is a copy of the other, and not only alike
    alike: npt.NDArray[np.bool_]  # Whether their cosine reaches the threshold, or they are copies

    def where(self, chosen: npt.NDArray[np.bool_]) -> Pairs:
        """Return some of the pairs."""
        return Pairs._make(column[chosen] for column in self)


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
    Without a `detector`, which compares pixels, all pairs count as copies. From the cosine
    `lowest` on, pairs are also yielded that are neither alike nor copies, a few for each row at
    most.
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
                columns_of_pairs = (each[first, second] for each in (cosines, copies, alike))
                yield Pairs(first + start, second + other, *columns_of_pairs)


def _cut(cosines: Single, lowest: float) -> float:
    """Return the cosine from which there are no more than a few pairs for each row."""
    most = _FEW * len(cosines)
    if np.count_nonzero(cosines >= lowest) <= most:
        return lowest
    return float(np.partition(cosines, -most, axis=None)[-most])


class ConnectedRows:
    """Connect some of `n` rows pair by pair, holding no more than a million pairs at a time."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._group = np.arange(n)
        self._pending: list[tuple[Indices, Indices]] = []
        self._n_pending = 0

    def connect(self, first: Indices, second: Indices) -> None:
        """Connect row `first[i]` with row `second[i]`."""
        self._pending.append((first, second))
        self._n_pending += len(first)
        if self._n_pending > _MERGE_AT:
            self._merge()

    def connect_equal(self, keys: Sequence[str] | npt.NDArray[np.generic]) -> None:
        """Connect all rows of the same key; "" connects nothing."""
        values = keys.tolist() if isinstance(keys, np.ndarray) else keys
        seen: dict[object, int] = {}
        pairs = [(seen.setdefault(key, row), row) for row, key in enumerate(values) if key != ""]
        if pairs:
            first, second = np.array(pairs, np.intp).T
            self.connect(first, second)

    def groups(self) -> Indices:
        """Return each row's group, intp (n,), numbered from 0 in the order of first rows."""
        self._merge()
        return self._group

    def _merge(self) -> None:
        if not self._pending:
            return
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        first, second = (np.concatenate(ends) for ends in zip(*self._pending, strict=True))
        ends = self._group[first], self._group[second]
        graph = coo_array((np.ones(len(first), np.int8), ends), shape=(self._n, self._n))
        _, number = connected_components(graph, directed=False)
        self._group = number[self._group].astype(np.intp)
        self._pending, self._n_pending = [], 0


def connected_groups(*columns: Sequence[str] | npt.NDArray[np.generic]) -> Indices:
    """Return a number for each row, intp (n,); rows that share a value in any column share it.

    Each column is text (n,), "" for a row of its own, or integers (n,).

    Examples
    --------
    >>> connected_groups(["a", "", "b", "a"], ["", "x", "x", ""]).tolist()
    [0, 1, 1, 0]
    """
    rows = ConnectedRows(len(columns[0]))
    for column in columns:
        rows.connect_equal(column)
    return rows.groups()

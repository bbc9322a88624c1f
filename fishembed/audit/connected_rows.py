"""Rows that belong together for any of several reasons, as numbered groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.intp]

_MERGE_AT = 1_000_000


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
    """Return a number for each row; rows that share a value in any column share it.

    Parameters
    ----------
    columns
        Text (n,), "" for a row of its own; or integers (n,).

    Returns
    -------
    intp (n,)
        Numbered from 0.

    Examples
    --------
    >>> connected_groups(["a", "", "b", "a"], ["", "x", "x", ""]).tolist()
    [0, 1, 1, 0]
    """
    rows = ConnectedRows(len(columns[0]))
    for column in columns:
        rows.connect_equal(column)
    return rows.groups()

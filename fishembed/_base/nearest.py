"""The nearest rows by cosine, searched block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows

BLOCK = 2048
"""Rows that are compared with as many others at once: 16 MB of cosines."""


def nearest_rows(
    queries: npt.ArrayLike,
    read: Callable[[int, int], npt.ArrayLike],
    n_rows: int,
    n: int = 1,
    *,
    excluded: Callable[[slice, slice], npt.NDArray[np.bool_]] | None = None,
    block: int = BLOCK,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Return the `n` nearest of `n_rows` rows to each query by cosine, nearest first.

    Parameters
    ----------
    queries
        (n_queries, dim) of any scale.
    read
        Returns rows start to stop as (stop - start, dim).
    n_rows, n
        Number of rows to search, and of neighbours; all rows where there are fewer.
    excluded
        Returns for slices of queries and of rows a bool (n_queries, n_rows) of pairs that are
        not compared.
    block
        Rows, and queries, that are compared at once.

    Returns
    -------
    rows, cosines
        intp and float32 (n_queries, n); cosine -1 where no row could be compared.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> rows, cosines = nearest_rows([[2.0, 0.1]], lambda start, stop: X[start:stop], len(X), 2)
    >>> rows.tolist(), cosines.round(2).tolist()
    ([[0, 2]], [[1.0, 0.7400000095367432]])
    """
    X = np.asarray(queries)
    n = min(n, n_rows)
    rows = np.empty((len(X), n), np.intp)
    cosines = np.empty(rows.shape, np.float32)
    for begin in range(0, len(X), block):
        some = slice(begin, min(begin + block, len(X)))
        wanted = np.asarray(unit_rows(X[some]), np.float32)
        best = np.empty((len(wanted), 0), np.float32)
        at = np.empty((len(wanted), 0), np.intp)
        for start in range(0, n_rows, block):
            others = slice(start, min(start + block, n_rows))
            found = wanted @ np.asarray(unit_rows(read(others.start, others.stop)), np.float32).T
            if excluded is not None:
                found[excluded(some, others)] = -1
            if best.shape[1] < n:
                numbers = np.broadcast_to(np.arange(others.start, others.stop), found.shape)
                best, at = _first(np.hstack([best, found]), np.hstack([at, numbers]), n)
            else:
                _improve(best, at, found, start)
        rows[some], cosines[some] = at, best
    return rows, cosines


def _first(
    cosines: npt.NDArray[np.float32], numbers: npt.NDArray[np.intp], n: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Return the n largest cosines of each query, the first of equal ones first."""
    if n == 1:
        order = cosines.argmax(axis=1)[:, None]
    else:
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
    return np.take_along_axis(cosines, order, 1), np.take_along_axis(numbers, order, 1)


def _improve(
    best: npt.NDArray[np.float32],
    at: npt.NDArray[np.intp],
    found: npt.NDArray[np.float32],
    start: int,
) -> None:
    """Put a block's cosines, whose rows begin at `start`, among the best of each query in place.

    After a few blocks hardly any is: only those above the least of the best are sorted.
    """
    query, row = np.nonzero(found > best[:, -1:])
    if not len(query):
        return
    better, first, counts = np.unique(query, return_index=True, return_counts=True)
    place = (
        np.repeat(np.arange(len(better)), counts),
        np.arange(len(query)) - np.repeat(first, counts),
    )
    cosines = np.full((len(better), counts.max()), -np.inf, np.float32)
    numbers = np.zeros(cosines.shape, np.intp)
    cosines[place], numbers[place] = found[query, row], start + row
    best[better], at[better] = _first(
        np.hstack([best[better], cosines]), np.hstack([at[better], numbers]), best.shape[1]
    )

"""Rows scaled to length 1, the nearest by cosine; sums, ranks and quantiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # numbers of any type
Floats = npt.NDArray[np.floating[Any]]  # numbers of single or double precision
Single = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]  # numbers of rows
Codes = npt.NDArray[np.intp]  # numbers of classes
Ints = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer[Any]]
Pixels = npt.NDArray[np.uint8]

_MANY_COLUMNS, _FEW_OF_MANY = 500, 10


def rows_and_lengths(X: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return rows, and the Euclidean length of each, 1 where it is 0.

    Rows that are too large or too small to be squared in their dtype come divided by their
    largest value, and so do their lengths; the others as they are.

    `X` is (…, dim); both are float64 for float64, else float32: half floats would overflow.
    """
    rows = np.asarray(X)
    if rows.dtype != np.float64:
        rows = np.asarray(rows, np.float32)
    with np.errstate(over="ignore", under="ignore"):
        squares = np.asarray(np.einsum("...i,...i->...", rows, rows))
    extreme = ~np.isfinite(squares) | (squares < np.finfo(squares.dtype).tiny)
    if extreme.any():
        largest = np.abs(rows[extreme]).max(axis=-1, initial=0)
        usable = np.isfinite(largest) & (largest > 0)
        rows = rows.copy()
        rows[extreme] /= np.where(usable, largest, 1)[..., None]
        with np.errstate(over="ignore", under="ignore"):
            squares[extreme] = np.einsum("...i,...i->...", rows[extreme], rows[extreme])
    return rows, np.sqrt(np.where(squares > 0, squares, squares.dtype.type(1)))


def largest(values: npt.NDArray[Any], n: int) -> npt.NDArray[np.intp]:
    """Return the columns of the `n` largest values of each row, the first of equal ones first.

    `values` are floating-point numbers (n_rows, n_columns), the result intp (n_rows, n or fewer).

    Examples
    --------
    >>> largest(np.array([[0.1, 0.6, 0.3]]), 2).tolist()
    [[1, 2]]
    """
    n = min(n, values.shape[1])
    if values.shape[1] < _MANY_COLUMNS or n > _FEW_OF_MANY:
        return np.argsort(-values, axis=1, kind="stable")[:, :n]
    left, rows = values.copy(), np.arange(len(values))  # sorting all is ten times slower
    found = np.empty((len(values), n), np.intp)
    for k in range(n):
        found[:, k] = left.argmax(axis=1)
        left[rows, found[:, k]] = -np.inf
    return found


def unit_rows(X: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return a copy whose rows, along the last axis, have length 1; rows of zeros stay zeros.

    float64 for float64, else float32.

    Examples
    --------
    >>> unit_rows([[3, 4], [0, 0], [3e30, 4e30]]).round(2).tolist()
    [[0.6, 0.8], [0.0, 0.0], [0.6, 0.8]]
    """
    rows, lengths = rows_and_lengths(X)
    return np.asarray(rows / lengths[..., None])


def add_class_sums(
    total: npt.NDArray[Any], rows: npt.NDArray[Any], codes: npt.NDArray[np.intp]
) -> None:
    """Add every row to the total of its class: several times sooner than `numpy.add.at`.

    `total` (n_classes, dim) is changed in place, in its dtype; `codes` (n,) are the classes of the
    `rows` (n, dim), counted from 0.

    Examples
    --------
    >>> total = np.zeros((3, 1))
    >>> add_class_sums(total, np.array([[1.0], [2.0], [4.0]]), np.array([2, 0, 2]))
    >>> total.tolist()
    [[2.0], [0.0], [5.0]]
    """
    if len(rows):
        order = np.argsort(codes, kind="stable")
        present, starts = np.unique(codes[order], return_index=True)
        total[present] += np.add.reduceat(rows[order], starts, axis=0, dtype=total.dtype)


def ranks_among_equals(codes: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return how many of the same number, 0 or above, stand before each.

    Examples
    --------
    >>> import numpy as np
    >>> ranks_among_equals(np.array([3, 0, 3, 3, 0])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def upper_quantile(
    scores: npt.ArrayLike,
    share: float,
    groups: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> float:
    """Return the score that at least a share of new rows does not exceed.

    The new row counts among them, with an infinite score: that is what makes the promise hold
    for any number of rows.

    Parameters
    ----------
    scores, share
        (n,) scores of rows like the new one; between 0 and 1.
    groups
        (n,) group of each row, or None for every row its own. The new row is counted as one of a
        new group: it weighs as much as a group does on average.
    weights
        (n,) weight of each row, or None for 1 each.

    Returns
    -------
    float
        Infinity where there are too few rows.

    Examples
    --------
    >>> upper_quantile([0.1, 0.2, 0.3, 0.4], 0.8), upper_quantile([0.1, 0.2], 0.9)
    (0.4, inf)
    """
    values = np.asarray(scores, np.float64)
    if not len(values):
        return float("inf")
    mass = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    n_groups = len(values) if groups is None else len(np.unique(np.asarray(groups)))
    total = float(mass.sum())
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(mass[order])
    place = int(np.searchsorted(reached, share * (total + total / n_groups) - 1e-9))
    return float(values[order[place]]) if place < len(values) else float("inf")


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

    Only those above the least of the best are sorted: hardly any after a few blocks.
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

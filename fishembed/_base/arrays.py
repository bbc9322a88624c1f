"""Rows scaled to length 1, with one rule for rows of zeros; sums, ranks and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
    left, rows = values.copy(), np.arange(len(values))  # sorting all takes ten times as long
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

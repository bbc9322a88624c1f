"""Rows scaled to length 1, with one rule for rows of zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def rows_and_lengths(X: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return rows, and the Euclidean length of each, 1 where it is 0.

    Rows that are too large or too small to be squared in their dtype come divided by their
    largest value, and so do their lengths; the others as they are.

    Parameters
    ----------
    X
        (…, dim); rows lie along the last axis.

    Returns
    -------
    (…, dim), (…,)
        float64 for float64, else float32: half floats would overflow.
    """
    rows = _floats(X)
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


def unit_rows(X: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return a copy whose rows have length 1; rows of zeros stay zeros.

    Parameters
    ----------
    X
        (…, dim); rows lie along the last axis, of any scale.

    Returns
    -------
    (…, dim)
        float64 for float64, else float32.

    Examples
    --------
    >>> unit_rows([[3, 4], [0, 0], [3e30, 4e30]]).round(2).tolist()
    [[0.6, 0.8], [0.0, 0.0], [0.6, 0.8]]
    """
    rows, lengths = rows_and_lengths(X)
    return np.asarray(rows / lengths[..., None])


def _floats(X: npt.ArrayLike) -> npt.NDArray[Any]:
    rows = np.asarray(X)
    return rows if rows.dtype == np.float64 else np.asarray(rows, np.float32)

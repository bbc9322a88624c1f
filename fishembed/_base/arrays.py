"""Rows scaled to length 1, with one rule for rows of zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def row_lengths(X: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the Euclidean length of each row, 1 where it is 0.

    Parameters
    ----------
    X
        (…, dim); rows lie along the last axis.

    Returns
    -------
    (…,)
        float64 for float64, else float32: half floats would overflow.
    """
    rows = _floats(X)
    lengths = np.sqrt(np.einsum("...i,...i->...", rows, rows))
    return np.asarray(np.where(lengths > 0, lengths, lengths.dtype.type(1)))


def unit_rows(X: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return a copy whose rows have length 1; rows of zeros stay zeros.

    Parameters
    ----------
    X
        (…, dim); rows lie along the last axis.

    Returns
    -------
    (…, dim)
        float64 for float64, else float32.

    Examples
    --------
    >>> unit_rows([[3, 4], [0, 0]]).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    rows = _floats(X)
    return np.asarray(rows / row_lengths(rows)[..., None])


def _floats(X: npt.ArrayLike) -> npt.NDArray[Any]:
    rows = np.asarray(X)
    return rows if rows.dtype == np.float64 else np.asarray(rows, np.float32)

"""Which rows belong together, for whatever reasons there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Units = npt.NDArray[np.intp]


def joined_units(*columns: Sequence[str] | Units) -> Units:
    """Give numbers to rows so that those which any column puts together have one number.

    Parameters
    ----------
    columns
        Text (n,), "" for a row of its own; or integers (n,).

    Returns
    -------
    intp (n,)
        Counted from 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(columns[0])
    ends = []
    for column in columns:
        first: dict[object, int] = {}
        keys = column.tolist() if isinstance(column, np.ndarray) else column
        for row, key in enumerate(keys):
            if key != "":
                ends.append((first.setdefault(key, row), row))
    a, b = np.array(ends or [(0, 0)], np.intp).T
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)

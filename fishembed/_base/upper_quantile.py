"""Upper quantile of scores: a new image stays below it with a stated probability."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
    scores
        (n,) scores of rows like the new one.
    share
        Between 0 and 1.
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

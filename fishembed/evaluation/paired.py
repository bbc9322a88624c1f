"""Two classifiers on the same rows: what changed, and could it be chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from fishembed.errors import DimensionError


def mcnemar(
    before: npt.ArrayLike, after: npt.ArrayLike, groups: npt.ArrayLike | None = None
) -> float:
    """Give the p-value of McNemar's exact test, by group where rows are grouped.

    If both classifiers were as good, each group's change could as well have gone the other
    way. All ways are counted, none is drawn; where every row is its own group, that is
    McNemar's test.

    Parameters
    ----------
    before, after
        (n,) bool, whether each row was right.
    groups
        (n,) the unit each row belongs to, or None for every row its own.

    Returns
    -------
    float
        How often chance alone divides the changed rows as unevenly or more; 1 without change.

    References
    ----------
    McNemar (1947). Note on the sampling error of the difference between correlated
    proportions or percentages. Psychometrika 12, 153-157.
    """
    first, second = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if first.shape != second.shape or first.ndim != 1:
        raise DimensionError(f"before {first.shape} and after {second.shape}: give two (n,)")
    change = second.astype(int) - first.astype(int)
    if groups is not None:
        _, unit = np.unique(groups, return_inverse=True)
        change = np.rint(np.bincount(unit, weights=change)).astype(int)
    sizes, counts = np.unique(np.abs(change[change != 0]), return_counts=True)
    chances = _sign_flips(sizes, counts)
    sums = np.arange(len(chances)) - len(chances) // 2
    p = chances[np.abs(sums) >= abs(int(change.sum()))].sum()
    return float(min(p, 1.0))


def _sign_flips(
    sizes: npt.NDArray[np.int_], counts: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Give the chance of every sum of `counts` terms of ± `sizes`, from the lowest up."""
    chances = np.ones(1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        terms = np.zeros(2 * size * count + 1)
        terms[:: 2 * size] = _coin_tosses(count)
        chances = np.convolve(chances, terms)
    return chances


def _coin_tosses(n: int) -> npt.NDArray[np.float64]:
    """Give the chance of every number of heads in `n` tosses."""
    heads = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(heads + 1) - gammaln(n - heads + 1)
    return np.asarray(np.exp(ways - n * np.log(2)))

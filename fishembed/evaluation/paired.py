"""Two classifiers on the same rows: the difference, and whether it could be chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtr, ndtri

from fishembed.errors import DimensionError
from fishembed.evaluation.intervals import Clusters, Interval

_HALVINGS = 40


def mcnemar(
    before: npt.ArrayLike, after: npt.ArrayLike, groups: npt.ArrayLike | None = None
) -> float:
    """Return the p-value of McNemar's exact test, by group where rows are grouped.

    If both classifiers were as good, each group's change could as well have gone the other
    way. All ways are counted, none is drawn; where every row is its own group, that is
    McNemar's test.

    Parameters
    ----------
    before, after
        (n,) bool, whether each row was classified correctly.
    groups
        (n,) the group of each row, or None for every row its own.

    Returns
    -------
    float
        How often chance alone divides the changed rows as unevenly or more; 1 without change.

    References
    ----------
    McNemar (1947). Note on the sampling error of the difference between correlated
    proportions or percentages. Psychometrika 12, 153-157.
    """
    change = _changes(before, after)
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        change = np.rint(np.bincount(group, weights=change)).astype(int)
    sizes, counts = np.unique(np.abs(change[change != 0]), return_counts=True)
    chances = _sign_flips(sizes, counts)
    sums = np.arange(len(chances)) - len(chances) // 2
    p = chances[np.abs(sums) >= abs(int(change.sum()))].sum()
    return float(min(p, 1.0))


def macro_difference_interval(
    y_true: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> Interval:
    """Return an interval of the gain in macro recall from one classifier to another.

    Each class's rates of gained and lost rows are shrunk towards their means over the classes
    by two rows, as in `macro_recall_interval`; the interval is the score interval of the number
    of independent pairs that has their variance.

    Parameters
    ----------
    y_true
        (n,) class of each row, any values; all the same for the difference of accuracies.
    before, after
        (n,) bool, whether each row was classified correctly.
    groups
        (n,) the group of each row, or None for every row its own.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    (float, float)
        Lower and upper end, -1 to 1; positive where `after` is better.

    References
    ----------
    Tango (1998). Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design. Statistics in Medicine 17, 891-908.

    Examples
    --------
    >>> before, after = [True, False, False, False], [True, True, True, False]
    >>> low, high = macro_difference_interval(["cod", "cod", "eel", "eel"], before, after)
    >>> round(low, 2), round(high, 2)
    (-0.28, 0.86)
    """
    rates = _change_rates(y_true, before, after, groups)
    return (-1.0, 1.0) if rates is None else _score_interval(*rates, float(ndtri(0.5 + level / 2)))


def macro_difference_p_value(
    y_true: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
) -> float:
    """Return the p-value of the score test that macro recall did not change.

    It is below 0.05 where the 95% interval of `macro_difference_interval` leaves out 0.
    How often chance alone makes as large a difference; 1 without change.

    Examples
    --------
    >>> y, before, after = ["cod"] * 12, [False] * 12, [True] * 9 + [False] * 3
    >>> round(macro_difference_p_value(y, before, after), 3)
    0.004
    """
    rates = _change_rates(y_true, before, after, groups)
    if rates is None or not rates[0] + rates[1]:
        return 1.0
    gained, lost, n = rates
    return float(2 * ndtr(-abs(gained - lost) / np.sqrt((gained + lost) / n)))


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Correct p-values for their number, so that all those below a level are significant.

    In their order, at most 1.

    References
    ----------
    Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(corrected, 1.0)


def _change_rates(
    y_true: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    groups: npt.ArrayLike | None,
) -> tuple[float, float, float] | None:
    """Return the shares gained and lost, means over classes, and how many rows they are worth."""
    y, change = np.asarray(y_true), _changes(before, after)
    if y.shape != change.shape:
        raise DimensionError(f"y_true has shape {y.shape} and before {change.shape}; give two (n,)")
    if not len(y):
        return None
    _, stratum = np.unique(y, return_inverse=True)
    clusters = Clusters.of(change.astype(np.float64), stratum, groups)
    gained, gains = clusters.means((change > 0).astype(np.float64))
    lost, losses = clusters.means((change < 0).astype(np.float64))
    n = clusters.equivalent(
        gains + losses - (gains - losses) ** 2, gained + lost - (gained - lost) ** 2
    )
    return gained, lost, n


def _changes(before: npt.ArrayLike, after: npt.ArrayLike) -> npt.NDArray[np.int_]:
    first, second = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if first.shape != second.shape or first.ndim != 1:
        raise DimensionError(f"before {first.shape} and after {second.shape}: give two (n,)")
    return np.asarray(second.astype(int) - first.astype(int))


def _score_interval(gained: float, lost: float, n: float, z: float) -> Interval:
    """Return Tango's interval of a difference of paired shares, its ends found by bisection."""
    difference = gained - lost

    def distance(delta: float) -> float:
        """Return how many standard errors under `delta` the difference lies above it."""
        b = (2 - difference) * delta - gained - lost
        c = -lost * delta * (1 - delta)
        both = (np.sqrt(max(b * b - 8 * c, 0.0)) - b) / 4
        variance = max(2 * both + delta * (1 - delta), 1e-300)
        return float((difference - delta) / np.sqrt(variance / n))

    ends = []
    for outside, target in ((-1.0, z), (1.0, -z)):
        far, near = outside, difference
        for _ in range(_HALVINGS):
            middle = (far + near) / 2
            inside = abs(distance(middle)) < abs(target)
            far, near = (far, middle) if inside else (middle, near)
        ends.append(near)
    return ends[0], ends[1]


def _sign_flips(
    sizes: npt.NDArray[np.int_], counts: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Return the chance of every sum of `counts` terms of ± `sizes`, from the lowest up."""
    chances = np.ones(1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        terms = np.zeros(2 * size * count + 1)
        terms[:: 2 * size] = _coin_tosses(count)
        chances = np.convolve(chances, terms)
    return chances


def _coin_tosses(n: int) -> npt.NDArray[np.float64]:
    """Return the chance of every number of heads in `n` tosses."""
    heads = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(heads + 1) - gammaln(n - heads + 1)
    return np.asarray(np.exp(ways - n * np.log(2)))

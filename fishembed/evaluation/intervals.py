"""Confidence intervals of shares and of macro recall, counting groups where rows are grouped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri, stdtrit

from fishembed._base.arrays import Codes, Double
from fishembed.errors import DimensionError

Interval = tuple[float, float]

PSEUDO_ROWS = 2.0
"""Rows at the mean of all classes that each class's recall is shrunk by, for its variance."""


def clopper_pearson(share: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> Double:
    """Return exact binomial intervals.

    Parameters
    ----------
    share, n
        Observed shares and numbers of independent rows, scalars or arrays of one shape. `n` need
        not be whole, and may be 0: then the interval is (0, 1).
    level
        Coverage, between 0 and 1.

    Returns
    -------
    float64 (..., 2)
        Lower and upper end.

    References
    ----------
    Clopper & Pearson (1934). The use of confidence or fiducial limits illustrated in the case of
    the binomial. Biometrika 26, 404-413; for numbers that are not whole: Korn & Graubard (1998).
    Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data. Survey Methodology 24, 193-201.

    Examples
    --------
    >>> clopper_pearson([0, 2 / 3], [3, 3]).round(2).tolist()
    [[0.0, 0.71], [0.09, 0.99]]
    """
    p, total = np.broadcast_arrays(np.asarray(share, float), np.asarray(n, float))
    hits, misses = p * total, (1 - p) * total
    tail = 0.5 - level / 2
    none, every = hits < 1e-9, misses < 1e-9
    low = np.where(none, 0, betaincinv(np.where(none, 1, hits), misses + 1, tail))
    high = np.where(every, 1, betaincinv(hits + 1, np.where(every, 1, misses), 1 - tail))
    ends = np.stack([low, high], axis=-1)
    return np.asarray(np.where((total > 0)[..., None], ends, [0.0, 1.0]))


def proportion_intervals(
    correct: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    n_strata: int = 1,
    *,
    level: float = 0.95,
) -> Double:
    """Return intervals of the share of rows that are correct, by stratum.

    Clopper-Pearson on the number of independent rows that would leave the share as uncertain as
    the groups leave it: the frames of one fish are worth less than as many fish.

    Parameters
    ----------
    correct
        (n,) bool.
    groups
        (n,) the group of each row, or None for every row its own.
    strata
        (n,) int from 0 to `n_strata` - 1, or None for all rows together.
    n_strata
        Number of intervals.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    float64 (n_strata, 2)
        Lower and upper end; (0, 1) for a stratum without rows.

    References
    ----------
    Korn & Graubard (1998), see `clopper_pearson`; Dean & Pagano (2015). Evaluating confidence
    interval methods for binomial proportions in clustered surveys. Journal of Survey Statistics
    and Methodology 3, 484-503.

    Examples
    --------
    >>> proportion_intervals([True, True, True, False], groups=["a", "a", "b", "c"]).round(2)
    array([[0.11, 1.  ]])
    """
    values = np.asarray(correct, dtype=np.float64)
    stratum = np.zeros(len(values), np.intp) if strata is None else np.asarray(strata, np.intp)
    n = np.bincount(stratum, minlength=n_strata)
    share = np.bincount(stratum, values, n_strata) / np.maximum(n, 1)
    return clopper_pearson(share, Clusters.of(values, stratum, groups).effective(n_strata), level)


def proportion_interval(correct: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Interval:
    """Return the 95% interval of the share of all rows: see `proportion_intervals`."""
    low, high = proportion_intervals(correct, groups)[0].tolist()
    return low, high


def macro_recall_interval(
    y_true: npt.ArrayLike,
    correct: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> Interval:
    """Return an interval of macro recall.

    A class of which one or two rows were seen, or all of whose rows are right, does not show
    how uncertain its recall is. For the variance only, each class's recall is therefore shrunk
    towards macro recall by two rows. The interval is Clopper-Pearson's of the number of
    independent rows that has that variance. Coverage was simulated: benchmarks/coverage.py.

    Parameters
    ----------
    y_true
        (n,) class of each row; any values.
    correct
        (n,) bool, whether the row was classified correctly.
    groups
        (n,) the group of each row, or None for every row its own.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    (float, float)
        Lower and upper end; (0, 1) without rows.

    Raises
    ------
    DimensionError
        When the shapes differ.

    References
    ----------
    Shrinking by pseudo-counts: Agresti & Coull (1998). Approximate is better than "exact" for
    interval estimation of binomial proportions. The American Statistician 52, 119-126.

    Examples
    --------
    >>> low, high = macro_recall_interval(["cod", "eel", "ray"], [True, False, False])
    >>> round(low, 2), round(high, 2)
    (0.01, 0.91)
    """
    y, values = np.asarray(y_true), np.asarray(correct, dtype=np.float64)
    if y.shape != values.shape or y.ndim != 1:
        raise DimensionError(
            f"y_true has shape {y.shape} and correct {values.shape}; give two (n,)"
        )
    if not len(y):
        return (0.0, 1.0)
    _, stratum = np.unique(y, return_inverse=True)
    clusters = Clusters.of(values, stratum, groups)
    macro, shrunken = clusters.means(values)
    n = clusters.equivalent(shrunken * (1 - shrunken), macro * (1 - macro))
    low, high = clopper_pearson(macro, n, level)
    return float(low), float(high)


@dataclass(frozen=True)
class Clusters:
    """Rows by stratum and by group, and the correlation of rows of one group."""

    # stratum, group: (n,) both counted from 0
    stratum: Codes
    group: Codes
    correlation: float = 0.0  # Of two rows of one group within a stratum, 0 to 1
    # 1 for a correlation that is known; less the fewer groups it was estimated from
    certainty: float = 1.0

    @classmethod
    def of(cls, values: Double, stratum: Codes, groups: npt.ArrayLike | None) -> Clusters:
        """Estimate the correlation from (n,) values."""
        if groups is None:
            return cls(stratum, np.arange(len(stratum)))
        _, group = np.unique(np.asarray(groups), return_inverse=True)
        if group.max(initial=-1) + 1 == len(group):
            return cls(stratum, group)
        return cls(stratum, group, *_correlation(values, stratum, group))

    def effective(self, n_strata: int) -> Double:
        """(n_strata,) independent rows that each stratum's mean is worth.

        Never more than its rows, never fewer than with groups whose rows all agree (Kish).
        """
        n = np.bincount(self.stratum, minlength=n_strata).astype(np.float64)
        of, rows = self._sizes
        known = np.maximum(n, 1)
        squares = np.maximum(np.bincount(of, rows.astype(np.float64) ** 2, n_strata), 1)
        alike = 1 + (squares / known - 1) * self.correlation
        return np.clip(n / alike * self.certainty, n**2 / squares, n)

    @cached_property
    def _sizes(self) -> tuple[Codes, Codes]:
        """Stratum and rows of every group in a stratum."""
        of, _, rows = _cells(self.stratum, self.group)
        return of, rows

    def means(self, values: Double) -> tuple[float, Double]:
        """Return the mean over strata of the means of (n,) values, and (n_strata,) shrunken."""
        n = np.bincount(self.stratum)
        means = np.bincount(self.stratum, values) / n
        macro, effective = means.mean(), self.effective(len(n))
        return float(macro), (means * effective + PSEUDO_ROWS * macro) / (effective + PSEUDO_ROWS)

    def equivalent(self, variances: Double, variance: float) -> float:
        """Return how many independent rows of one `variance` the mean over strata is worth.

        Parameters
        ----------
        variances
            (n_strata,) variance of one row of each stratum, at its shrunken mean.
        variance
            Of one row of those that are counted.
        """
        n = self.effective(len(variances))
        # Where all strata have one mean, shrunken ones vary by n / (n + 2)² of the variance.
        total = self._variance_of_mean(variances / (1 - n / (n + PSEUDO_ROWS) ** 2))
        if not total > 0 or not variance > 0:  # all right or all wrong
            return 1 / self._variance_of_mean(np.ones_like(variances))
        return variance / total

    def _variance_of_mean(self, variances: Double) -> float:
        """Return the variance of the mean over strata, (1 - r) apart + r together in a group."""
        n = np.bincount(self.stratum)
        spread = (np.sqrt(variances) / (n * len(n)))[self.stratum]
        apart = float(spread @ spread)
        sums = np.bincount(self.group, spread)
        together = float(sums @ sums)
        r = self.correlation
        mixed = (1 - r) * apart + r * together
        return together if self.certainty * together <= mixed else mixed / self.certainty


def _cells(stratum: Codes, group: Codes) -> tuple[Codes, Codes, Codes]:
    """Return the stratum of each pair of stratum and group, every row's pair, and its rows."""
    n_groups = int(group.max(initial=0)) + 1
    pairs, cell, rows = np.unique(
        stratum * n_groups + group, return_inverse=True, return_counts=True
    )
    return pairs // n_groups, cell, rows


def _correlation(values: Double, stratum: Codes, group: Codes) -> tuple[float, float]:
    """Return the correlation of rows of a group, and the certainty of it: see `Clusters`.

    By analysis of variance between and within the groups of each stratum: Ridout, Demetrio &
    Firth (1999). Estimating intraclass correlation for binary data. Biometrics 55, 137-148.
    """
    of, cell, rows = _cells(stratum, group)
    if len(rows) == len(values):  # one row of a group in each class: compare across classes
        if not stratum.any():
            return 0.0, 1.0
        return _correlation(values, np.zeros_like(stratum), group)
    n = np.bincount(stratum)
    degrees = len(rows) - np.count_nonzero(n)
    if not degrees:  # every class is one group
        return 1.0, 1.0
    between = float((np.bincount(cell, values) ** 2 / rows).sum())
    within = float(values @ values) - between
    known = np.maximum(n, 1)
    between -= float((np.bincount(stratum, values) ** 2 / known).sum())
    size = (
        len(values) - (np.bincount(of, rows.astype(float) ** 2) / known[: of.max() + 1]).sum()
    ) / degrees
    within, between = within / (len(values) - len(rows)), between / degrees
    total = between + (size - 1) * within
    kinds, counts = np.unique(values, return_counts=True)
    unusual = len(
        np.unique(cell[values != kinds[counts.argmax()]])
    )  # cells that the variance rests on
    certainty = float((ndtri(0.975) / stdtrit(max(min(degrees, unusual - 1), 1), 0.975)) ** 2)
    if total <= 1e-12:  # all right or all wrong: no information on groups
        return 1.0, 1.0
    return float(np.clip((between - within) / total, 0, 1)), certainty

"""Intervals for shares and for macro recall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from fishembed.errors import DimensionError

Interval = tuple[float, float]


def wilson(
    successes: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95
) -> npt.NDArray[np.float64]:
    """Give Wilson score intervals for shares.

    Parameters
    ----------
    successes, n
        Counts, scalars or arrays of one shape; `n` may be 0, which says nothing: (0, 1).
    level
        Coverage, between 0 and 1.

    Returns
    -------
    float64 (..., 2)
        Lower and upper end.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22, 209-212.
    """
    k, total = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    z2 = ndtri(0.5 + level / 2) ** 2
    m = np.where(total > 0, total, 1.0)
    centre = (k + z2 / 2) / (m + z2)
    half = np.sqrt(z2 * (k * (m - k) / m + z2 / 4)) / (m + z2)
    ends = np.stack([np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)], axis=-1)
    return np.asarray(np.where((total > 0)[..., None], ends, [0.0, 1.0]))


def wilson_of_rows(
    correct: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    n_strata: int = 1,
    *,
    level: float = 0.95,
) -> npt.NDArray[np.float64]:
    """Give Wilson intervals for the share of rows that are right, by stratum and by group.

    The frames of one fish say less than as many fish: rows in groups are counted as the number
    of independent rows that would leave the share as uncertain as the groups leave it.

    Parameters
    ----------
    correct
        (n,) bool.
    groups
        (n,) the unit each row belongs to, or None for every row its own.
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
    Dean & Pagano (2015). Evaluating confidence interval methods for binomial proportions in
    clustered surveys. Journal of Survey Statistics and Methodology 3, 484-503.
    """
    right = np.asarray(correct, dtype=np.float64)
    stratum = np.zeros(len(right), int) if strata is None else np.asarray(strata)
    n = np.bincount(stratum, minlength=n_strata).astype(float)
    hits = np.asarray(np.bincount(stratum, weights=right, minlength=n_strata), np.float64)
    if groups is None:
        return wilson(hits, n, level)
    independent = _independent_rows(right, np.asarray(groups), stratum, n, hits)
    return wilson(hits / np.maximum(n, 1) * independent, independent, level)


def _independent_rows(
    right: npt.NDArray[np.float64],
    groups: npt.NDArray[np.generic],
    stratum: npt.NDArray[np.intp],
    n: npt.NDArray[np.float64],
    hits: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Count how many independent rows each stratum is worth.

    Never more than its rows, never fewer than groups whose rows all agree would give (Kish);
    those are also assumed where all rows are right or all wrong, which tells nothing of groups.
    """
    _, unit = np.unique(groups, return_inverse=True)
    pairs, cell = np.unique(np.stack([stratum, unit]), axis=1, return_inverse=True)
    of, cell = pairs[0], cell.ravel()
    rows, good = np.bincount(cell), np.bincount(cell, weights=right)
    m = np.bincount(of, minlength=len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        least = n**2 / np.bincount(of, weights=rows**2, minlength=len(n))
        share = hits / n
        spread = np.bincount(of, weights=(good - share[of] * rows) ** 2, minlength=len(n))
        worth = share * (1 - share) * n**2 / (spread * m / (m - 1))
    known = (hits > 0) & (hits < n) & (m > 1)
    return np.where(n > 0, np.where(known, np.clip(worth, least, n), least), 0.0)


def bootstrap_macro_recall(
    y_true: npt.ArrayLike,
    correct: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Give a stratified percentile bootstrap interval for macro recall, or for what it gains.

    Rows are drawn again within each class; where `groups` are given, whole groups are drawn
    within each class, because the frames of one fish are not independent. Only the number of
    rows and of hits per unit matters, so each resample is a draw of counts, not of rows.

    Parameters
    ----------
    y_true
        (n,) class of each row; any values.
    correct
        (n,) bool, whether the row was predicted right; or what each row gains, from -1 to 1.
    groups
        (n,) the unit each row belongs to, or None for every row its own.
    level, resamples, seed
        Coverage, number of resamples, seed of the generator.

    Returns
    -------
    (float, float)
        Lower and upper end. With one unit per class the interval has no width: one fish
        tells nothing about the next.

    References
    ----------
    Efron & Tibshirani (1993). An Introduction to the Bootstrap, ch. 13; Davison & Hinkley
    (1997), section 3.8 for resampling whole clusters.
    """
    y = np.asarray(y_true)
    hits = np.asarray(correct, dtype=float)
    if y.shape != hits.shape or y.ndim != 1:
        raise DimensionError(f"y_true has shape {y.shape} and correct {hits.shape}; give two (n,)")
    if not len(y):
        return (0.0, 1.0)
    rng = np.random.default_rng(seed)
    _, cls = np.unique(y, return_inverse=True)
    unit = np.arange(len(y)) if groups is None else np.unique(groups, return_inverse=True)[1]
    total = np.zeros(resamples)
    for c in range(cls.max() + 1):
        total += _resampled_recall(unit[cls == c], hits[cls == c], resamples, rng)
    recalls = total / (cls.max() + 1)
    low, high = np.quantile(recalls, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _resampled_recall(
    unit: npt.NDArray[np.intp],
    hits: npt.NDArray[np.float64],
    resamples: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Give (resamples,) recalls of one class, its units drawn with replacement."""
    _, unit = np.unique(unit, return_inverse=True)
    rows = np.bincount(unit).astype(float)
    right = np.bincount(unit, weights=hits)
    kinds, kind = np.unique(np.stack([rows, right], axis=1), axis=0, return_inverse=True)
    share = np.bincount(kind.ravel()) / len(rows)
    draws = rng.multinomial(len(rows), share, size=resamples)
    return np.asarray((draws @ kinds[:, 1]) / (draws @ kinds[:, 0]))

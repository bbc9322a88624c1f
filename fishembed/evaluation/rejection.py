"""Metrics of a score that separates images of unknown classes from known ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from fishembed._base.arrays import Double
from fishembed.evaluation.intervals import Interval, clopper_pearson


@dataclass(frozen=True)
class Separation:
    """Metrics of how a score separates unknown from known images."""

    # n_known, n_unknown: Images
    n_known: int
    n_unknown: int
    # auroc, auroc_ci95: Probability that an unknown image scores higher than a known one, and its
    # interval
    auroc: float
    auroc_ci95: Interval
    # caught, caught_ci95: Share of unknown images above the threshold, and its interval
    caught: float
    caught_ci95: Interval
    # sent_back, sent_back_ci95: Share of known images above the threshold, and its interval
    sent_back: float
    sent_back_ci95: Interval


def separation(known: npt.ArrayLike, unknown: npt.ArrayLike, threshold: float) -> Separation:
    """Compare the scores of known and unknown images; larger means stranger.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 44, 837-845.

    Examples
    --------
    >>> separation([0.1, 0.2, 0.3, 0.4], [0.35, 0.9], 0.5).auroc
    0.875
    """
    a, b = np.asarray(known, np.float64), np.asarray(unknown, np.float64)
    above, below = _share_below(b, a), 1 - _share_below(a, b)
    area = float(above.mean()) if len(a) and len(b) else float("nan")
    spread = sum(float(v.var(ddof=1)) / len(v) for v in (above, below) if len(v) > 1)
    reach = float(ndtri(0.975)) * np.sqrt(spread)
    ends = (max(0.0, area - reach), min(1.0, area + reach))
    shares = [float((v > threshold).mean()) if len(v) else float("nan") for v in (b, a)]
    around = [
        clopper_pearson(0.0 if np.isnan(share) else share, len(v)).tolist()
        for share, v in zip(shares, (b, a), strict=True)
    ]
    return Separation(
        len(a), len(b), area, ends, shares[0], tuple(around[0]), shares[1], tuple(around[1])
    )


def risk_coverage(strangeness: npt.ArrayLike, right: npt.ArrayLike) -> tuple[Double, Double]:
    """Return the share of images that are accepted, and the share of those that are wrong.

    Images are accepted from the least strange on; one point for each number of images accepted.

    Examples
    --------
    >>> risk_coverage([0.1, 0.2, 0.9], [True, True, False])[1].round(2).tolist()
    [0.0, 0.0, 0.33]
    """
    order = np.argsort(np.asarray(strangeness, np.float64), kind="stable")
    wrong = ~np.asarray(right, bool)[order]
    accepted = np.arange(1, len(wrong) + 1)
    return accepted / max(1, len(wrong)), np.cumsum(wrong) / accepted


def _share_below(values: Double, others: Double) -> Double:
    """Return the share of `others` that each value exceeds; one that equals it counts half."""
    others = np.sort(others)
    ranks = np.searchsorted(others, values) + np.searchsorted(others, values, side="right")
    return np.asarray(ranks / (2 * max(1, len(others))))

"""Confidence against accuracy: by bins, from thresholds on, and conformal sets of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, Flags, Ints
from fishembed.evaluation.intervals import proportion_interval, proportion_intervals

THRESHOLDS = tuple(i / 100 for i in range(100))
"""Confidences from which predictions may be accepted."""

_WITH_INTERVALS = (0, 50, 60, 70, 80, 90, 95, 99)


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, by bins of equal width; empty bins are left out."""

    # confidence, accuracy: float64 (n_bins,) mean confidence and share right, between 0 and 1
    confidence: Double
    accuracy: Double
    # low, high: float64 (n_bins,) interval of the accuracy, by group where images are grouped
    low: Double
    high: Double
    n: Ints  # int64 (n_bins,) images
    ece: float  # Expected calibration error: mean distance of the two, weighted by images
    # mean_confidence, mean_accuracy: Over all images
    mean_confidence: float
    mean_accuracy: float


class TopK(NamedTuple):
    """Share of images whose class is among the `k` most probable, with its interval."""

    k: int
    share: float
    low: float
    high: float


def reliability(
    confidence: Double, right: Flags, labelled: Flags, groups: Ints | None = None, bins: int = 10
) -> Reliability | None:
    """Compare confidence with accuracy; None where no labelled image has a confidence.

    The confidence is as in `acceptance`, the bins are of equal width between 0 and 1.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017). On calibration of modern neural networks. ICML,
    eq. 3 for the expected calibration error.
    """
    known = labelled & np.isfinite(confidence)
    if not known.any():
        return None
    sure = np.clip(confidence[known], 0, 1)
    hit = right[known].astype(float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    filled = n > 0
    mean = np.bincount(place, weights=sure, minlength=bins)[filled] / n[filled]
    ends = proportion_intervals(hit, None if groups is None else groups[known], place, bins)[filled]
    accuracy = np.bincount(place, weights=hit, minlength=bins)[filled] / n[filled]
    return Reliability(
        confidence=mean,
        accuracy=accuracy,
        low=ends[:, 0],
        high=ends[:, 1],
        n=n[filled],
        ece=float(np.average(np.abs(accuracy - mean), weights=n[filled])),
        mean_confidence=float(sure.mean()),
        mean_accuracy=float(hit.mean()),
    )


def top_k_accuracy(rank: Ints, most: int, groups: Ints | None = None) -> list[TopK]:
    """Return the share of images whose class is among the k most probable, k from 1 to `most`.

    `rank` is the (n,) place of each image's true class, 0 the first.
    """
    return [
        TopK(k, float((rank < k).mean()), *proportion_interval(rank < k, groups))
        for k in range(1, most + 1)
        if len(rank)
    ]


@dataclass(frozen=True)
class Acceptance:
    """Images accepted from each confidence on; all arrays (n_thresholds,)."""

    threshold: Double  # Confidence from which predictions are accepted
    accepted: Double  # Share of the images
    right: Double  # Share of the accepted images that is right; NaN where none is accepted
    # low, high: Interval of `right`, by group where images are grouped; NaN where none is
    # accepted, and between the thresholds of `rows`
    low: Double
    high: Double
    n: Ints  # int64: images accepted
    total: int  # All images

    @property
    def rows(self) -> list[int]:
        """Indices of the thresholds for a table: those at which images are accepted."""
        return [i for i in _WITH_INTERVALS if self.n[i]]

    def lowest(self, right: float) -> int | None:
        """Return the index of the lowest threshold that reaches a share right; None for none."""
        good = np.flatnonzero((self.right >= right) & (self.n > 0))
        return int(good[0]) if len(good) else None


def acceptance(
    confidence: Double, right: Flags, labelled: Flags, groups: Ints | None = None
) -> Acceptance | None:
    """Return the shares accepted and right by confidence; None where no image has a confidence.

    Parameters
    ----------
    confidence
        (n,) probability of the class that was predicted; NaN for none.
    right, labelled
        (n,) whether that is its class, and whether its class is known.
    groups
        (n,) number of the group of each image, or None for every image its own.

    Examples
    --------
    >>> import numpy as np
    >>> sure, right = np.array([0.95, 0.92, 0.6, 0.3]), np.array([True, True, True, False])
    >>> found = acceptance(sure, right, np.ones(4, bool))
    >>> found.accepted[90].item(), found.right[90].item(), found.right[0].item()
    (0.5, 1.0, 0.75)
    """
    known = labelled & np.isfinite(confidence)
    if not known.any():
        return None
    sure, hit = confidence[known], right[known]
    within = None if groups is None else groups[known]
    order = np.argsort(-sure, kind="stable")
    hits = np.concatenate([[0], np.cumsum(hit[order])])
    thresholds = np.array(THRESHOLDS)
    n = np.searchsorted(-sure[order], -thresholds, side="right")
    ends = np.full((len(n), 2), np.nan)
    for i in _WITH_INTERVALS:
        if n[i]:
            at = order[: n[i]]
            ends[i] = proportion_intervals(hit[at], None if within is None else within[at])[0]
    return Acceptance(
        threshold=thresholds,
        accepted=n / len(sure),
        right=np.divide(hits[n], n, out=np.full(len(n), np.nan), where=n > 0),
        low=ends[:, 0],
        high=ends[:, 1],
        n=n.astype(np.int64),
        total=len(sure),
    )


def conformal_sets(probabilities: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    """Return which classes belong to each row's set; the most probable always does.

    Parameters
    ----------
    probabilities
        (n, n_classes).
    threshold
        `upper_quantile` of 1 minus the probability of the true class of held-out rows: the set
        of a new row holds its class with the probability of the quantile. It may
        be infinite, where there are too few rows: then every class belongs to the set.

    References
    ----------
    Vovk, Gammerman & Shafer (2005). Algorithmic learning in a random world. With weights of rows:
    Podkopaev & Ramdas (2021). Distribution-free uncertainty quantification for classification
    under label shift. UAI. With groups: Dunn, Wasserman & Ramdas (2023). Distribution-free
    prediction sets for two-layer hierarchical models. JASA 118, 2491-2502.

    Examples
    --------
    >>> conformal_sets([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]], 0.65).sum(axis=1).tolist()
    [1, 2]
    """
    p = np.asarray(probabilities, np.float64)
    inside = 1 - p <= threshold
    inside[np.arange(len(p)), p.argmax(axis=1)] = True
    return np.asarray(inside)

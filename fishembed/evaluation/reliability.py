"""Reliability of confidence by bins, and top-k accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed.evaluation.intervals import proportion_intervals

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, by bins of equal width; empty bins are left out.

    Attributes
    ----------
    confidence, accuracy
        float64 (n_bins,) mean confidence and share right, between 0 and 1.
    low, high
        float64 (n_bins,) interval of the accuracy, by group where images are grouped.
    n
        int64 (n_bins,) images.
    ece
        Expected calibration error: mean distance of the two, weighted by images.
    mean_confidence, mean_accuracy
        Over all images.
    """

    confidence: Floats
    accuracy: Floats
    low: Floats
    high: Floats
    n: Ints
    ece: float
    mean_confidence: float
    mean_accuracy: float


class TopK(NamedTuple):
    """Share of images whose class is among the `k` most probable, with its interval."""

    k: int
    share: float
    low: float
    high: float


def reliability(
    confidence: Floats, right: Flags, labelled: Flags, groups: Ints | None = None, bins: int = 10
) -> Reliability | None:
    """Compare confidence with accuracy; None where no labelled image has a confidence.

    Parameters
    ----------
    confidence
        (n,) probability of the class that each image was called; NaN for none.
    right, labelled
        (n,) whether that is its class, and whether its class is known.
    groups
        (n,) number of the group of each image, or None for every image its own.
    bins
        Bins between 0 and 1.

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
    """Return how often the truth is among the k most probable classes, for k from 1 to `most`.

    Parameters
    ----------
    rank
        (n,) place of each image's true class, 0 the first.
    most
        Classes that are named for each image.
    groups
        (n,) number of the group of each image, or None for every image its own.
    """
    if not len(rank):
        return []
    found = []
    for k in range(1, most + 1):
        low, high = proportion_intervals(rank < k, groups)[0]
        found.append(TopK(k, float((rank < k).mean()), float(low), float(high)))
    return found

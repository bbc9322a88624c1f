"""Whether confidence can be believed, and how far down the list the truth stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fishembed.evaluation import wilson_of_rows
from fishembed.reports.outcome import Floats, Ints, Outcome, Predictions


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, by bins of equal width; empty bins are left out.

    Attributes
    ----------
    confidence, accuracy
        float64 (n_bins,) mean confidence and share right, between 0 and 1.
    low, high
        float64 (n_bins,) Wilson interval of the accuracy, by group where images are grouped.
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


def reliability(predictions: Predictions, bins: int = 10) -> Reliability | None:
    """Compare confidence with accuracy; None where the run names no confidence.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017). On calibration of modern neural networks. ICML,
    eq. 3 for the expected calibration error.
    """
    known = predictions.labelled & np.isfinite(predictions.confidence)
    if not known.any():
        return None
    confidence = np.clip(predictions.confidence[known], 0, 1)
    right = predictions.right[known].astype(float)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    kept = n > 0
    hits = np.bincount(place, weights=right, minlength=bins)[kept]
    mean = np.bincount(place, weights=confidence, minlength=bins)[kept] / n[kept]
    groups = None if predictions.groups is None else predictions.groups[known]
    ends = wilson_of_rows(right, groups, place, bins)[kept]
    accuracy = hits / n[kept]
    return Reliability(
        confidence=mean,
        accuracy=accuracy,
        low=ends[:, 0],
        high=ends[:, 1],
        n=n[kept],
        ece=float(np.average(np.abs(accuracy - mean), weights=n[kept])),
        mean_confidence=float(confidence.mean()),
        mean_accuracy=float(right.mean()),
    )


def top_k_accuracy(outcome: Outcome) -> list[tuple[int, float, float, float]]:
    """Give (k, share, low, high): how often the truth is among the k most probable classes."""
    predictions = outcome.predictions
    rank = predictions.rank[predictions.labelled]
    if not len(rank):
        return []
    groups = None if predictions.groups is None else predictions.groups[predictions.labelled]
    found = []
    for k in range(1, outcome.top_k + 1):
        low, high = wilson_of_rows(rank < k, groups)[0]
        found.append((k, float((rank < k).mean()), float(low), float(high)))
    return found

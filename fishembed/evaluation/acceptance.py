"""Share accepted and share right where predictions count from some confidence on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed.evaluation.intervals import proportion_intervals

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

THRESHOLDS = tuple(i / 100 for i in range(100))
"""Confidences from which answers may be accepted."""

_WITH_INTERVALS = (0, 50, 60, 70, 80, 90, 95, 99)


@dataclass(frozen=True)
class Acceptance:
    """Images accepted from each confidence on; all arrays (n_thresholds,).

    Attributes
    ----------
    threshold
        Confidence from which answers are accepted.
    accepted
        Share of the images.
    right
        Share of the accepted images that is right; NaN where none is accepted.
    low, high
        Interval of `right`, by group where images are grouped; NaN where none is accepted, and
        between the thresholds of `rows`.
    n
        int64: images accepted.
    total
        All images.
    """

    threshold: Floats
    accepted: Floats
    right: Floats
    low: Floats
    high: Floats
    n: Ints
    total: int

    @property
    def rows(self) -> list[int]:
        """Indices of the thresholds for a table: those at which images are accepted."""
        return [i for i in _WITH_INTERVALS if self.n[i]]

    def lowest(self, right: float) -> int | None:
        """Return the index of the lowest threshold that reaches a share right; None for none."""
        good = np.flatnonzero((self.right >= right) & (self.n > 0))
        return int(good[0]) if len(good) else None


def acceptance(
    confidence: Floats, right: Flags, labelled: Flags, groups: Ints | None = None
) -> Acceptance | None:
    """Return what is accepted, and right, by confidence; None where no image has a confidence.

    Parameters
    ----------
    confidence
        (n,) probability of the class that each image was called; NaN for none.
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
    share = np.divide(hits[n], n, out=np.full(len(n), np.nan), where=n > 0)
    return Acceptance(
        threshold=thresholds,
        accepted=n / len(sure),
        right=share,
        low=ends[:, 0],
        high=ends[:, 1],
        n=n.astype(np.int64),
        total=len(sure),
    )

"""What each of several runs has more than each other on the same images, and what may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fishembed.evaluation.paired import (
    holm,
    macro_difference_interval,
    macro_difference_p_value,
    mcnemar,
)
from fishembed.experiments.runs.run_result import Floats, Ints

Interval = tuple[float, float]
Flags = npt.NDArray[np.bool_]

REAL_BELOW = 0.05
"""Corrected p-values below it count as a real difference."""


@dataclass(frozen=True, eq=False)
class Difference:
    """What one run has more than another, on the same images.

    Attributes
    ----------
    against, run
        Places of the two in `Comparison.entries`.
    accuracy, macro_recall
        Differences, positive where `run` is better.
    accuracy_ci95, macro_recall_ci95
        Their paired intervals, by group where images are grouped.
    gained, lost
        Images that only `run`, and that only `against`, identified; of their first seeds where
        they have several.
    p_value, macro_recall_p
        Of McNemar's exact test and of the score test of macro recall, by group where images are
        grouped: how often chance alone makes as large a difference.
    p_holm, macro_recall_p_holm
        The same corrected for the number of pairs (Holm).
    class_gains
        float64 (n_classes,) differences of recall.
    """

    against: int
    run: int
    accuracy: float
    accuracy_ci95: Interval
    macro_recall: float
    macro_recall_ci95: Interval
    gained: int
    lost: int
    p_value: float
    macro_recall_p: float
    class_gains: Floats
    p_holm: float = 1.0
    macro_recall_p_holm: float = 1.0

    @property
    def accuracy_real(self) -> bool:
        """Whether the difference of accuracy stands after correction for the number of pairs."""
        return self.p_holm < REAL_BELOW

    @property
    def macro_recall_real(self) -> bool:
        """Whether the difference of macro recall stands after correction."""
        return self.macro_recall_p_holm < REAL_BELOW

    @property
    def real(self) -> bool:
        """Whether either difference stands after correction."""
        return self.accuracy_real or self.macro_recall_real

    def reversed(self) -> Difference:
        """Return the same difference seen from the other run."""
        return replace(
            self,
            against=self.run,
            run=self.against,
            accuracy=-self.accuracy,
            accuracy_ci95=(-self.accuracy_ci95[1], -self.accuracy_ci95[0]),
            macro_recall=-self.macro_recall,
            macro_recall_ci95=(-self.macro_recall_ci95[1], -self.macro_recall_ci95[0]),
            gained=self.lost,
            lost=self.gained,
            class_gains=-self.class_gains,
        )


def paired_differences(
    right: Sequence[Flags], true: Ints, groups: Ints | None
) -> tuple[Difference, ...]:
    """Compare every pair of runs.

    Parameters
    ----------
    right
        For each run bool (n_seeds, n_images), which images it identified.
    true
        (n_images,) classes from 0.
    groups
        (n_images,) or None.

    Returns
    -------
    tuple of Difference
        Of the pairs in order: the first against all others, the second against those after it …
    """
    pairs = combinations(range(len(right)), 2)
    found = [_difference((i, j), right[i], right[j], true, groups) for i, j in pairs]
    accuracy, macro = (
        holm([getattr(one, name) for one in found]).tolist()
        for name in ("p_value", "macro_recall_p")
    )
    return tuple(
        replace(one, p_holm=a, macro_recall_p_holm=m)
        for one, a, m in zip(found, accuracy, macro, strict=True)
    )


def _difference(
    pair: tuple[int, int], before: Flags, after: Flags, true: Ints, groups: Ints | None
) -> Difference:
    one, two = _paired_seeds(before, after)
    seeds = len(one)
    if seeds > 1 and groups is None:
        groups = np.arange(len(true))  # an image is one image, for however many seeds
    stratum = np.tile(true, seeds)
    unit = None if groups is None else np.tile(groups, seeds)
    one, two = one.ravel(), two.ravel()
    change = two.astype(np.int64) - one.astype(np.int64)
    gains = np.bincount(stratum, weights=change) / np.bincount(stratum)
    first, last = before[0], after[0]
    alone = np.zeros_like(stratum)
    return Difference(
        against=pair[0],
        run=pair[1],
        accuracy=float(change.mean()),
        accuracy_ci95=macro_difference_interval(alone, one, two, unit),
        macro_recall=float(gains.mean()),
        macro_recall_ci95=macro_difference_interval(stratum, one, two, unit),
        gained=int((last & ~first).sum()),
        lost=int((first & ~last).sum()),
        p_value=mcnemar(one, two, unit),
        macro_recall_p=macro_difference_p_value(stratum, one, two, unit),
        class_gains=np.asarray(gains),
    )


def _paired_seeds(before: Flags, after: Flags) -> tuple[Flags, Flags]:
    """Return as many seeds of both; the fewer are taken again in turn."""
    n = max(len(before), len(after))
    return before[np.arange(n) % len(before)], after[np.arange(n) % len(after)]

"""Whether training images explain recall, and whether confidence can be believed, in words."""

from __future__ import annotations

import numpy as np

from fishembed._base.text import counted
from fishembed.reports.calibration import Reliability
from fishembed.reports.figures.why import trained_and_scored
from fishembed.reports.outcome import ClassTable
from fishembed.reports.sentences import percent

FEW, MANY = 20, 100
"""Classes with fewer than 20 training images are few-shot, with more than 100 many-shot.

Liu, Miao, Zhan, Wang, Gong & Yu (2019). Large-scale long-tailed recognition in an open
world. CVPR.
"""


def training_effect(table: ClassTable) -> str:
    """Say how recall goes with training images; empty where nothing was trained on."""
    shown = trained_and_scored(table)
    if not len(shown):
        return ""
    n, recall = table.n_train[shown], table.recall[shown]
    groups = [
        (n < FEW, f"fewer than {FEW} training images"),
        (
            (n >= FEW) & (n <= MANY),
            f"{FEW} to {MANY} of them" if (n < FEW).any() else f"{FEW} to {MANY} training images",
        ),
        (
            n > MANY,
            f"more than {MANY} of them"
            if (n <= MANY).any()
            else f"more than {MANY} training images",
        ),
    ]
    said = [
        f"{percent(float(recall[at].mean()), 0)}% for "
        f"the {counted(int(at.sum()), 'class', 'classes')} with {label}"
        for at, label in groups
        if at.any()
    ]
    return f"Mean recall is {', '.join(said)}.{_rank_correlation(n, recall)}"


def _rank_correlation(n: np.ndarray, recall: np.ndarray) -> str:
    if len(n) < 5 or np.ptp(n) == 0 or np.ptp(recall) == 0:
        return ""
    rho = float(np.corrcoef(_ranks(n), _ranks(recall))[0, 1])
    return f" Their rank correlation is {rho:.2f} (Spearman's, over classes)."


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank values from 0 up; equal ones share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count + 1) / 2)[place])


def class_tips(table: ClassTable) -> list[str]:
    """Say each point of the figure in words, in the figure's order."""
    return [
        f"{table.names[i]}: {table.correct[i]} of {table.n[i]} right "
        f"({percent(float(table.recall[i]), 0)}%); {table.n_train[i]:,.0f} training images"
        for i in trained_and_scored(table)
    ]


def calibration_verdict(bins: Reliability) -> str:
    """Say whether confidence can be believed."""
    gap = bins.mean_confidence - bins.mean_accuracy
    said = "about as sure as it is right"
    if abs(gap) > 0.02:
        said = "surer than it is right" if gap > 0 else "less sure than it is right"
    return (
        f"The head is {said}: mean confidence {percent(bins.mean_confidence)}%, "
        f"{percent(bins.mean_accuracy)}% right. "
        f"Expected calibration error {percent(bins.ece)} points, over ten bins."
    )


def bin_tips(bins: Reliability) -> list[str]:
    """Say each point of the reliability diagram in words, in the figure's order."""
    return [
        f"{counted(int(n), 'image')} at {percent(float(c))}% confidence: "
        f"{percent(float(a))}% right ({percent(float(low))} to {percent(float(high))})"
        for n, c, a, low, high in zip(
            bins.n, bins.confidence, bins.accuracy, bins.low, bins.high, strict=True
        )
    ]

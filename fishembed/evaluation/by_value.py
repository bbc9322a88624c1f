"""Scores by the values of a column: site, trip, camera, month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed.evaluation.intervals import Interval, macro_recall_interval, proportion_interval

FEW = 20


@dataclass(frozen=True)
class ValueScore:
    """Scores of the images of one value, or of several that have few images each."""

    value: str  # The value; "" where images have none
    pooled: int  # Number of values scored together here
    # n, n_groups, correct: Images, groups of them (None where they are not grouped), and images
    # classified correctly
    n: int
    n_groups: int | None
    correct: int
    # accuracy, accuracy_ci95, macro_recall, macro_recall_ci95: Scores with their intervals, by
    # group where images are grouped
    accuracy: float
    accuracy_ci95: Interval
    macro_recall: float
    macro_recall_ci95: Interval


def score_by_value(
    values: Sequence[str],
    true: npt.ArrayLike,
    correct: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    few: int = FEW,
) -> list[ValueScore]:
    """Score the images of each value, the most surely bad one first.

    Values with fewer than `few` images are scored together, and come last.

    Parameters
    ----------
    values
        (n,) of the column, "" where an image has none.
    true, correct
        (n,) true classes, and whether each image was classified correctly.
    groups
        (n,) groups whose images are not independent; None for every image its own.

    Examples
    --------
    >>> rows = score_by_value(["reef"] * 30 + ["bay"] * 3, [0] * 33, [True] * 20 + [False] * 13)
    >>> [(row.value, row.pooled, row.n, round(row.accuracy, 2)) for row in rows]
    [('reef', 1, 30, 0.67), ('bay', 1, 3, 0.0)]
    """
    own = np.asarray(values, dtype=object)
    names, counts = np.unique(own.astype(str), return_counts=True)
    y, right = np.asarray(true), np.asarray(correct, bool)
    group = None if groups is None else np.asarray(groups)
    rare = names[counts < few]

    def one(at: npt.NDArray[np.bool_], value: str, pooled: int) -> ValueScore:
        g = None if group is None else group[at]
        classes = np.unique(y[at])
        recalls = [right[at & (y == c)].mean() for c in classes]
        return ValueScore(
            value,
            pooled,
            int(at.sum()),
            None if g is None else len(np.unique(g)),
            int(right[at].sum()),
            float(right[at].mean()),
            proportion_interval(right[at], g),
            float(np.mean(recalls)),
            macro_recall_interval(y[at], right[at], g),
        )

    alone = [one(own == name, str(name), 1) for name in names[counts >= few]]
    alone.sort(key=lambda row: (row.accuracy_ci95[1], row.accuracy))
    if not len(rare):
        return alone
    at = np.isin(own.astype(str), rare)
    title = str(rare[0]) if len(rare) == 1 else f"{len(rare):,} values with few images"
    return [*alone, one(at, title, len(rare))]

"""Former names of intervals, until their callers have moved to the present ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fishembed.evaluation.intervals import Interval, macro_recall_interval, proportion_intervals
from fishembed.evaluation.paired import macro_difference_interval

wilson_of_rows = proportion_intervals


def bootstrap_macro_recall(
    y_true: npt.ArrayLike,
    correct: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 0,  # noqa: ARG001
    seed: int = 0,  # noqa: ARG001
) -> Interval:
    """Return `macro_recall_interval`, or for whole numbers -1 to 1 `macro_difference_interval`."""
    values = np.asarray(correct)
    if values.dtype.kind == "i":
        return macro_difference_interval(y_true, values < 0, values > 0, groups, level=level)
    return macro_recall_interval(y_true, values, groups, level=level)

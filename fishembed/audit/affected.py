"""A run's score with the pictures that leak, and without them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from fishembed.errors import InputError
from fishembed.evaluation import bootstrap_macro_recall, wilson_of_rows
from fishembed.reports import Run
from fishembed.reports.outcome import unit_numbers

Interval = tuple[float, float]


@dataclass(frozen=True)
class PartScore:
    """Accuracy and macro recall on some of a run's pictures, with 95% intervals."""

    n: int
    accuracy: float
    accuracy_ci95: Interval
    macro_recall: float
    macro_recall_ci95: Interval


@dataclass(frozen=True)
class RunScores:
    """A run's scores on all, on those that leak, and on the others.

    Attributes
    ----------
    run
        Its name.
    split
        What it was scored on.
    everything, leaking, clean
        None where there is no such picture.
    unknown
        Scored pictures that the store does not have (any more).
    """

    run: str
    split: str
    everything: PartScore | None
    leaking: PartScore | None
    clean: PartScore | None
    unknown: int


def score_run(run: Run, paths: Collection[str], leaking: Collection[str]) -> RunScores:
    """Score a run's predictions with and without the pictures that leak.

    Parameters
    ----------
    run
        The run.
    paths
        Of all rows of the store.
    leaking
        Paths of the pictures that have a counterpart in training.
    """
    rows = [row for row in run.predictions if row["true"]]
    if not rows:
        raise InputError(f"the run {run.name!r} has no labelled picture to score")
    leaks = [row["path"] in leaking for row in rows]
    return RunScores(
        run=run.name,
        split=str(run.metrics.get("scored_split", "")),
        everything=_score(rows),
        leaking=_score([row for row, leak in zip(rows, leaks, strict=True) if leak]),
        clean=_score([row for row, leak in zip(rows, leaks, strict=True) if not leak]),
        unknown=sum(row["path"] not in paths for row in rows),
    )


def _score(rows: Sequence[dict[str, str]]) -> PartScore | None:
    if not rows:
        return None
    true = np.array([row["true"] for row in rows], dtype=str)
    right = np.array([row["true"] == row["predicted"] for row in rows])
    groups = unit_numbers([row.get("group") or "" for row in rows])
    low, high = wilson_of_rows(right, groups)[0]
    recalls = [float(right[true == name].mean()) for name in np.unique(true)]
    return PartScore(
        n=len(rows),
        accuracy=float(right.mean()),
        accuracy_ci95=(float(low), float(high)),
        macro_recall=float(np.mean(recalls)),
        macro_recall_ci95=bootstrap_macro_recall(true, right, groups),
    )

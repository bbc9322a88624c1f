"""A run's scores with the images that leak, and without them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fishembed._base.printable import printable
from fishembed.audit.page_parts import Block
from fishembed.errors import InputError
from fishembed.evaluation import bootstrap_macro_recall, wilson_of_rows
from fishembed.experiments import Run
from fishembed.experiments.run_result import group_numbers
from fishembed.reports.shared_page_parts import Tile
from fishembed.reports.wording import interval, percent

Interval = tuple[float, float]


@dataclass(frozen=True)
class SubsetScore:
    """Accuracy and macro recall on some of a run's images, with 95% intervals."""

    n: int
    accuracy: float
    accuracy_ci95: Interval
    macro_recall: float
    macro_recall_ci95: Interval

    def __str__(self) -> str:
        return f"{percent(self.accuracy)}% ({interval(self.accuracy_ci95)}) of the {self.n:,}"

    def tile(self, title: str) -> Tile:
        """Return the accuracy as a tile."""
        about = f"{self.n:,} images; macro recall {percent(self.macro_recall)}"
        return Tile(title, f"{percent(self.accuracy)}%", about, self.accuracy_ci95, self.accuracy)


@dataclass(frozen=True)
class RunScores:
    """A run's scores on all images, on those that leak, and on the others.

    Attributes
    ----------
    run
        Its name.
    split
        The split it was scored on.
    everything, leaking, clean
        None where there is no such image.
    unknown
        Scored images that the store does not have (any more).
    """

    run: str
    split: str
    everything: SubsetScore
    leaking: SubsetScore | None
    clean: SubsetScore | None
    unknown: int

    def summary(self) -> dict[str, Any]:
        """Return the scores as `audit.json` has them."""
        parts = {"all": self.everything, "leaking": self.leaking, "clean": self.clean}
        return {
            "run": self.run,
            "split": self.split,
            "unknown": self.unknown,
            **{name: asdict(part) if part else None for name, part in parts.items()},
        }

    def sentence(self) -> str:
        """Return a comparison of the scores with and without what leaks."""
        whole = f"{printable(self.run)} calls right {self.everything} it was scored on"
        if self.leaking is None:
            return f"{whole}; none of them leaks."
        if self.clean is None:
            return f"{whole}; all of them leak, so what it reaches on new images is not known."
        return f"{whole}: {self.leaking} that leak, and {self.clean} that do not."

    def block(self) -> Block:
        """Return the same comparison for the page."""
        parts = {
            "All scored": self.everything,
            "Those that leak": self.leaking,
            "Those that do not": self.clean,
        }
        tiles = [score.tile(title) for title, score in parts.items() if score]
        heading = ("What", printable(self.run), "reaches with and without them")
        return Block("scores", tiles, heading)


def score_run(run: Run, paths: Collection[str], leaking: Collection[str]) -> RunScores:
    """Score a run's predictions with and without the images that leak.

    Parameters
    ----------
    run
        The run.
    paths
        Of all rows of the store.
    leaking
        Paths of the images that have a counterpart in training.

    Raises
    ------
    InputError
        When the run has no labelled image.
    """
    rows = [row for row in run.predictions if row["true"]]
    if not rows:
        raise InputError(f"the run {run.name!r} has no labelled image to score")
    leaks = [row for row in rows if row["path"] in leaking]
    clean = [row for row in rows if row["path"] not in leaking]
    return RunScores(
        run=run.name,
        split=str(run.metrics.get("scored_split", "")),
        everything=_score(rows),
        leaking=_score(leaks) if leaks else None,
        clean=_score(clean) if clean else None,
        unknown=sum(row["path"] not in paths for row in rows),
    )


def _score(rows: Sequence[dict[str, str]]) -> SubsetScore:
    true = np.array([row["true"] for row in rows], dtype=str)
    right = np.array([row["true"] == row["predicted"] for row in rows])
    groups = group_numbers([row.get("group") or "" for row in rows])
    low, high = wilson_of_rows(right, groups)[0]
    recalls = [float(right[true == name].mean()) for name in np.unique(true)]
    return SubsetScore(
        n=len(rows),
        accuracy=float(right.mean()),
        accuracy_ci95=(float(low), float(high)),
        macro_recall=float(np.mean(recalls)),
        macro_recall_ci95=bootstrap_macro_recall(true, right, groups),
    )

"""A run's scores with the images that leak, and without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed._base.splits import SPLITS
from fishembed._base.text import counted, printable
from fishembed.cache import FeatureStore
from fishembed.errors import DataError, InputError
from fishembed.evaluation.intervals import macro_recall_interval, proportion_interval
from fishembed.experiments import Run
from fishembed.experiments.runs.run_result import ScoredImages
from fishembed.reports.page_template import Tile
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
        average = percent(self.macro_recall)
        about = f"{counted(self.n, 'photo')}; average over species {average}%"
        return Tile(title, f"{percent(self.accuracy)}%", about, self.accuracy_ci95, self.accuracy)


@dataclass(frozen=True)
class RunScores:
    """A run's scores on all images, on those that leak, and on the others."""

    run: str  # Its name
    split: str  # The split it was scored on
    everything: SubsetScore
    leaking: SubsetScore | None  # None where there is no such image
    clean: SubsetScore | None
    unknown: int  # Scored images that the store does not have (any more)

    def summary(self) -> dict[str, Any]:
        """Return the scores as entries of `audit.json`."""
        parts = {"all": self.everything, "leaking": self.leaking, "clean": self.clean}
        return {
            "run": self.run,
            "split": self.split,
            "unknown": self.unknown,
            **{name: asdict(part) if part else None for name, part in parts.items()},
        }

    def sentence(self) -> str:
        """Return a comparison of the scores with and without leaking images."""
        whole = f"{printable(self.run)} calls right {self.everything} it was scored on"
        if self.unknown:
            whole += f" ({self.unknown:,} of them are no longer in the store)"
        if self.leaking is None:
            return f"{whole}; none of them leaks."
        if self.clean is None:
            return f"{whole}; all of them leak, so what it reaches on new images is not known."
        return f"{whole}: {self.leaking} that leak, and {self.clean} that do not."

    def tiles(self) -> list[Tile]:
        """Return the same comparison for the page."""
        titles = ("All scored", "Those that leak", "Those that do not")
        scores = (self.everything, self.leaking, self.clean)
        return [score.tile(title) for title, score in zip(titles, scores, strict=True) if score]


@dataclass(frozen=True)
class RunRows:
    """A run and the rows of the store that it used."""

    run: Run
    rows: Indices  # intp (n_scored,): the row of each labelled prediction, -1 where it is gone
    splits: npt.NDArray[np.str_]  # (n,): train and val as the run used them, test where it scored
    trained: Indices  # Scored rows that were trained on themselves


def find_run_rows(run: Run, store: FeatureStore) -> RunRows:
    """Find the rows of the store that a run was trained and scored on.

    Raises
    ------
    InputError
        When the run was made on another store, or has no labelled image.
    """
    stores = run.info.get("stores") or [run.info["store"]]
    if not any(_is_store(one, store, run) for one in stores):
        raise InputError(
            f"the run {run.name!r} was made on {stores[0]['path']!r}, not on {str(store.path)!r}: "
            "audit that store, or name a run of this one"
        )
    images, name = run.result.images, run.result.scored_split
    labelled = np.flatnonzero(images.labelled)
    if not len(labelled):
        raise DataError(f"the run {run.name!r} has no labelled image to score")
    row_of = {path: row for row, path in enumerate(store.paths)}
    rows = np.array([row_of.get(images.paths[i], -1) for i in labelled], np.intp)
    scored = rows[rows >= 0]
    # Fit's own hold-out leaves all other labelled rows to training. So may a split of before.
    changed = name in SPLITS and bool((store.splits[scored] != name).any())
    others = "train" if name == "holdout" or changed else store.splits
    splits = np.where(store.labels >= 0, others, "").astype("<U5")
    trained = scored[:0]
    if run.info["kind"] == "fit" and name in ("train", "all"):
        trained = scored[(splits[scored] == "train") | ~store.splits.astype(bool).any()]
    splits[scored] = "test"
    return RunRows(run, rows, splits, trained)


def _is_store(known: Mapping[str, Any], store: FeatureStore, run: Run) -> bool:
    if known.get("fingerprint") == store.fingerprint:
        return True
    here = Path(str(store.path)).absolute()
    beside = run.folder.absolute().parent.parent / str(known["path"])
    return here in (Path(str(known["path"])).absolute(), beside)


def score_run(run: RunRows, leaking: Collection[int]) -> RunScores:
    """Score a run's predictions with and without the rows that leak."""
    images = run.run.result.images
    labelled = np.flatnonzero(images.labelled)
    leaks = np.isin(run.rows, [*leaking, *run.trained])
    return RunScores(
        run=run.run.name,
        split=run.run.result.scored_split,
        everything=_score(images, labelled),
        leaking=_score(images, labelled[leaks]) if leaks.any() else None,
        clean=_score(images, labelled[~leaks]) if not leaks.all() else None,
        unknown=int((run.rows < 0).sum()),
    )


def _score(images: ScoredImages, at: Indices) -> SubsetScore:
    true, right = images.true[at], images.right[at]
    groups = None if images.groups is None else images.groups[at]
    recalls = [float(right[true == label].mean()) for label in np.unique(true)]
    return SubsetScore(
        n=len(at),
        accuracy=float(right.mean()),
        accuracy_ci95=proportion_interval(right, groups),
        macro_recall=float(np.mean(recalls)),
        macro_recall_ci95=macro_recall_interval(true, right, groups),
    )

"""Runs side by side on the same images: which is better, by how much, and could it be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed._base.text import counted, printable
from fishembed.errors import InputError
from fishembed.evaluation.intervals import macro_recall_interval, proportion_intervals
from fishembed.experiments.comparing.paired_differences import Difference, paired_differences
from fishembed.experiments.comparing.shared_rows import shared_rows
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import Floats, Ints, group_numbers

Interval = tuple[float, float]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A run, or the runs of several seeds as one, on the images that all runs share.

    Attributes
    ----------
    name
        As it may be shown; without the seed where there are several.
    runs
        One, or one for each seed.
    scored
        Images that the run was scored on by itself; those compared may be fewer.
    predicted
        For each of `runs` the classes of the images by name, as they may be shown.
    right
        bool (n_runs, n_images).
    accuracy, macro_recall
        Means over `runs`.
    accuracy_ci95, macro_recall_ci95
        Their intervals over images, by group where images are grouped.
    accuracy_sd, macro_recall_sd
        Standard deviations over seeds; None for a single run.
    recalls
        float64 (n_classes,) recall of each class, means over `runs`.
    """

    name: str
    runs: tuple[Run, ...]
    scored: int
    predicted: tuple[tuple[str, ...], ...]
    right: Flags
    accuracy: float
    accuracy_ci95: Interval
    macro_recall: float
    macro_recall_ci95: Interval
    recalls: Floats
    accuracy_sd: float | None = None
    macro_recall_sd: float | None = None

    @property
    def never_recognised(self) -> int:
        """Classes none of whose images was identified, in any of `runs`."""
        return int((self.recalls == 0).sum())


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(PrintsAsTable):
    """Runs on the images that all of them were scored on.

    Attributes
    ----------
    entries
        The runs as given, those of one series of seeds as one.
    paths
        (n_images,) as the first run names them.
    classes
        (n_classes,) names of the classes that have images, sorted, as they may be shown.
    true
        int64 (n_images,) indices into `classes`.
    differences
        Of every pair of entries, those against the first entry first.
    groups
        int64 (n_images,) the group of each image; None where no run names any.
    notes
        Sentences on images that were left out, and on what flatters.
    """

    entries: tuple[ComparedRun, ...]
    paths: tuple[str, ...]
    classes: tuple[str, ...]
    true: Ints
    differences: tuple[Difference, ...]
    groups: Ints | None = None
    notes: tuple[str, ...] = ()

    def _short_table(self) -> ShortTable:
        rows, best = [], self.best_first[0]
        for place in self.best_first:
            one = self.entries[place]
            real = "" if place == best else self.difference(best, place).real
            rows.append(
                [
                    one.name,
                    f"{100 * one.accuracy:.1f}",
                    f"{100 * one.macro_recall:.1f}",
                    "" if real == "" else "yes" if real else "may be chance",
                ]
            )
        columns = ["run", "right %", "macro recall %", "worse than the first"]
        groups = "" if self.n_groups is None else f" in {counted(self.n_groups, 'group')}"
        return ShortTable(
            f"comparison on {counted(len(self.paths), 'image')}{groups}", columns, rows
        )

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs as given."""
        return tuple(run for entry in self.entries for run in entry.runs)

    @property
    def n_groups(self) -> int | None:
        """Groups that the images come in; None where no run names any."""
        return None if self.groups is None else len(np.unique(self.groups))

    @property
    def best_first(self) -> list[int]:
        """Places of the entries, highest macro recall first, then highest accuracy."""
        scores = [(-entry.macro_recall, -entry.accuracy) for entry in self.entries]
        return sorted(range(len(scores)), key=scores.__getitem__)

    @property
    def class_sizes(self) -> Ints:
        """Images of each class."""
        return np.bincount(self.true, minlength=len(self.classes)).astype(np.int64)

    def difference(self, better: int, worse: int) -> Difference:
        """Return what entry `better` has more than entry `worse`, whichever was given first."""
        for one in self.differences:
            if (one.against, one.run) == (worse, better):
                return one
            if (one.against, one.run) == (better, worse):
                return one.reversed()
        raise InputError(f"there are {len(self.entries)} runs: no {better} and {worse}")


def compare_runs(runs: Sequence[str | Path | Run]) -> Comparison:
    """Compare runs on the images that all of them were scored on.

    Parameters
    ----------
    runs
        Run folders, two or more. Runs of one series of seeds (`run_seeds`) count as one.

    Returns
    -------
    Comparison
        Images of one group are not taken for independent.

    Raises
    ------
    InputError
        With fewer than two runs, or runs that share no image or disagree on a label.
    RunNotFoundError, RunFormatError
        When a folder holds no run, or one that cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import compare_runs, import_features, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.4 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> found = compare_runs([run_fit(store, head=head) for head in ("centroid", "knn")])
    >>> [entry.name for entry in found.entries], len(found.paths), found.differences[0].real
    (['f-centroid', 'f-knn'], 8, False)
    """
    opened = [run if isinstance(run, Run) else Run.open(run) for run in runs]
    if len(opened) < 2:
        raise InputError(f"a comparison needs two runs or more, not {len(opened)}")
    shared = shared_rows(opened)
    labels = np.array(shared.labels, dtype=object)
    classes, true = np.unique(labels, return_inverse=True)
    right = np.array([np.array(names, dtype=object) == labels for names in shared.predicted])
    groups = group_numbers(shared.groups)
    entries = tuple(
        _entry(
            [opened[i] for i in at],
            max(shared.scored[i] for i in at),
            [shared.predicted[i] for i in at],
            right[at],
            true=true,
            groups=groups,
        )
        for at in _series(opened)
    )
    return Comparison(
        entries=entries,
        paths=tuple(path for path, _ in shared.keys),
        classes=tuple(map(printable, classes)),
        true=true.astype(np.int64),
        differences=paired_differences([entry.right for entry in entries], true, groups),
        groups=groups,
        notes=(*shared.notes, *_flattered(opened)),
    )


def _series(runs: Sequence[Run]) -> list[list[int]]:
    """Return the places of the runs of each series of seeds; a run alone is its own."""
    found: dict[object, list[int]] = {}
    for i, run in enumerate(runs):
        series = (run.info.get("series") or {}).get("name")
        store = run.info["store"]["fingerprint"]
        found.setdefault((str(series), store, run.folder.parent) if series else i, []).append(i)
    return list(found.values())


def _entry(
    runs: list[Run],
    scored: int,
    predicted: Sequence[Sequence[str]],
    right: Flags,
    *,
    true: Ints,
    groups: Ints | None,
) -> ComparedRun:
    several, k = len(runs) > 1, int(true.max()) + 1
    sizes = np.bincount(true, minlength=k)
    recalls = np.array([np.bincount(true, one, k) / sizes for one in right])
    shares, macros = right.mean(axis=1), recalls.mean(axis=1)
    # An image answered for several seeds is still one image.
    unit = np.arange(len(true)) if groups is None and several else groups
    flat = None if unit is None else np.tile(unit, len(runs))
    series = str((runs[0].info.get("series") or {}).get("name"))
    return ComparedRun(
        name=printable(series if several else runs[0].name),
        runs=tuple(runs),
        scored=scored,
        predicted=tuple(tuple(map(printable, names)) for names in predicted),
        right=right,
        accuracy=float(shares.mean()),
        accuracy_ci95=_ends(proportion_intervals(right.ravel(), flat)[0]),
        macro_recall=float(macros.mean()),
        macro_recall_ci95=macro_recall_interval(np.tile(true, len(runs)), right.ravel(), flat),
        recalls=recalls.mean(axis=0),
        accuracy_sd=float(shares.std(ddof=1)) if several else None,
        macro_recall_sd=float(macros.std(ddof=1)) if several else None,
    )


def _ends(ends: npt.NDArray[np.float64]) -> Interval:
    return float(ends[0]), float(ends[1])


def _flattered(runs: Sequence[Run]) -> list[str]:
    """Name the runs that were scored on images they learnt from."""
    return [
        f"{printable(run.name)} was scored on images that it learnt from, which flatters it."
        for run in runs
        if run.info.get("kind") == "fit" and run.info.get("scored_split") in ("train", "all")
    ]

"""Compare runs on the same images: which is better, by how much, and whether by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from fishembed._base.arrays import Double, Flags, Ints
from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed._base.text import counted, printable
from fishembed.errors import InputError
from fishembed.evaluation.intervals import macro_recall_interval, proportion_interval
from fishembed.evaluation.paired import (
    holm,
    macro_difference_interval,
    macro_difference_p_value,
    mcnemar,
)
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import group_numbers
from fishembed.experiments.shared_rows import SharedRows, shared_rows

Interval = tuple[float, float]

REAL_BELOW = 0.05
"""Corrected p-values below it count as a real difference."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Differences of the metrics of two runs on the same images.

    Attributes
    ----------
    against, run
        Places of the two in `Comparison.entries`.
    accuracy, macro_recall, class_gains
        Differences, positive where `run` is better; of the recall of each class float64
        (n_classes,).
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
    class_gains: Double
    p_holm: float = 1.0
    macro_recall_p_holm: float = 1.0

    @property
    def accuracy_real(self) -> bool:
        """Whether accuracy differs significantly, corrected for the number of pairs."""
        return self.p_holm < REAL_BELOW

    @property
    def macro_recall_real(self) -> bool:
        """Whether macro recall differs significantly, corrected for the number of pairs."""
        return self.macro_recall_p_holm < REAL_BELOW

    @property
    def real(self) -> bool:
        """Whether accuracy or macro recall differs significantly."""
        return self.accuracy_real or self.macro_recall_real

    def reversed(self) -> Difference:
        """Return the difference with the two runs swapped."""
        low, high = self.accuracy_ci95
        macro_low, macro_high = self.macro_recall_ci95
        return replace(
            self,
            against=self.run,
            run=self.against,
            accuracy=-self.accuracy,
            accuracy_ci95=(-high, -low),
            macro_recall=-self.macro_recall,
            macro_recall_ci95=(-macro_high, -macro_low),
            gained=self.lost,
            lost=self.gained,
            class_gains=-self.class_gains,
        )


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A run, or the runs of several seeds as one, on the images that all runs share.

    Attributes
    ----------
    name, runs
        As it may be shown, without the seed where there are several; one, or one for each seed.
    scored
        Images that the run was scored on by itself; those compared may be fewer.
    predicted, right
        For each of `runs` the classes of the images by name, as they may be shown, and whether they
        are right, bool (n_runs, n_images).
    accuracy, macro_recall, recalls
        Means over `runs`; `recalls` float64 (n_classes,).
    accuracy_ci95, macro_recall_ci95
        Their intervals over images, by group where images are grouped.
    accuracy_sd, macro_recall_sd
        Standard deviations over seeds; None for a single run.
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
    recalls: Double
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
        best, *others = self.best_first
        real = {place: self.difference(best, place).real for place in others}
        shown = {None: "", True: "yes", False: "may be chance"}
        rows = []
        for place in self.best_first:
            one = self.entries[place]
            scores = [f"{100 * score:.1f}" for score in (one.accuracy, one.macro_recall)]
            rows.append([one.name, *scores, shown[real.get(place)]])
        columns = ["run", "right %", "macro recall %", "worse than the first"]
        groups = "" if self.n_groups is None else f" in {counted(self.n_groups, 'group')}"
        title = f"comparison on {counted(len(self.paths), 'image')}{groups}"
        return ShortTable(title, columns, rows)

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
        """Return entry `better` minus entry `worse`, whichever comes first in `entries`."""
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
        Images of one group are not treated as independent.

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
        _entry([opened[i] for i in at], at, shared, right[at], true=true, groups=groups)
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
    at: Sequence[int],
    shared: SharedRows,
    right: Flags,
    *,
    true: Ints,
    groups: Ints | None,
) -> ComparedRun:
    several, k = len(runs) > 1, int(true.max()) + 1
    sizes = np.bincount(true, minlength=k)
    recalls = np.array([np.bincount(true, one, k) / sizes for one in right])
    shares, macros = right.mean(axis=1), recalls.mean(axis=1)
    flat = _repeated_groups(groups, len(true), len(runs))
    low, high = proportion_interval(right.ravel(), flat)
    series = str((runs[0].info.get("series") or {}).get("name"))
    return ComparedRun(
        name=printable(series if several else runs[0].name),
        runs=tuple(runs),
        scored=max(shared.scored[i] for i in at),
        predicted=tuple(tuple(map(printable, shared.predicted[i])) for i in at),
        right=right,
        accuracy=float(shares.mean()),
        accuracy_ci95=(low, high),
        macro_recall=float(macros.mean()),
        macro_recall_ci95=macro_recall_interval(np.tile(true, len(runs)), right.ravel(), flat),
        recalls=recalls.mean(axis=0),
        accuracy_sd=float(shares.std(ddof=1)) if several else None,
        macro_recall_sd=float(macros.std(ddof=1)) if several else None,
    )


def _flattered(runs: Sequence[Run]) -> list[str]:
    """Name the runs that were scored on images they learnt from."""
    return [
        f"{printable(run.name)} was scored on images that it learnt from, which flatters it."
        for run in runs
        if run.info.get("kind") == "fit" and run.info.get("scored_split") in ("train", "all")
    ]


def paired_differences(
    right: Sequence[Flags], true: Ints, groups: Ints | None
) -> tuple[Difference, ...]:
    """Compare every pair of runs: the first with all others, the second with those after it.

    `right` holds for each run bool (n_seeds, n_images), which images it identified.
    """
    pairs = combinations(range(len(right)), 2)
    found = [_difference((i, j), right[i], right[j], true, groups) for i, j in pairs]
    accuracy = holm([one.p_value for one in found]).tolist()
    macro = holm([one.macro_recall_p for one in found]).tolist()
    return tuple(
        replace(one, p_holm=a, macro_recall_p_holm=m)
        for one, a, m in zip(found, accuracy, macro, strict=True)
    )


def _difference(
    pair: tuple[int, int], before: Flags, after: Flags, true: Ints, groups: Ints | None
) -> Difference:
    # As many seeds of both: the fewer are repeated in turn.
    seeds = np.arange(max(len(before), len(after)))
    one, two = (right[seeds % len(right)].ravel() for right in (before, after))
    stratum, unit = np.tile(true, len(seeds)), _repeated_groups(groups, len(true), len(seeds))
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


def _repeated_groups(groups: Ints | None, n: int, seeds: int) -> Ints | None:
    """Return the groups repeated for each seed; without groups, each image of several is one."""
    if groups is None and seeds > 1:
        groups = np.arange(n)
    return None if groups is None else np.tile(groups, seeds)

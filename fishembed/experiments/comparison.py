"""Runs side by side on the same images: what is better, by how much, and could it be chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.printable import printable
from fishembed._base.text import counted
from fishembed.errors import InputError
from fishembed.evaluation import macro_difference_interval, mcnemar
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import Floats, Ints, group_numbers

Interval = tuple[float, float]
Flags = npt.NDArray[np.bool_]
ImageKey = tuple[str, int]
"""Path, and which of the images of that path."""


@dataclass(frozen=True)
class Difference:
    """What one run changes against the first, on the same images.

    Attributes
    ----------
    accuracy, macro_recall
        Differences, positive where this run is better.
    accuracy_ci95, macro_recall_ci95
        Their paired intervals, by group where images are grouped.
    gained, lost
        Images that only this run, and that only the first, called right.
    p_value
        Of McNemar's exact test, by group where images are grouped: how often chance alone
        divides the changed images as unevenly.
    class_gains
        float64 (n_classes,) differences of recall.
    """

    accuracy: float
    accuracy_ci95: Interval
    macro_recall: float
    macro_recall_ci95: Interval
    gained: int
    lost: int
    p_value: float
    class_gains: Floats


@dataclass(frozen=True)
class Comparison:
    """Runs on the same images.

    Attributes
    ----------
    runs
        As given; the first is what the others are compared with.
    paths
        (n_images,) as the first run names them.
    classes
        (n_classes,) names of the classes that have images, sorted, as they may be shown.
    true
        int64 (n_images,) indices into `classes`.
    predicted
        For each run (n_images,) names of the classes, as they may be shown.
    right
        bool (n_runs, n_images).
    differences
        One for each run after the first.
    n_groups
        Groups that the images come in; None where the first run names none.
    """

    runs: tuple[Run, ...]
    paths: tuple[str, ...]
    classes: tuple[str, ...]
    true: Ints
    predicted: tuple[tuple[str, ...], ...]
    right: Flags
    differences: tuple[Difference, ...]
    n_groups: int | None = None


def compare_runs(runs: Sequence[str | Path | Run]) -> Comparison:
    """Compare runs that were scored on the same images.

    Parameters
    ----------
    runs
        Run folders, two or more; the first is what the others are compared with.

    Returns
    -------
    Comparison
        Images of one group, as the first run names them, are not taken for independent.

    Raises
    ------
    InputError
        With fewer than two runs, or runs scored on other images or under other labels.
    RunNotFoundError, RunFormatError
        When a folder holds no run, or one that cannot be read.
    """
    opened = [run if isinstance(run, Run) else Run.open(run) for run in runs]
    if len(opened) < 2:
        raise InputError(f"a comparison needs two runs or more, not {len(opened)}")
    rows = [_labelled_rows(run) for run in opened]
    for run, other in zip(opened[1:], rows[1:], strict=True):
        _check_same_images(opened[0], rows[0], run, other)
    keys = list(rows[0])
    labels = [_class(opened[0], "true", rows[0][key]) for key in keys]
    classes, true = np.unique(np.array(labels, dtype=object), return_inverse=True)
    predicted = [
        [_class(run, "predicted", own[key]) for key in keys]
        for run, own in zip(opened, rows, strict=True)
    ]
    right = np.array([[a == b for a, b in zip(names, labels, strict=True)] for names in predicted])
    groups = group_numbers([opened[0].result.images.group_names[rows[0][key]] for key in keys])
    return Comparison(
        runs=tuple(opened),
        paths=tuple(path for path, _ in keys),
        classes=tuple(map(printable, classes)),
        true=true.astype(np.int64),
        predicted=tuple(tuple(map(printable, names)) for names in predicted),
        right=right,
        differences=tuple(_difference(true, right[0], other, groups) for other in right[1:]),
        n_groups=None if groups is None else len(np.unique(groups)),
    )


def _labelled_rows(run: Run) -> dict[ImageKey, int]:
    """Return the row of each labelled image by path; a path that occurs again is counted on."""
    seen: Counter[str] = Counter()
    rows = {}
    for row, path in enumerate(run.result.images.paths):
        if run.result.images.true[row] >= 0:
            rows[path, seen[path]] = row
        seen[path] += 1
    if not rows:
        raise InputError(f"run {printable(run.name)!r} has no labelled images to compare on")
    return rows


def _class(run: Run, column: Literal["true", "predicted"], row: int) -> str:
    """Return the name of an image's class; "" where the run names none."""
    images = run.result.images
    label = getattr(images, column)[row]
    return images.class_names[label] if label >= 0 else ""


def _check_same_images(
    first: Run, known: dict[ImageKey, int], other: Run, rows: dict[ImageKey, int]
) -> None:
    names = [printable(run.name) for run in (first, other)]
    only = [sorted(known.keys() - rows.keys()), sorted(rows.keys() - known.keys())]
    if any(only):
        missing = [
            f"{counted(len(keys), 'image')} only in {name!r} (such as {printable(keys[0][0])!r})"
            for keys, name in zip(only, names, strict=True)
            if keys
        ]
        raise InputError(
            f"runs {names[0]!r} and {names[1]!r} were scored on different images: "
            f"{' and '.join(missing)}; compare runs of one store and one split"
        )
    for key, row in known.items():
        labels = _class(first, "true", row), _class(other, "true", rows[key])
        if labels[0] != labels[1]:
            raise InputError(
                f"{printable(key[0])!r} is {printable(labels[0])!r} in {names[0]!r} but "
                f"{printable(labels[1])!r} in {names[1]!r}; score both runs again"
            )


def _difference(true: Ints, before: Flags, after: Flags, groups: Ints | None) -> Difference:
    gained, lost = after & ~before, before & ~after
    change = gained.astype(int) - lost.astype(int)
    class_gains = np.bincount(true, weights=change) / np.bincount(true)
    one_class = np.zeros_like(true)
    return Difference(
        accuracy=float(change.mean()),
        accuracy_ci95=macro_difference_interval(one_class, before, after, groups),
        macro_recall=float(class_gains.mean()),
        macro_recall_ci95=macro_difference_interval(true, before, after, groups),
        gained=int(gained.sum()),
        lost=int(lost.sum()),
        p_value=mcnemar(before, after, groups),
        class_gains=np.asarray(class_gains),
    )

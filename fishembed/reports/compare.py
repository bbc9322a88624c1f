"""Runs side by side on the same images: what is better, by how much, and could it be chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import counted
from fishembed.errors import InputError
from fishembed.evaluation import bootstrap_macro_recall, mcnemar
from fishembed.reports.names import printable
from fishembed.reports.outcome import Floats, Ints, unit_numbers
from fishembed.reports.run import Run
from fishembed.reports.sentences import percent

Interval = tuple[float, float]
Key = tuple[str, int]


@dataclass(frozen=True)
class Difference:
    """What one run changes against the first, on the same images.

    Attributes
    ----------
    accuracy, macro_recall
        Differences, positive where this run is better.
    accuracy_ci95, macro_recall_ci95
        Paired bootstrap intervals, by group where images are grouped; macro recall's
        resamples within classes.
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
        (n_classes,) names of the classes that have images, sorted.
    true
        int64 (n_images,) indices into `classes`.
    called
        One tuple of names (n_images,) for each run.
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
    called: tuple[tuple[str, ...], ...]
    right: npt.NDArray[np.bool_]
    differences: tuple[Difference, ...]
    n_groups: int | None = None

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Give columns and rows of text for a console."""
        columns = ["run", "accuracy %", "macro recall %", "difference of accuracy", "McNemar's p"]
        rows = []
        for i, run in enumerate(self.runs):
            row = [printable(run.name), _scored(run, "accuracy"), _scored(run, "macro_recall")]
            if i:
                d = self.differences[i - 1]
                row += [points(d.accuracy, d.accuracy_ci95), chance(d.p_value)]
            rows.append(row + [""] * (len(columns) - len(row)))
        return columns, rows


def compare_runs(
    runs: Sequence[str | Path | Run], *, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """Compare runs that were scored on the same images.

    Parameters
    ----------
    runs
        Run folders, two or more; the first is what the others are compared with.
    resamples, seed
        Of the bootstrap.

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
    tables = [_labelled(run) for run in opened]
    for run, table in zip(opened[1:], tables[1:], strict=True):
        _check_same_images(opened[0], tables[0], run, table)
    keys = list(tables[0])
    labels = [tables[0][key]["true"] for key in keys]
    classes = sorted(set(labels))
    place = {name: i for i, name in enumerate(classes)}
    true = np.array([place[name] for name in labels], dtype=np.int64)
    called = [[table[key]["predicted"] for key in keys] for table in tables]
    right = np.array([[a == b for a, b in zip(names, labels, strict=True)] for names in called])
    groups = unit_numbers([tables[0][key].get("group") or "" for key in keys])
    settings = {"groups": groups, "resamples": resamples, "seed": seed}
    return Comparison(
        runs=tuple(opened),
        paths=tuple(path for path, _ in keys),
        classes=tuple(printable(name) for name in classes),
        true=true,
        called=tuple(tuple(map(printable, names)) for names in called),
        right=right,
        differences=tuple(_difference(true, right[0], other, settings) for other in right[1:]),
        n_groups=None if groups is None else len(np.unique(groups)),
    )


def points(difference: float, ends: Interval) -> str:
    """Write a difference of shares in percentage points: "+1.5 (0.2 to 2.8)"."""
    return f"{100 * difference:+.1f} ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})"


def chance(p_value: float) -> str:
    """Write a p-value with its sign: "= 0.034", "< 0.001"."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.2g}"


def _scored(run: Run, key: str) -> str:
    value, ends = run.metrics.get(key), run.metrics.get(f"{key}_ci95")
    if value is None or ends is None:
        return ""
    return f"{percent(value)} ({percent(ends[0])} to {percent(ends[1])})"


def _labelled(run: Run) -> dict[Key, dict[str, str]]:
    """Give the labelled rows by path; a path that occurs again is counted on."""
    seen: Counter[str] = Counter()
    rows = {}
    for row in run.predictions:
        path = row["path"]
        if row["true"]:
            rows[path, seen[path]] = row
        seen[path] += 1
    if not rows:
        raise InputError(f"run {printable(run.name)!r} has no labelled images to compare on")
    return rows


def _check_same_images(
    first: Run, known: dict[Key, dict[str, str]], other: Run, rows: dict[Key, dict[str, str]]
) -> None:
    names = [printable(run.name) for run in (first, other)]
    only = [sorted(known.keys() - rows.keys()), sorted(rows.keys() - known.keys())]
    if any(only):
        said = [
            f"{counted(len(keys), 'image')} only in {name!r} (such as {printable(keys[0][0])!r})"
            for keys, name in zip(only, names, strict=True)
            if keys
        ]
        raise InputError(
            f"runs {names[0]!r} and {names[1]!r} were scored on different images: "
            f"{' and '.join(said)}; compare runs of one store and one split"
        )
    for key in known:
        if known[key]["true"] != rows[key]["true"]:
            raise InputError(
                f"{printable(key[0])!r} is {printable(known[key]['true'])!r} in {names[0]!r} but "
                f"{printable(rows[key]['true'])!r} in {names[1]!r}; score both runs again"
            )


def _difference(
    true: Ints,
    before: npt.NDArray[np.bool_],
    after: npt.NDArray[np.bool_],
    settings: dict[str, Any],
) -> Difference:
    gained, lost = after & ~before, before & ~after
    change = gained.astype(int) - lost.astype(int)
    class_gains = np.bincount(true, weights=change) / np.bincount(true)
    whole = np.zeros_like(true)
    return Difference(
        accuracy=float(change.mean()),
        accuracy_ci95=bootstrap_macro_recall(whole, change, **settings),
        macro_recall=float(class_gains.mean()),
        macro_recall_ci95=bootstrap_macro_recall(true, change, **settings),
        gained=int(gained.sum()),
        lost=int(lost.sum()),
        p_value=mcnemar(before, after, settings["groups"]),
        class_gains=np.asarray(class_gains),
    )

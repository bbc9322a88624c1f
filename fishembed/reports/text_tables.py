"""Tables of a run for the console and the page, as columns and rows of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fishembed._base.text import printable, shortened
from fishembed.evaluation.confusion_counts import confused_pairs
from fishembed.experiments.few_shot import Estimate, curve_points
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import ClassTable, RunResult
from fishembed.reports.wording import interval, percent, points

Table = tuple[list[str], list[list[str]]]

_WIDTH, _RUN_WIDTH = 32, 40
"""Letters of a name in a terminal."""

_SELECTION_SCORES = ("accuracy", "macro_recall", "macro_f1")


def lowest_recall_table(table: ClassTable, limit: int = 5) -> Table:
    """List the scored classes of lowest recall, the lowest first.

    Among equals, the class with more images stands first: it is the more certain one.
    """
    order = sorted(table.scored.tolist(), key=lambda i: (table.recall[i], -table.n[i]))
    trained = not all(math.isnan(n) for n in table.n_train)
    columns = ["lowest recall", "%", "95% interval", "right"] + ["trained on"] * trained
    rows = []
    for i in order[:limit]:
        ends = interval((float(table.low[i]), float(table.high[i])))
        row = [shortened(table.names[i], _WIDTH), percent(float(table.recall[i])), ends]
        row.append(f"{table.correct[i]:,} of {table.n[i]:,}")
        known = not math.isnan(table.n_train[i])
        rows.append(row + [f"{table.n_train[i]:,.0f}" if known else ""] * trained)
    return columns, rows


def largest_mixups_table(result: RunResult, limit: int = 3) -> Table:
    """List the classes taken for each other most often; no row where there is no mistake."""
    names = [shortened(name, _WIDTH) for name in result.classes.names]
    rows = [
        [names[pair.true], names[pair.predicted], f"{pair.count:,} of {pair.total:,}"]
        for pair in confused_pairs(result.confusion, limit)
    ]
    return ["largest mix-ups", "called", "images"], rows


def best_candidates_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """List the best of each kind of candidate that a head was chosen from, parameters last.

    Parameters
    ----------
    rows
        `RunResult.selection`.
    """
    columns = ["candidate", "accuracy %", "macro recall %", "macro F1 %", "log loss", "seconds"]
    columns.append("parameters")
    best: dict[str, Mapping[str, Any]] = {}
    seconds: dict[str, float] = {}
    for row in rows:
        best.setdefault(row["candidate"], row)
        seconds[row["candidate"]] = seconds.get(row["candidate"], 0.0) + row["seconds"]
    lines = [
        [
            f"{'*' if row['chosen'] else ' '} {name}",
            *(_spread(row, score, 100, 1) for score in _SELECTION_SCORES),
            _spread(row, "log_loss", 1, 3),
            f"{seconds[name]:.1f}",
            row["parameters"],
        ]
        for name, row in best.items()
    ]
    return columns, lines


def judged_on(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the candidates were compared on: folds, whose scores differ, or the val split."""
    folds = any(row["accuracy_std"] for row in rows)
    return "by cross-validation on the training images" if folds else "on the validation images"


def learning_curve_table(rows: Sequence[Mapping[str, Any]], head: str = "") -> Table:
    """List means over the draws with 95% intervals, by images of each class and head.

    Parameters
    ----------
    rows
        `RunResult.few_shot`.
    head
        Name of the head, for rows that do not say.
    """
    curve = curve_points(rows, head)
    columns = ["images of each class", "head", "training images", "accuracy %", "macro recall %"]
    columns += ["log loss", "classes at zero"]
    compared = any(point.gain for point in curve)
    lines = []
    for point in curve:
        line = [f"{point.shots}", printable(point.head), f"{point.n_train:,}"]
        line += [_estimate(point.accuracy), _estimate(point.macro_recall)]
        line.append("" if np.isnan(point.log_loss) else f"{point.log_loss:.3f}")
        line.append(f"{point.classes_at_zero:.1f}")
        if compared:
            gain = point.gain
            line.append("" if gain is None else _gain(gain))
        lines.append(line)
    first = next((point.head for point in curve if point.shots), "")
    return columns + ([f"{printable(first)}'s gain"] if compared else []), lines


def _estimate(value: Estimate) -> str:
    if np.isnan(value.low):
        return percent(value.mean)
    return f"{percent(value.mean)} ({interval((value.low, value.high))})"


def _gain(value: Estimate) -> str:
    if np.isnan(value.low):
        return f"{100 * value.mean:+.1f}"
    return points(value.mean, (value.low, value.high))


def _spread(row: Mapping[str, Any], score: str, factor: float, decimals: int) -> str:
    mean, std = factor * row[f"{score}_mean"], factor * row[f"{score}_std"]
    return f"{mean:.{decimals}f} ± {std:.{decimals}f}"


_SCORES = ("accuracy", "macro_recall")


def seeds_table(runs: Sequence[Run]) -> Table:
    """List the scores of each run, and below them mean ± standard deviation."""
    rows = [
        [shortened(name, _RUN_WIDTH), *(percent(run.metrics[key]) for key in _SCORES)]
        for name, run in ((printable(run.name), run) for run in runs)
    ]
    document = seeds_document(runs)
    ends = [f"{percent(document[key])} ± {percent(document[f'{key}_sd'])}" for key in _SCORES]
    rows.append([f"mean ± sd of {len(runs)} seeds", *ends])
    return ["run", "right %", "average over species %"], rows


def seeds_document(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the runs, and the mean and standard deviation of their scores, for JSON."""
    document: dict[str, Any] = {
        "runs": [str(run.folder) for run in runs],
        "seeds": [run.info["seed"] for run in runs],
    }
    for key in _SCORES:
        values = np.array([run.metrics[key] for run in runs], np.float64)
        document[key] = float(values.mean())
        document[f"{key}_sd"] = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return document

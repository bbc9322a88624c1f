"""Tables of a run: as text for the console and the page, in LaTeX for a paper, in Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fishembed._base.text import printable, shortened
from fishembed.evaluation.confusion_counts import ConfusedPair, confused_pairs, largest_pairs
from fishembed.experiments.few_shot import Estimate, curve_points
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import ClassTable, RunResult
from fishembed.reports.run_sentences import mixup_reason, summary_sentence, weakest_classes
from fishembed.reports.wording import images_of, interval, percent, points

Table = tuple[list[str], list[list[str]]]

_WIDTH, _RUN_WIDTH = 32, 40
"""Most letters of a name in a terminal."""

_SCORES = ("accuracy", "macro_recall")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}
_PAIRS = 5


def lowest_recall_table(table: ClassTable, limit: int = 5) -> Table:
    """List the scored classes of lowest recall, the lowest first.

    Among equals, the class with more images stands first: it is the more certain one.
    """
    trained = not all(math.isnan(n) for n in table.n_train)
    columns = ["lowest recall", "%", "95% interval", "right"] + ["trained on"] * trained
    rows = []
    for i in table.worst_first[:limit]:
        ends = interval((float(table.low[i]), float(table.high[i])))
        counts = f"{table.correct[i]:,} of {table.n[i]:,}"
        row = [shortened(table.names[i], _WIDTH), percent(float(table.recall[i])), ends, counts]
        known = "" if math.isnan(table.n_train[i]) else f"{table.n_train[i]:,.0f}"
        rows.append(row + [known] * trained)
    return columns, rows


def largest_mixups_table(result: RunResult, limit: int = 3) -> Table:
    """List the classes most often confused; no row where there is no mistake."""
    names = [shortened(name, _WIDTH) for name in result.classes.names]
    rows = [
        [names[pair.true], names[pair.predicted], f"{pair.count:,} of {pair.total:,}"]
        for pair in confused_pairs(result.confusion, limit)
    ]
    return ["largest mix-ups", "called", "images"], rows


def best_candidates_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """List the best of each kind of candidate of `RunResult.selection`, parameters last."""
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
            *(_spread(row, score, 100, 1) for score in (*_SCORES, "macro_f1")),
            _spread(row, "log_loss", 1, 3),
            f"{seconds[name]:.1f}",
            row["parameters"],
        ]
        for name, row in best.items()
    ]
    return columns, lines


def judged_on(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return text on how candidates were compared: by folds, whose scores differ, or on val."""
    folds = any(row["accuracy_std"] for row in rows)
    return "by cross-validation on the training images" if folds else "on the validation images"


def learning_curve_table(rows: Sequence[Mapping[str, Any]], head: str = "") -> Table:
    """List means of `RunResult.few_shot` over the draws with 95% intervals, by shots and head.

    `head` is the name of the head for rows without one.
    """
    curve = curve_points(rows, head)
    first = next((point.head for point in curve if point.shots), "")
    columns = ["images of each class", "head", "training images", "accuracy %", "macro recall %"]
    columns += ["log loss", "classes at zero", f"{printable(first)}'s gain"]
    lines = [
        [
            f"{point.shots}",
            printable(point.head),
            f"{point.n_train:,}",
            _estimate(point.accuracy),
            _estimate(point.macro_recall),
            "" if np.isnan(point.log_loss) else f"{point.log_loss:.3f}",
            f"{point.classes_at_zero:.1f}",
            "" if point.gain is None else _gain(point.gain),
        ]
        for point in curve
    ]
    if any(point.gain for point in curve):
        return columns, lines
    return columns[:-1], [line[:-1] for line in lines]


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


def seeds_table(runs: Sequence[Run]) -> Table:
    """List the scores of each run, and below them mean ± standard deviation."""
    rows = [
        [
            shortened(printable(run.name), _RUN_WIDTH),
            *(percent(run.metrics[key]) for key in _SCORES),
        ]
        for run in runs
    ]
    document = seeds_document(runs)
    ends = [f"{percent(document[key])} ± {percent(document[f'{key}_sd'])}" for key in _SCORES]
    rows.append([f"mean ± sd of {len(runs)} seeds", *ends])
    return ["run", "right %", "average over species %"], rows


def seeds_document(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the runs, and the mean and standard deviation of their scores, for JSON."""
    document: dict[str, Any] = {"runs": [str(run.folder) for run in runs]}
    document["seeds"] = [run.info["seed"] for run in runs]
    for key in _SCORES:
        values = np.array([run.metrics[key] for run in runs], np.float64)
        document[key] = float(values.mean())
        document[f"{key}_sd"] = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return document


def latex_tables(run: Run) -> str:
    """Return a run's scores and its classes as two LaTeX tables for the package booktabs.

    Names are escaped; scripts other than Latin need XeLaTeX or LuaLaTeX.
    """
    scores, classes = _scores_tabular(run.metrics), _classes_tabular(run.result.classes)
    name = latex_escape(printable(run.name))
    return f"% {name}; needs \\usepackage{{booktabs}}\n{scores}\n{classes}"


def latex_escape(text: str) -> str:
    """Escape the characters that are special in LaTeX."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _scores_tabular(metrics: Mapping[str, Any]) -> str:
    rows = [
        (name, percent(metrics[key]), interval(metrics[f"{key}_ci95"]) if certain else "")
        for key, name, certain in (
            ("accuracy", "Accuracy", True),
            ("macro_recall", "Macro recall", True),
            ("macro_f1", "Macro F1", False),
            ("top5_accuracy", "Top-5 accuracy", False),
        )
        if metrics.get(key) is not None
    ]
    return tabular("lrr", (r"Score (\%)", "", r"95\% interval"), rows)


def _classes_tabular(table: ClassTable) -> str:
    rows = [(latex_escape(name), *row) for name, *row in _class_rows(table, " to ")]
    head = ("Class", r"Recall (\%)", r"95\% interval", "Right / scored", "Trained on")
    return tabular("lrrrr", head, rows)


def _class_rows(table: ClassTable, to: str) -> list[list[str]]:
    """Return name, recall, interval, counts and training images of each class, best first."""
    rows = []
    for i in table.by_recall:
        recall, low, high = (percent(float(x[i])) for x in (table.recall, table.low, table.high))
        trained = "" if math.isnan(table.n_train[i]) else f"{table.n_train[i]:.0f}"
        counts = f"{table.correct[i]} / {table.n[i]}"
        rows.append([table.names[i], recall, f"{low}{to}{high}", counts, trained])
    return rows


def tabular(columns: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a tabular with the rules of booktabs; cells are LaTeX already."""
    lines = [" & ".join(cells) + r" \\" for cells in (head, *rows)]
    body = "\n".join(lines[1:])
    return (
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{lines[0]}\n\\midrule\n{body}\n"
        "\\bottomrule\n\\end{tabular}\n"
    )


def markdown_summary(run: Run) -> str:
    """Summarise a run in Markdown: scores, table of classes, most confused pairs, command.

    GitHub and most others render it; names are escaped.
    """
    table = run.result.classes
    parts = [
        f"### {markdown_escape(printable(run.name))}",
        f"**{markdown_escape(summary_sentence(run.metrics))}**",
    ]
    if weakest := weakest_classes(run.metrics):
        parts.append(markdown_escape(weakest))
    if len(table.scored):
        parts.append(_markdown_table(table))
    if pairs := largest_pairs(run.result.confusion, _PAIRS):
        parts.append("\n".join("- " + markdown_escape(_sentence(table, pair)) for pair in pairs))
    if command := printable(str(run.info.get("command", ""))):
        parts.append(f"Made by {_code(command)}.")
    return "\n\n".join(parts) + "\n"


def markdown_escape(text: str) -> str:
    """Escape the characters that are special in Markdown or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$#!])", r"\\\1", text)


def _code(text: str) -> str:
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _markdown_table(table: ClassTable) -> str:
    lines = ["| class | recall % | 95% interval | right / scored | trained on |"]
    lines.append("|---|---:|---:|---:|---:|")
    for name, *row in _class_rows(table, "–"):
        lines.append("| " + " | ".join((markdown_escape(name), *row)) + " |")
    return "\n".join(lines)


def _sentence(table: ClassTable, pair: ConfusedPair) -> str:
    true, called = table.names[pair.true], table.names[pair.predicted]
    verb = "was" if pair.count == 1 else "were"
    reason = mixup_reason(table, pair)
    return f"{pair.count} of {pair.total} {images_of(true)} {verb} called {called}{reason}."

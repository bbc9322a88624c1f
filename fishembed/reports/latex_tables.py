"""A run as LaTeX tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fishembed._base.text import printable
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import ClassTable
from fishembed.reports.wording import interval, percent

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


def latex_tables(run: Run) -> str:
    """Return a run's scores and its classes as two tables; they need the package booktabs.

    Returns
    -------
    str
        LaTeX; names are escaped, scripts other than Latin need XeLaTeX or LuaLaTeX.
    """
    scores, classes = _scores(run.metrics), _classes(run.result.classes)
    return f"% {escape(printable(run.name))}; needs \\usepackage{{booktabs}}\n{scores}\n{classes}"


def escape(text: str) -> str:
    """Escape what LaTeX would not print as it is."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _scores(metrics: Mapping[str, Any]) -> str:
    rows = []
    for key, name in (("accuracy", "Accuracy"), ("macro_recall", "Macro recall")):
        if metrics.get(key) is not None:
            rows.append((name, percent(metrics[key]), interval(metrics[f"{key}_ci95"])))
    for key, name in (("macro_f1", "Macro F1"), ("top5_accuracy", "Top-5 accuracy")):
        if metrics.get(key) is not None:
            rows.append((name, percent(metrics[key]), ""))
    return tabular("lrr", (r"Score (\%)", "", r"95\% interval"), rows)


def _classes(table: ClassTable) -> str:
    rows = []
    for i in table.by_recall:
        trained = "" if math.isnan(table.n_train[i]) else f"{table.n_train[i]:.0f}"
        ends = interval((float(table.low[i]), float(table.high[i])))
        share = percent(float(table.recall[i]))
        counts = f"{table.correct[i]} / {table.n[i]}"
        rows.append((escape(table.names[i]), share, ends, counts, trained))
    head = ("Class", r"Recall (\%)", r"95\% interval", "Right / scored", "Trained on")
    return tabular("lrrrr", head, rows)


def tabular(columns: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a tabular with the rules of booktabs; cells are LaTeX already."""
    lines = [" & ".join(cells) + r" \\" for cells in (head, *rows)]
    body = "\n".join(lines[1:])
    return (
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{lines[0]}\n\\midrule\n{body}\n"
        "\\bottomrule\n\\end{tabular}\n"
    )

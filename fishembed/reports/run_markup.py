"""A run in LaTeX for a paper, and in Markdown for a README or a pull request."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fishembed._base.text import printable
from fishembed.evaluation.confusion_counts import ConfusedPair, largest_pairs
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import ClassTable
from fishembed.reports.run_sentences import mixup_reason, summary_sentence, weakest_classes
from fishembed.reports.wording import images_of, interval, percent

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
    """Return a run's scores and its classes as two LaTeX tables for the package booktabs.

    Names are escaped; scripts other than Latin need XeLaTeX or LuaLaTeX.
    """
    scores, classes = _scores(run.metrics), _classes(run.result.classes)
    name = latex_escape(printable(run.name))
    return f"% {name}; needs \\usepackage{{booktabs}}\n{scores}\n{classes}"


def latex_escape(text: str) -> str:
    """Escape what LaTeX would not print as it is."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _scores(metrics: Mapping[str, Any]) -> str:
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


def _classes(table: ClassTable) -> str:
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


_PAIRS = 5


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
        parts.append(_table(table))
    if pairs := largest_pairs(run.result.confusion, _PAIRS):
        parts.append("\n".join("- " + markdown_escape(_sentence(table, pair)) for pair in pairs))
    if command := printable(str(run.info.get("command", ""))):
        parts.append(f"Made by {_code(command)}.")
    return "\n\n".join(parts) + "\n"


def markdown_escape(text: str) -> str:
    """Escape what Markdown or HTML would not show as it is."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$#!])", r"\\\1", text)


def _code(text: str) -> str:
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _table(table: ClassTable) -> str:
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

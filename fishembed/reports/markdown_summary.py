"""A run in Markdown: for a README or a pull request."""

from __future__ import annotations

import math
import re

from fishembed._base.text import printable
from fishembed.evaluation.confusion_counts import ConfusedPair, largest_pairs
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import ClassTable
from fishembed.reports.run_sentences import mixup_reason, summary_sentence, weakest_classes
from fishembed.reports.wording import images_of, percent

_PAIRS = 5


def markdown_summary(run: Run) -> str:
    """Summarise a run in Markdown: scores, table of classes, most confused pairs, command.

    Returns
    -------
    str
        Markdown with one table, as GitHub and most others render it; names are escaped.
    """
    table = run.result.classes
    parts = [f"### {escape(printable(run.name))}", f"**{escape(summary_sentence(run.metrics))}**"]
    if weakest := weakest_classes(run.metrics):
        parts.append(escape(weakest))
    if len(table.scored):
        parts.append(_table(table))
    if pairs := largest_pairs(run.result.confusion, _PAIRS):
        parts.append("\n".join("- " + escape(_sentence(table, pair)) for pair in pairs))
    if command := printable(str(run.info.get("command", ""))):
        parts.append(f"Made by {_code(command)}.")
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
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
    for i in table.by_recall:
        ends = f"{percent(float(table.low[i]))}–{percent(float(table.high[i]))}"
        trained = "" if math.isnan(table.n_train[i]) else f"{table.n_train[i]:.0f}"
        lines.append(
            f"| {escape(table.names[i])} | {percent(float(table.recall[i]))} | {ends} "
            f"| {table.correct[i]} / {table.n[i]} | {trained} |"
        )
    return "\n".join(lines)


def _sentence(table: ClassTable, pair: ConfusedPair) -> str:
    true, called = table.names[pair.true], table.names[pair.predicted]
    verb = "was" if pair.count == 1 else "were"
    reason = mixup_reason(table, pair)
    return f"{pair.count} of {pair.total} {images_of(true)} {verb} called {called}{reason}."

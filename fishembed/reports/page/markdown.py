"""A run in Markdown: for a README or a pull request."""

from __future__ import annotations

import math
import re
from pathlib import Path

from fishembed.reports.confusion import ConfusedPair, confusion_counts, largest_pairs
from fishembed.reports.names import printable
from fishembed.reports.outcome import ClassTable, Outcome, read_outcome
from fishembed.reports.run import Run
from fishembed.reports.sentences import images_of, percent, reason, verdict

_PAIRS = 5


def write_markdown(run: str | Path | Run) -> str:
    """Summarise a run in Markdown: verdict, table of classes, most confused pairs, command.

    Parameters
    ----------
    run
        A run folder, or the run read from it.

    Returns
    -------
    str
        Markdown with one table, as GitHub and most others render it; names are escaped.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    outcome = read_outcome(run)
    parts = [f"### {escape(printable(run.name))}", f"**{escape(verdict(run.metrics))}**"]
    parts += [_table(outcome.classes)] if len(outcome.classes.scored) else []
    parts += [pairs] if (pairs := _pairs(outcome)) else []
    command = printable(str(run.info.get("command", "")))
    return "\n\n".join([*parts, f"Made by {_code(command)}." if command else ""]).rstrip() + "\n"


def escape(text: str) -> str:
    """Keep Markdown and HTML from reading anything into a name."""
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


def _pairs(outcome: Outcome) -> str:
    table = outcome.classes
    counts = confusion_counts(outcome.predictions, len(table.names))
    return "\n".join(
        "- " + escape(_sentence(table, pair)) for pair in largest_pairs(counts, _PAIRS)
    )


def _sentence(table: ClassTable, pair: ConfusedPair) -> str:
    true, called = table.names[pair.true], table.names[pair.called]
    verb = "was" if pair.count == 1 else "were"
    why = reason(called, table.n_train[pair.true], table.n_train[pair.called])
    return f"{pair.count} of {pair.total} {images_of(true)} {verb} called {called}{why}."

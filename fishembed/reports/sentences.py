"""The sentences of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fishembed._base.text import listed
from fishembed.reports.names import printable, shortened

if TYPE_CHECKING:
    from fishembed.reports.confusion import ConfusedPair
    from fishembed.reports.outcome import ClassTable

_SPLIT_IMAGES = {
    "train": "training images",
    "val": "validation images",
    "test": "test images",
    "holdout": "held-out images",
    "all": "images",
}
_NAMED = 3
_WIDTH = 32
"""Letters of a name in a terminal."""


def class_lines(table: ClassTable, limit: int = 5) -> tuple[list[str], list[list[str]]]:
    """Give the scored classes of lowest recall as columns and rows of text, the lowest first.

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


def pair_lines(
    table: ClassTable, pairs: Sequence[ConfusedPair]
) -> tuple[list[str], list[list[str]]]:
    """Give confused pairs as columns and rows of text."""
    rows = [
        [
            shortened(table.names[pair.true], _WIDTH),
            shortened(table.names[pair.called], _WIDTH),
            f"{pair.count:,} of {pair.total:,}",
        ]
        for pair in pairs
    ]
    return ["largest mix-ups", "called", "images"], rows


def split_images(split: str) -> str:
    """Say which images were scored: "test images"."""
    return _SPLIT_IMAGES.get(split, "images")


def percent(share: float, decimals: int = 1) -> str:
    """Write a share between 0 and 1 in percent, without the sign."""
    return f"{100 * share:.{decimals}f}"


def interval(ends: Sequence[float]) -> str:
    """Write an interval of shares in percent: "83.6 to 88.3"."""
    return f"{percent(ends[0])} to {percent(ends[1])}"


def verdict(metrics: Mapping[str, Any]) -> str:
    """Say in one sentence what a run reached.

    Parameters
    ----------
    metrics
        What `metrics.json` holds.
    """
    n = metrics.get("n", 0)
    what = split_images(metrics.get("scored_split", ""))
    if not n:
        return f"No labelled {what} were scored."
    if n == 1:
        what = what.removesuffix("s")
    return (
        f"{percent(metrics['accuracy'])}% of {n:,} {what} right "
        f"({interval(metrics['accuracy_ci95'])}); "
        f"macro recall {percent(metrics['macro_recall'])} "
        f"({interval(metrics['macro_recall_ci95'])}); {zero_classes(metrics)}."
    )


def zero_classes(metrics: Mapping[str, Any]) -> str:
    """Name the classes none of whose images was called right."""
    zero = [shortened(printable(name), 40) for name in metrics.get("zero_recall_classes", ())]
    if not zero:
        return "no class at zero"
    count = "1 class" if len(zero) == 1 else f"{len(zero):,} classes"
    if len(zero) <= _NAMED:
        return f"{count} at zero: {listed(zero)}"
    return f"{count} at zero, among them {listed(zero[:_NAMED])}"


def images_of(name: str) -> str:
    """Put a class after a count: "22 of 90 goby", but "8 of 12 images of 94" for a number."""
    return f"images of {name}" if name[:1].isdigit() else name


def reason(called: str, n_true: float, n_called: float) -> str:
    """Compare a confused pair's training images, as the end of a sentence.

    Parameters
    ----------
    called
        The class that was named instead.
    n_true, n_called
        Training images of the true class and of `called`; NaN where not known.

    Returns
    -------
    str
        Empty where nothing was trained on.
    """
    if math.isnan(n_true) or math.isnan(n_called):
        return ""
    counts = f"({n_called:,.0f} against {n_true:,.0f})"
    if n_true < 1:
        return f"; there were no training images of the true class {counts}"
    ratio = n_called / n_true
    if ratio >= 1.3:
        times = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"
        return f"; {called} has {times} times the training images {counts}"
    if ratio > 1 / 1.3:
        return f"; both have about as many training images {counts}"
    return f", although {called} has fewer training images {counts}"

"""The sentences of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fishembed.reports.names import printable, shortened

_SPLIT_IMAGES = {
    "train": "training images",
    "val": "validation images",
    "test": "test images",
    "holdout": "held-out images",
    "all": "images",
}
_NAMED = 3


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


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def counted(n: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: "1 image", "1,200 images"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"

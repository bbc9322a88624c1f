"""Scores as a short table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fishembed._base.short_table import ShortTable
from fishembed._base.text import counted, listed

_NAMED = 3


def score_table(title: str, metrics: Mapping[str, Any]) -> ShortTable:
    """Return a short table of scores.

    Parameters
    ----------
    title
        What was scored.
    metrics
        `Scores.as_dict`, or what `metrics.json` holds.
    """
    n, groups = int(metrics.get("n") or 0), metrics.get("n_groups")
    images = counted(n, "image") + (f" in {counted(groups, 'group')}" if groups else "")
    if not n:
        return ShortTable(f"{title}: nothing was scored", [], [])
    zero = list(metrics.get("zero_recall_classes") or ())
    more = f" and {len(zero) - _NAMED:,} more" if len(zero) > _NAMED else ""
    rows = [
        _share("right", metrics, "accuracy", "majority_accuracy"),
        _share(
            "average over classes (macro recall)", metrics, "macro_recall", "majority_macro_recall"
        ),
        [
            "classes never recognised",
            f"{len(zero):,} of {metrics.get('n_classes', 0):,}",
            "",
            "",
        ],
    ]
    if zero:
        rows.append([f"  {listed(zero[:_NAMED])}{more}", "", "", ""])
    for key, share, text in (
        ("worst_recall", "recall", "found least: "),
        ("worst_precision", "precision", "false alarm most: "),
    ):
        if worst := metrics.get(key):
            rows.append([f"{text}{worst['class']}", *_interval(worst, share), ""])
    guess = f"always guessing {metrics['majority_class']}" if metrics.get("majority_class") else ""
    return ShortTable(f"{title}: {images}", ["", "%", "95% interval", guess], rows)


def _share(name: str, metrics: Mapping[str, Any], key: str, guess: str) -> list[str]:
    by_guess = metrics.get(guess)
    return [
        name,
        *_interval(metrics, key),
        "" if by_guess is None else f"{100 * float(by_guess):.1f}",
    ]


def _interval(metrics: Mapping[str, Any], key: str) -> tuple[str, str]:
    low, high = metrics.get(f"{key}_ci95") or (float("nan"), float("nan"))
    inside = f"{100 * low:.1f} to {100 * high:.1f}" if low == low else ""  # noqa: PLR0124 - NaN
    return f"{100 * float(metrics.get(key, float('nan'))):.1f}", inside

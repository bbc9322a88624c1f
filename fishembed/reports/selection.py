"""What a head was chosen from: the table of candidates, in a run's files and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fishembed.classifiers import Trial

SCORES = ("accuracy", "macro_recall", "macro_f1", "log_loss")
SELECTION = (
    "candidate",
    "parameters",
    *(f"{score}_{what}" for score in SCORES for what in ("mean", "std")),
    "seconds",
    "tied",
    "chosen",
)
"""Columns of `selection.csv`."""

Row = dict[str, Any]


def selection_rows(trials: Sequence[Trial]) -> list[Row]:
    """Put every candidate as a row of the columns `SELECTION`, the one chosen first."""
    return [
        {
            "candidate": trial.candidate,
            "parameters": _told(trial.parameters),
            **{
                f"{score}_{what}": getattr(trial, f"{score}{suffix}")
                for score in SCORES
                for what, suffix in (("mean", ""), ("std", "_std"))
            },
            "seconds": round(trial.seconds, 4),
            "tied": trial.tied,
            "chosen": trial.chosen,
        }
        for trial in trials
    ]


def selection_table(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Give the best of each kind of candidate as columns and rows of text for a terminal.

    Parameters
    ----------
    rows
        What `selection_rows` gave.
    """
    columns = ["candidate", "accuracy %", "macro recall %", "macro F1 %", "log loss", "seconds"]
    best: dict[str, Mapping[str, Any]] = {}
    seconds: dict[str, float] = {}
    for row in rows:
        best.setdefault(row["candidate"], row)
        seconds[row["candidate"]] = seconds.get(row["candidate"], 0.0) + row["seconds"]
    lines = [
        [
            f"{'*' if row['chosen'] else ' '} {name} ({row['parameters']})",
            *(_spread(row, score, 100, 1) for score in SCORES[:3]),
            _spread(row, "log_loss", 1, 3),
            f"{seconds[name]:.1f}",
        ]
        for name, row in best.items()
    ]
    return columns, lines


def _told(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in parameters.items())


def _spread(row: Mapping[str, Any], score: str, factor: float, decimals: int) -> str:
    mean, std = factor * row[f"{score}_mean"], factor * row[f"{score}_std"]
    return f"{mean:.{decimals}f} ± {std:.{decimals}f}"

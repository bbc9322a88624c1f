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
    "rows",
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
            "rows": trial.rows,
            "tied": trial.tied,
            "chosen": trial.chosen,
        }
        for trial in trials
    ]


def best_of_each(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Give the best of each kind of candidate as columns and rows of text, parameters last.

    Parameters
    ----------
    rows
        What `selection_rows` gave.
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
            *(_spread(row, score, 100, 1) for score in SCORES[:3]),
            _spread(row, "log_loss", 1, 3),
            f"{seconds[name]:.1f}",
            row["parameters"],
        ]
        for name, row in best.items()
    ]
    return columns, lines


def _told(parameters: Mapping[str, float]) -> str:
    """Write parameters: "C=100, tau=1", for a blend "0.7 gaussian (tau=1) + 0.3 zeroshot"."""
    parts: dict[str, list[str]] = {}
    shares: dict[str, float] = {}
    for key, value in parameters.items():
        part, _, name = key.rpartition(".")
        own = parts.setdefault(part, [])
        if name == "share":
            shares[part] = value
        else:
            own.append(f"{name}={value:g}")
    if not shares:
        return ", ".join(parts.get("", []))
    return " + ".join(
        f"{share:g} {part}" + (f" ({', '.join(parts[part])})" if parts[part] else "")
        for part, share in shares.items()
    )


def _spread(row: Mapping[str, Any], score: str, factor: float, decimals: int) -> str:
    mean, std = factor * row[f"{score}_mean"], factor * row[f"{score}_std"]
    return f"{mean:.{decimals}f} ± {std:.{decimals}f}"

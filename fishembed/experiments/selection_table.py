"""The candidates that a head was chosen from, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fishembed.classifiers import Trial

_SCORES = ("accuracy", "macro_recall", "macro_f1", "log_loss")
Row = dict[str, Any]


def selection_rows(trials: Sequence[Trial]) -> list[Row]:
    """Return one row for each candidate, the one chosen first: the columns of `selection.csv`."""
    return [
        {
            "candidate": trial.candidate,
            "parameters": _parameters_text(trial.parameters),
            **{
                f"{score}_{what}": getattr(trial, f"{score}{suffix}")
                for score in _SCORES
                for what, suffix in (("mean", ""), ("std", "_std"))
            },
            "seconds": round(trial.seconds, 4),
            "rows": trial.rows,
            "tied": trial.tied,
            "chosen": trial.chosen,
        }
        for trial in trials
    ]


def _parameters_text(parameters: Mapping[str, float]) -> str:
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

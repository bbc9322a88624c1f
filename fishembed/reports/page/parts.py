"""The parts of a report's page, as plain values for its template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fishembed._base.text import counted
from fishembed.reports.names import printable
from fishembed.reports.outcome import ClassTable
from fishembed.reports.run import Run
from fishembed.reports.selection import best_of_each
from fishembed.reports.sentences import interval, percent

_BARS_UP_TO = 60
_LOWEST, _HIGHEST = 30, 15


@dataclass(frozen=True)
class Tile:
    """One score: its name, value, and where it has one its interval (text, and as shares)."""

    name: str
    value: str
    interval: str = ""
    ends: tuple[float, float] | None = None
    at: float = 0.0


@dataclass(frozen=True)
class ClassRow:
    """One class in the table of classes; numbers are NaN where there are none."""

    name: str
    n: int
    correct: int
    predicted: int
    n_train: float
    recall: float
    low: float
    high: float
    precision: float
    f1: float
    confused_with: str
    confused_count: int


def tiles(metrics: dict[str, Any]) -> list[Tile]:
    """Give the scores that stand under the verdict."""
    if not metrics.get("n"):
        return []
    made = []
    for key, name in (("accuracy", "Accuracy"), ("macro_recall", "Macro recall")):
        low, high = metrics[f"{key}_ci95"]
        value = metrics[key]
        made.append(Tile(name, f"{percent(value)}%", interval((low, high)), (low, high), value))
    for key, name in (("macro_f1", "Macro F1"), ("top5_accuracy", "Top-5 accuracy")):
        if metrics.get(key) is not None:
            made.append(Tile(name, f"{percent(metrics[key])}%"))
    if metrics.get("log_loss") is not None:
        made.append(Tile("Log loss", f"{metrics['log_loss']:.3f}", "nats"))
    return made


def intervals_note(n_groups: int | None) -> str:
    """Say what the intervals take for independent."""
    if n_groups is None:
        return "Intervals are 95% and take every image for independent of the others."
    return (
        "Intervals are 95% and do not take images of one group, such as frames of one fish, for "
        f"independent; there are {counted(n_groups, 'group')}."
    )


def class_rows(run: Run, table: ClassTable) -> list[ClassRow]:
    """Give every class, those with scored images first, best recall first."""
    raw = run.per_class + [{}] * (len(table.names) - len(run.per_class))
    order = [*table.by_recall, *np.flatnonzero(table.n == 0)]
    return [
        ClassRow(
            name=table.names[i],
            n=int(table.n[i]),
            correct=int(table.correct[i]),
            predicted=int(table.predicted[i]),
            n_train=float(table.n_train[i]),
            recall=float(table.recall[i]),
            low=float(table.low[i]),
            high=float(table.high[i]),
            precision=float(table.precision[i]),
            f1=float(table.f1[i]),
            confused_with=printable(raw[i].get("confused_with") or ""),
            confused_count=int(float(raw[i].get("confused_count") or 0)),
        )
        for i in order
    ]


def bar_groups(rows: list[ClassRow]) -> list[tuple[str, list[ClassRow]]]:
    """Choose the classes drawn as bars: all, or with many classes the two ends."""
    scored = [row for row in rows if row.n]
    if len(scored) <= _BARS_UP_TO:
        return [("", scored)] if scored else []
    return [
        (f"The {_HIGHEST} best of {len(scored):,}", scored[:_HIGHEST]),
        (f"The {_LOWEST} lowest", scored[-_LOWEST:]),
    ]


@dataclass(frozen=True)
class Selection:
    """What a head was chosen from: the best of each kind as text, and how many there were."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    candidates: int


def selection_table(run: Run) -> Selection | None:
    """Give what the head was chosen from, the row of the one taken first; None for no choice."""
    if not run.selection:
        return None
    columns, rows = best_of_each(run.selection)
    shown = (tuple(printable(cell.removeprefix("*").strip()) for cell in row) for row in rows)
    return Selection(tuple(columns), tuple(shown), len(run.selection))


def prompts(run: Run) -> list[str]:
    """Give the sentences that class names were put into; none for a head that was fitted."""
    told = run.info.get("prompts") or {}
    return [printable(str(template)) for template in told.get("templates", ())]


def how_made(run: Run) -> list[tuple[str, str]]:
    """Say how a run was made, as pairs of a term and what it is."""
    info = run.info
    store, encoder, words = (info.get(key) or {} for key in ("store", "encoder", "prompts"))
    spec = {k: v for k, v in encoder.items() if k not in ("name", "fingerprint")}
    pairs = [
        ("Head", f"{info.get('head', '')} ({info.get('kind', '')})"),
        ("Parameters", _settings(info.get("parameters") or {})),
        ("Seed", str(info.get("seed", ""))),
        ("Scored split", str(info.get("scored_split", ""))),
        ("Images by split", _settings(run.metrics.get("splits") or {})),
        ("Encoder", str(encoder.get("name", ""))),
        ("Encoder's details", _settings(spec)),
        ("Encoder's fingerprint", str(encoder.get("fingerprint", ""))),
        ("Store", f"{store.get('path', '')} ({store.get('rows', '?')} × {store.get('dim', '?')})"),
        ("Store's fingerprint", str(store.get("fingerprint", ""))),
        ("Photos", str(store.get("source_root") or "not known to the store")),
    ]
    if words:
        pairs.append(("Prompts", str(words.get("key", ""))))
    pairs += [
        ("Seconds", _settings(info.get("seconds") or {})),
        ("Versions", _settings(info.get("versions") or {})),
        ("Made", str(info.get("created", ""))),
    ]
    return [(term, printable(text)) for term, text in pairs if text]


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{key or 'no split'} {_value(value)}" for key, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return "(" + _settings(value) + ")"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return "none" if value is None else str(value)

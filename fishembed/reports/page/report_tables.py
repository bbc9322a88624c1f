"""The tables and tiles of a report's page, as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fishembed._base.printable import printable
from fishembed.evaluation.confusion_counts import most_often_called_instead
from fishembed.experiments.field.class_prior import PRIOR_SENTENCES, assumed_prior
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.shared_page_parts import Tile
from fishembed.reports.text_tables import (
    best_candidates_table,
    judged_on,
    learning_curve_table,
)
from fishembed.reports.wording import interval, percent

_BARS_UP_TO = 60
_LOWEST, _HIGHEST = 30, 15


Row = dict[str, Any]
"""A class: `name`, `confused_with`, `confused_count`, and the columns of `ClassTable`."""


def score_tiles(metrics: Mapping[str, Any]) -> list[Tile]:
    """Return the scores that stand under the headline."""
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


def class_rows(result: RunResult) -> list[Row]:
    """Return every class, those with scored images first, best recall first."""
    table = result.classes
    numbers = {name: column.tolist() for name, column in table.columns().items()}
    instead = most_often_called_instead(result.confusion)
    rows = []
    for i in [*table.by_recall, *np.flatnonzero(table.n == 0)]:
        other, count = instead[i] or (None, 0)
        called = "" if other is None else table.names[other]
        row = {"name": table.names[i], "confused_with": called, "confused_count": count}
        rows.append(row | {name: column[i] for name, column in numbers.items()})
    return rows


def bar_groups(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """Choose the classes drawn as bars: all, or with many classes the two ends."""
    scored = [row for row in rows if row["n"]]
    if len(scored) <= _BARS_UP_TO:
        return [("", scored)] if scored else []
    return [
        (f"The {_HIGHEST} best of {len(scored):,}", scored[:_HIGHEST]),
        (f"The {_LOWEST} lowest", scored[-_LOWEST:]),
    ]


def selection_table(result: RunResult) -> dict[str, Any] | None:
    """Return what the head was chosen from, the row of the one chosen first; None for no choice."""
    if not result.selection:
        return None
    columns, rows = best_candidates_table(result.selection)
    shown = [[printable(cell.removeprefix("*").strip()) for cell in row] for row in rows]
    counts = {"candidates": len(result.selection), "judged_on": judged_on(result.selection)}
    return {"columns": columns, "rows": shown, **counts}


def few_images_table(result: RunResult) -> dict[str, Any] | None:
    """Return the learning curve as a table; None where none was asked for."""
    if not result.few_shot:
        return None
    columns, rows = learning_curve_table(result.few_shot, str(result.info.get("head", "")))
    return {"columns": columns, "rows": rows}


def prompts(result: RunResult) -> list[str]:
    """Return the sentences that class names were put into; none for a head that was fitted."""
    templates = (result.info.get("prompts") or {}).get("templates", ())
    return [printable(str(template)) for template in templates]


def how_made(result: RunResult) -> list[tuple[str, str]]:
    """Return how a run was made, as pairs of a term and what it is."""
    info, parameters = result.info, result.info.get("parameters") or {}
    store, encoder, prompt_set = (info.get(key) or {} for key in ("store", "encoder", "prompts"))
    spec = {k: v for k, v in encoder.items() if k not in ("name", "fingerprint")}
    pairs = [
        ("Head", f"{info.get('head', '')} ({info.get('kind', '')})"),
        ("Parameters", _settings(parameters)),
        ("Class prior", PRIOR_SENTENCES[assumed_prior(str(info.get("head")), parameters)]),
        ("Seed", str(info.get("seed", ""))),
        ("Scored split", str(info.get("scored_split", ""))),
        ("Images by split", _settings(result.metrics.get("splits") or {})),
        ("Encoder", str(encoder.get("name", ""))),
        ("Encoder's details", _settings(spec)),
        ("Encoder's fingerprint", str(encoder.get("fingerprint", ""))),
        ("Store", f"{store.get('path', '')} ({store.get('rows', '?')} × {store.get('dim', '?')})"),
        ("Store's fingerprint", str(store.get("fingerprint", ""))),
        ("Photos", str(store.get("source_root") or "not known to the store")),
    ]
    if prompt_set:
        pairs.append(("Prompts", str(prompt_set.get("key", ""))))
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

"""Captions of figures, which screen readers read too, and tables of a report's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fishembed._base.text import counted, listed, printable, shortened
from fishembed.evaluation.confidence import Acceptance
from fishembed.experiments.few_shot import CurvePoint, curve_points
from fishembed.experiments.runs import run_documents as documents
from fishembed.experiments.runs import run_files as files
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_info import PRIOR_SENTENCES, assumed_prior, repeat_commands
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.run_sentences import calibration_sentence, training_effect
from fishembed.reports.run_tables import (
    best_candidates_table,
    judged_on,
    learning_curve_table,
)
from fishembed.reports.wording import interval, percent, rounded, split_photos

CONFUSION_CSV = "confusion.csv"

_NAMED = 3
_GOOD = 0.99
_TABLES = {
    files.PREDICTIONS_CSV: "every photo",
    files.PER_CLASS_CSV: "every species",
    CONFUSION_CSV: "confusion matrix",
    files.SELECTION_CSV: "candidates",
    files.FEW_SHOT_CSV: "learning curve",
    files.HISTORY_CSV: "epochs",
    documents.METRICS_JSON: "all figures (JSON)",
    documents.RUN_JSON: "settings (JSON)",
}
_WORTH_IT = 0.01
"""Share by which a step of the learning curve must rise to count as worth it."""


def figure_captions(result: RunResult) -> dict[str, Any]:
    """Return the caption of each figure; of `learning_curve` its message and the text below."""
    bins = result.reliability
    return {
        "loss": _epoch_caption(result, "loss", "{:.2f}", 1),
        "accuracy": _epoch_caption(result, "accuracy", "{:.1f}%", 100) + _dashed_line(result),
        "selection": f"{len(result.selection)} candidates by the scores that served to choose, "
        f"share right and average over species {_judged_on(result)}; the ring marks the one "
        "chosen.",
        "recall_by_training": training_effect(result.classes),
        "reliability": calibration_sentence(bins) if bins else "",
        "accept": "The higher the bar, the fewer photos are accepted (orange, dashed) and the "
        "more of them are right (blue).",
        "top_k": _top_k_caption(result),
        "learning_curve": learning_curve_message(result),
    }


def figure_tips(result: RunResult) -> dict[str, list[str]]:
    """Describe each point of the figures that have points, in the figure's order."""
    table, bins = result.classes, result.reliability
    tips = [
        f"{table.names[i]}: {table.correct[i]} of {table.n[i]} found "
        f"({percent(float(table.recall[i]), 0)}%); {table.n_train[i]:,.0f} training photos"
        for i in table.trained_and_scored
    ]
    columns = (bins.n, bins.confidence, bins.accuracy, bins.low, bins.high) if bins else ((),) * 5
    return {
        "recall_by_training": tips,
        "reliability": [
            f"{counted(int(n), 'photo')} of which it was {percent(float(sure))}% sure: "
            f"{percent(float(right))}% right ({interval((float(low), float(high)))})"
            for n, sure, right, low, high in zip(*columns, strict=True)
        ],
    }


def _epoch_caption(result: RunResult, what: str, form: str, factor: float) -> str:
    """Return the last loss or accuracy as text; empty for heads that do not train by epochs."""
    history, parts = result.history, (("train", "training"), ("val", "validation"))
    values = [
        f"{form.format(factor * history[f'{part}_{what}'][-1])} in {name}"
        for part, name in parts
        if f"{part}_{what}" in history
    ]
    return f"{what.capitalize()} after the last epoch: {listed(values)}." if values else ""


def _dashed_line(result: RunResult) -> str:
    """Describe the dashed line of the accuracy; empty where it is not drawn."""
    accuracy, split = result.metrics.get("accuracy"), result.scored_split
    if accuracy is None or split == "train":
        return ""
    return f" The dashed line is what the {split_photos(split)} reached: {percent(accuracy)}%."


def _judged_on(result: RunResult) -> str:
    return judged_on(result.selection).replace("images", "photos")


def _top_k_caption(result: RunResult) -> str:
    """Describe the ends of the top-k curve; empty where no image is labelled."""
    if not result.top_k:
        return ""
    first, last = result.top_k[0], result.top_k[-1]
    return (
        f"Its first guess was right for {percent(first.share)}% of the photos; among its first "
        f"{last.k} guesses the truth was for {percent(last.share)}%."
    )


def learning_curve_message(result: RunResult) -> tuple[str, str]:
    """Return whether more images of each class still help, and the figures; empty for no curve."""
    head = str(result.info.get("head", ""))
    curve = [p for p in curve_points(result.few_shot, head) if p.shots and p.gain is None]
    if not curve:
        return "", ""
    first, last = curve[0], curve[-1]
    name = printable(last.head)
    if last is first:
        shots = counted(last.shots, "photo")
        return f"With {shots} of each species {name} finds {_average(last)}% on average.", ""
    before = curve[-2]
    gain = last.macro_recall.mean - before.macro_recall.mean
    steps = f"from {before.shots} to {last.shots} photos of each species"
    if gain >= _WORTH_IT:
        summary = f"Yes: {steps} still adds {100 * gain:.1f} points"
    elif gain > -_WORTH_IT:
        summary = f"Hardly: {steps} changes it by {100 * gain:+.1f} points"
    else:
        summary = f"No: {steps} loses {-100 * gain:.1f} points"
    text = (
        f"The average over species goes from {_average(first)}% with "
        f"{counted(first.shots, 'photo')} of each to {_average(last)}% with {last.shots}; with all "
        f"training photos it is {percent(result.metrics['macro_recall'])}%."
    )
    if result.metrics["macro_recall"] < last.macro_recall.mean - 2 * _WORTH_IT:
        text += (
            " Less with all than with few: the many photos of common species push rare ones "
            "aside. The classifiers auto and prior-corrected make up for that."
        )
    return f"{summary}.", text


def _average(point: CurvePoint) -> str:
    return percent(point.macro_recall.mean)


def report_tables(run: Run, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's tables and the run's settings; `found` is the content of `field.json`."""
    result, rows = run.result, _class_rows(run.result)
    templates = (result.info.get("prompts") or {}).get("templates", ())
    few = learning_curve_table(result.few_shot, str(result.info.get("head", "")))
    return {
        "what": split_photos(result.scored_split),
        "rows": rows,
        "faultless": sum(row["faultless"] for row in rows),
        "never": _never_recognised(result),
        "accept": _acceptance(result),
        "prior": PRIOR_SENTENCES[run.assumed_prior],
        "few_images": {"columns": few[0], "rows": few[1]} if result.few_shot else None,
        "selection": _selection_table(result),
        "command": "\n".join(map(printable, repeat_commands(run.name, result, found))),
        "tables": [(file, what) for file, what in _TABLES.items() if (run.folder / file).is_file()],
        "prompts": [printable(str(template)) for template in templates],
        "made": _how_made(result),
    }


def _class_rows(result: RunResult) -> list[dict[str, Any]]:
    """Return every class, the worst first; those without fault and those not scored come last."""
    table, ends = result.classes, result.precision_intervals
    numbers = {name: column.tolist() for name, column in table.columns().items()}
    rows = []
    for i in [*table.worst_first.tolist(), *np.flatnonzero(table.n == 0).tolist()]:
        other, count = result.called_instead[i] or (None, 0)
        row = {name: column[i] for name, column in numbers.items()}
        row |= {
            "name": table.names[i],
            "confused_with": "" if other is None else table.names[other],
            "confused_count": count,
            "precision_low": float(ends[i, 0]),
            "precision_high": float(ends[i, 1]),
            # Nothing went wrong with it; what was neither scored nor called is no fault either.
            "faultless": row["correct"] == row["n"] == row["predicted"],
        }
        rows.append(row)
    return rows


def _never_recognised(result: RunResult) -> str:
    """Name the classes with no image predicted right; "" where there is none."""
    table = result.classes
    zero = [shortened(table.names[i], 40) for i in table.worst_first if not table.correct[i]]
    if not zero:
        return ""
    count = counted(len(zero), "species was", "species were")
    named = listed(zero) if len(zero) <= _NAMED else f"{', '.join(zero[:_NAMED])} and others"
    return f"{count} never recognised: {named}."


def _acceptance(result: RunResult) -> dict[str, Any] | None:
    """Return shares accepted and right by confidence; None where the run has no confidence."""
    found = result.acceptance
    bars = () if found is None else [i for i in (90, 80, 70, 60, 50, 0) if found.n[i]]
    if found is None or not bars:
        return None
    rows = [
        [
            f"{i}%",
            f"{found.n[i]:,}",
            percent(float(found.accepted[i])),
            percent(float(found.right[i])),
            interval((float(found.low[i]), float(found.high[i]))),
        ]
        for i in found.rows
    ]
    at = bars[0]
    share, right = (rounded(float(values[at])) for values in (found.accepted, found.right))
    sentence = f"Accept above {at}%: {share}% of the photos, {right}% of them right."
    return {"at": at, "sentence": sentence, "advice": _advice(found), "rows": rows}


def _advice(found: Acceptance) -> str:
    """Return a sentence on the confidence from which 99% of the accepted images are right."""
    if found.right[0] >= _GOOD:
        return f"Accepting all, {rounded(float(found.right[0]))}% are right."
    lowest = found.lowest(_GOOD)
    if lowest is None:
        return f"However sure it is, {percent(_GOOD, 0)}% right is not reached: look at all photos."
    return (
        f"For {percent(_GOOD, 0)}% right accept above {lowest}%: "
        f"{rounded(float(found.accepted[lowest]))}% of the photos; look at the others."
    )


def _selection_table(result: RunResult) -> dict[str, Any] | None:
    """Return the candidates for the head, the chosen one first; None without a selection."""
    if not result.selection:
        return None
    columns, rows = best_candidates_table(result.selection)
    shown = [[printable(cell.removeprefix("*").strip()) for cell in row] for row in rows]
    chosen = printable(str(result.selection[0].get("candidate", "")))
    kinds = counted(len(rows), "kind")
    return {
        "columns": columns,
        "rows": shown,
        "candidates": len(result.selection),
        "judged_on": _judged_on(result),
        "sentence": f"Of {counted(len(result.selection), 'candidate')} of {kinds}, {chosen} was "
        f"chosen {_judged_on(result)}.",
    }


def _how_made(result: RunResult) -> list[tuple[str, str]]:
    """Return a run's settings, as pairs of a name and a value."""
    info, parameters = result.info, result.info.get("parameters") or {}
    store, encoder, prompt_set = (info.get(key) or {} for key in ("store", "encoder", "prompts"))
    spec = {k: v for k, v in encoder.items() if k not in ("name", "fingerprint")}
    pairs = [
        ("Classifier", f"{info.get('head', '')} ({info.get('kind', '')})"),
        ("Parameters", _settings(parameters)),
        ("Class prior", PRIOR_SENTENCES[assumed_prior(str(info.get("head")), parameters)]),
        ("Seed", str(info.get("seed", ""))),
        ("Scored split", str(info.get("scored_split", ""))),
        ("Photos by split", _settings(result.metrics.get("splits") or {})),
        ("Encoder", str(encoder.get("name", ""))),
        ("Encoder's details", _settings(spec)),
        ("Encoder's fingerprint", str(encoder.get("fingerprint", ""))),
        ("Store", f"{store.get('path', '')} ({store.get('rows', '?')} × {store.get('dim', '?')})"),
        ("Store's fingerprint", str(store.get("fingerprint", ""))),
        ("Photos", str(store.get("source_root") or "not known to the store")),
        ("Prompts", str(prompt_set.get("key", ""))),
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
        return "[" + ", ".join(map(_value, value)) + "]"
    return "none" if value is None else str(value)

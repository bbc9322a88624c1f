"""Everything a report's page shows, as plain values for its template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.text import counted, listed
from fishembed.reports.calibration import reliability
from fishembed.reports.confusion import confusion_counts, largest_pairs
from fishembed.reports.figures.style import inline_svg
from fishembed.reports.names import printable
from fishembed.reports.outcome import Outcome
from fishembed.reports.page.data import map_data, matrix_data
from fishembed.reports.page.parts import (
    bar_groups,
    class_rows,
    how_made,
    intervals_note,
    prompts,
    selection_table,
    tiles,
)
from fishembed.reports.page.pictures import (
    load_pictures,
    pair_views,
    pair_with_thumbnails,
    photos_of,
    surest_mistakes,
    with_thumbnails,
)
from fishembed.reports.page.why import bin_tips, calibration_verdict, class_tips, training_effect
from fishembed.reports.page.words import figure_words
from fishembed.reports.projection import VectorMap
from fishembed.reports.run import Run
from fishembed.reports.sentences import split_images, verdict

_PARTS = (
    ("training", "Training"),
    ("selection", "Choice of head"),
    ("classes", "Recall by class"),
    ("mixups", "Confusion matrix"),
    ("pairs", "Largest mix-ups"),
    ("why", "Training images"),
    ("confidence", "Confidence"),
    ("map-section", "Map"),
    ("mistakes", "Surest mistakes"),
    ("table", "Every class"),
    ("made", "How it was made"),
)
"""Sections of the page by their ids, as its first lines lead to them."""

_PAIRS = 12
_NAMED = 8


def page_context(
    run: Run,
    outcome: Outcome,
    inline: dict[str, bytes],
    layout: VectorMap | str,
    photos: str | Path | None,
) -> dict[str, Any]:
    """Gather what the page's template names.

    Parameters
    ----------
    run, outcome
        The run and its tables.
    inline
        SVG files by name, for the figures that stand on the page.
    layout
        The map of the vectors, or why there is none.
    photos
        Folder of the photos, or None for the one the store knows.
    """
    rows = class_rows(run, outcome.classes)
    words = figure_words(run, outcome)
    context = {
        "name": printable(run.name),
        "head": printable(str(run.info.get("head", ""))),
        "encoder": printable(str((run.info.get("encoder") or {}).get("name", ""))),
        "verdict": verdict(run.metrics),
        "tiles": tiles(run.metrics),
        "intervals": intervals_note(run.metrics.get("n_groups")),
        "notes": notes(run, outcome),
        "what": split_images(run.metrics.get("scored_split", "")),
        "figures": {name: inline_svg(svg, name, words[name]) for name, svg in inline.items()},
        "words": words,
        "bars": bar_groups(rows),
        "rows": rows,
        "selection": selection_table(run),
        "prompts": prompts(run),
        "made": how_made(run),
        "command": printable(str(run.info.get("command", ""))),
        **_pictures(run, outcome, photos),
        **_drawn_by_script(outcome, layout),
    }
    return context | {"parts": [part for part in _PARTS if _has(context, part[0])]}


def _has(context: dict[str, Any], part: str) -> bool:
    """Whether the page has a part to lead to."""
    figures = context["figures"]
    needed = {
        "training": "loss" in figures or "accuracy" in figures,
        "selection": context["selection"] is not None,
        "mixups": context["matrix"] is not None,
        "pairs": bool(context["pairs"]),
        "why": "recall_by_training" in figures,
        "confidence": "reliability" in figures or "top_k" in figures,
        "mistakes": bool(context["mistakes"]),
    }
    return needed.get(part, True)


def notes(run: Run, outcome: Outcome) -> list[str]:
    """Say what a reader has to know before believing the verdict."""
    said = []
    if run.metrics.get("scored_split") == "train":
        said.append(
            "The images scored are the ones the head was trained on: "
            "this says nothing about new ones."
        )
    unlabelled = int((~outcome.predictions.labelled).sum())
    if unlabelled:
        said.append(f"{counted(unlabelled, 'image')} without a label could not be scored.")
    without = [outcome.classes.names[i] for i in np.flatnonzero(outcome.classes.n == 0)]
    if without and len(outcome.classes.scored):
        few = listed(without) if len(without) <= _NAMED else ", ".join(without[:_NAMED]) + ", …"
        count = counted(len(without), "class", "classes")
        said.append(f"{count} had no images to be scored on and count nowhere: {few}.")
    return said


def _pictures(run: Run, outcome: Outcome, photos: str | Path | None) -> dict[str, Any]:
    counts = confusion_counts(outcome.predictions, len(outcome.classes.names))
    pairs = pair_views(outcome, largest_pairs(counts, _PAIRS))
    mistakes = surest_mistakes(outcome)
    found, missing = photos_of(run, photos)
    if found is not None:
        wanted = [picture for pair in pairs for picture in pair.pictures] + mistakes
        small = load_pictures(found, wanted)
        lost = len({picture.path for picture in wanted}) - len(small)
        if lost:
            missing = f"{counted(lost, 'picture')} could not be read in {printable(str(found))}."
        pairs = [pair_with_thumbnails(pair, small) for pair in pairs]
        mistakes = list(with_thumbnails(mistakes, small))
    return {"pairs": pairs, "mistakes": mistakes, "missing_pictures": missing}


def _drawn_by_script(outcome: Outcome, layout: VectorMap | str) -> dict[str, Any]:
    bins = reliability(outcome.predictions)
    matrix = matrix_data(outcome)
    missing_map = layout if isinstance(layout, str) else ""
    drawn = None if isinstance(layout, str) else layout
    return {
        "why": training_effect(outcome.classes),
        "calibration": calibration_verdict(bins) if bins else "",
        "matrix": matrix,
        "map": drawn,
        "missing_map": missing_map,
        "data": {
            "matrix": matrix,
            "map": map_data(outcome, drawn) if drawn else None,
            "tips": {
                "recall_by_training": class_tips(outcome.classes),
                "reliability": bin_tips(bins) if bins else [],
            },
        },
    }

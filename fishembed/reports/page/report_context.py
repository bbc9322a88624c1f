"""Everything a report's page shows, as plain values for its template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fishembed._base.printable import printable
from fishembed.experiments.field.class_prior import PRIOR_SENTENCES
from fishembed.experiments.runs.run_folder import Run
from fishembed.reports.embedding_map import EmbeddingMap
from fishembed.reports.figures.style import inline_svg
from fishembed.reports.page import captions
from fishembed.reports.page.field_section import field_section
from fishembed.reports.page.galleries import run_galleries
from fishembed.reports.page.report_tables import (
    bar_groups,
    class_rows,
    few_images_table,
    how_made,
    prompts,
    score_tiles,
    selection_table,
)
from fishembed.reports.page.script_data import map_data, matrix_data
from fishembed.reports.run_sentences import (
    calibration_sentence,
    caveats,
    intervals_note,
    summary_sentence,
    training_effect,
    weakest_classes,
)
from fishembed.reports.wording import split_images

_SECTIONS = (
    ("training", "Training"),
    ("selection", "Choice of head"),
    ("few-images", "Few images"),
    ("classes", "Recall by class"),
    ("mixups", "Confusion matrix"),
    ("pairs", "Largest mix-ups"),
    ("why", "Training images"),
    ("confidence", "Confidence"),
    ("map-section", "Map"),
    ("mistakes", "Surest mistakes"),
    ("table", "Every class"),
    ("field", "Questions from the field"),
    ("made", "How it was made"),
)
"""Sections of the page by their ids, as its first lines lead to them."""


def report_context(
    run: Run,
    svgs: dict[str, bytes],
    embedding_map: EmbeddingMap | str,
    photos: str | Path | None,
    *,
    fetch: bool = False,
    found: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Gather what the page's template names.

    Parameters
    ----------
    run
        The run.
    svgs
        SVG files by name, for the figures that stand on the page.
    embedding_map
        The map of the embeddings, or why there is none.
    photos
        Folder of the photos, or None for the one the store knows.
    fetch
        Whether what lies at URLs is fetched.
    found
        What `field.json` holds.
    """
    result = run.result
    info, metrics, bins = result.info, result.metrics, result.reliability
    rows = class_rows(result)
    effect = training_effect(result.classes)
    calibration = calibration_sentence(bins) if bins else ""
    matrix = matrix_data(result)
    drawn_map = None if isinstance(embedding_map, str) else embedding_map
    texts = {
        "loss": captions.epoch_caption(result, "loss"),
        "accuracy": captions.epoch_caption(result, "accuracy")
        + captions.scored_line_caption(result),
        "selection": captions.selection_caption(result),
        "recall_by_training": effect,
        "reliability": calibration,
        "top_k": captions.top_k_caption(result),
        "learning_curve": captions.learning_curve_caption(result),
    }
    context = {
        "name": printable(run.name),
        "head": printable(str(info.get("head", ""))),
        "encoder": printable(str((info.get("encoder") or {}).get("name", ""))),
        "summary": summary_sentence(metrics),
        "tiles": score_tiles(metrics),
        "weakest": weakest_classes(metrics),
        "prior": PRIOR_SENTENCES[run.assumed_prior],
        "intervals": intervals_note(metrics.get("n_groups")),
        "notes": caveats(result),
        "what": split_images(result.scored_split),
        "figures": {
            name: inline_svg(svg, name, texts.get(name, name)) for name, svg in svgs.items()
        },
        "captions": texts,
        "bars": bar_groups(rows),
        "rows": rows,
        "selection": selection_table(result),
        "few_images": few_images_table(result),
        "prompts": prompts(result),
        "field": field_section(found or {}, svgs),
        "made": how_made(result),
        "command": printable(str(info.get("command", ""))),
        **run_galleries(run, photos, fetch=fetch),
        "why": effect,
        "calibration": calibration,
        "matrix": matrix,
        "map": drawn_map,
        "missing_map": "" if drawn_map else embedding_map,
        "data": {
            "matrix": matrix,
            "map": map_data(result, drawn_map) if drawn_map else None,
            "tips": {
                "recall_by_training": captions.class_tips(result.classes),
                "reliability": captions.bin_tips(bins) if bins else [],
            },
        },
    }
    return context | {"parts": [part for part in _SECTIONS if _has(context, part[0])]}


def _has(context: dict[str, Any], section: str) -> bool:
    """Whether the page has a section to lead to."""
    figures = context["figures"]
    needed = {
        "training": "loss" in figures or "accuracy" in figures,
        "selection": context["selection"] is not None,
        "few-images": context["few_images"] is not None,
        "mixups": context["matrix"] is not None,
        "pairs": bool(context["pairs"]),
        "why": "recall_by_training" in figures,
        "confidence": "reliability" in figures or "top_k" in figures,
        "mistakes": bool(context["mistakes"]),
        "field": bool(context["field"]),
    }
    return needed.get(section, True)

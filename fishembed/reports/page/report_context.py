"""Everything a report's page shows, as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fishembed._base.text import printable
from fishembed.evaluation.confusion_counts import count_block, most_mixed
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_info import PRIOR_SENTENCES, repeat_commands
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.embedding_map import EmbeddingMap
from fishembed.reports.field_sentences import field_parts
from fishembed.reports.figures.figure_style import inline_svg
from fishembed.reports.page.galleries import RunPhotos
from fishembed.reports.page.overview import (
    headline,
    key_figures,
    trust_answers,
    trust_facts,
    worst_alarm,
)
from fishembed.reports.page.report_texts import (
    acceptance_view,
    class_rows,
    few_images_table,
    figure_captions,
    figure_tips,
    how_made,
    never_recognised,
    prompts,
    run_tables,
    selection_table,
)
from fishembed.reports.page_template import IMAGES_BESIDE
from fishembed.reports.run_sentences import (
    caveats,
)
from fishembed.reports.thumbnails import TILE
from fishembed.reports.wording import split_photos

_SECTIONS = (
    ("overview", "Overview"),
    ("mixups", "Mix-ups"),
    ("species", "Every species"),
    ("matrix-section", "Matrix"),
    ("sure", "How sure"),
    ("more-photos", "More photos?"),
    ("places", "Everywhere?"),
    ("map-section", "Map"),
    ("choice", "Classifier"),
    ("made", "How made"),
)
"""Sections of the page by their ids, as its navigation leads to them."""


def report_context(
    run: Run,
    svgs: dict[str, bytes],
    embedding_map: EmbeddingMap | str,
    photos: RunPhotos,
    found: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Collect everything a report's page shows.

    Parameters
    ----------
    run
        The run.
    svgs
        Figures by name, as `write_figures` returned them.
    embedding_map
        The map, or why there is none.
    photos
        The images, see `run_photos`.
    found
        What `field.json` holds.
    """
    result = run.result
    drawn_map = None if isinstance(embedding_map, str) else embedding_map
    matrix = matrix_data(result, photos)
    texts = figure_captions(result)
    context = {
        "name": printable(run.name),
        **_overview(run),
        **_photos(photos),
        "rows": (rows := class_rows(result)),
        "faultless": sum(row["faultless"] for row in rows),
        "never": never_recognised(result),
        "what": split_photos(result.scored_split),
        "figures": {
            name: inline_svg(svg, name, _spoken(texts.get(name, name)))
            for name, svg in svgs.items()
        },
        "captions": texts,
        "accept": acceptance_view(result),
        "calibration": texts["reliability"],
        "prior": PRIOR_SENTENCES[run.assumed_prior],
        "why": texts["recall_by_training"],
        "few_images": few_images_table(result),
        "field": field_parts(found or {}, svgs),
        "selection": selection_table(result),
        "matrix": matrix,
        "uneven": are_uneven(result),
        "map": drawn_map,
        "missing_map": "" if drawn_map else embedding_map,
        "small": photos.small is not None,
        **_how_made(run, found or {}),
        "data": _script_data(result, photos, matrix, drawn_map),
        "image_places": IMAGES_BESIDE,
    }
    return context | {"parts": [part for part in _SECTIONS if _has(context, part[0])]}


def _overview(run: Run) -> dict[str, Any]:
    result, info = run.result, run.info
    answers, alarm = trust_answers(result), worst_alarm(result)
    names = [answer.name for answer in answers]
    first = 0 if alarm is None else names.index(result.classes.names[alarm])
    return {
        "head": printable(str(info.get("head", ""))),
        "encoder": printable(str((info.get("encoder") or {}).get("name", ""))),
        "headline": headline(result),
        "key_figures": key_figures(result),
        "trust": trust_facts(result) if result.metrics.get("n") else [],
        "grouped": result.images.groups is not None,
        "notes": caveats(result),
        "answers": answers,
        "asked": first if answers else None,
    }


def _photos(photos: RunPhotos) -> dict[str, Any]:
    return {
        "worst": photos.worst,
        "more": photos.more,
        "pairs": photos.pairs,
        "missing_images": photos.missing,
    }


def _spoken(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else " ".join(text)


def _how_made(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "command": "\n".join(map(printable, repeat_commands(run.name, run.result, found))),
        "tables": run_tables(run.folder),
        "prompts": prompts(run.result),
        "made": how_made(run.result),
    }


def _script_data(
    result: RunResult,
    photos: RunPhotos,
    matrix: dict[str, Any] | None,
    embedding_map: EmbeddingMap | None,
) -> dict[str, Any]:
    accepts = result.acceptance
    return {
        "matrix": matrix,
        "map": map_data(result, embedding_map, photos.number) if embedding_map else None,
        "small": small_data(result, photos),
        "tips": figure_tips(result),
        "named": named_points(result),
        "answers": [[answer.summary, answer.words] for answer in trust_answers(result)],
        "accept": None
        if accepts is None
        else {"n": accepts.n.tolist(), "right": [_hits(x) for x in accepts.right * accepts.n]},
        "answering": photos.answering,
    }


def _hits(count: float) -> int:
    return 0 if count != count else round(count)  # noqa: PLR0124 - NaN where none is accepted


def _has(context: dict[str, Any], section: str) -> bool:
    """Whether the page has a section to lead to."""
    figures, field = context["figures"], context["field"]
    needed = {
        "mixups": bool(context["pairs"] or context["more"]),
        "matrix-section": context["matrix"] is not None,
        "sure": bool(context["accept"] or field["sure"])
        or bool({"reliability", "top_k"} & set(figures)),
        "more-photos": "recall_by_training" in figures or context["few_images"] is not None,
        "places": bool(field["places"]),
        "choice": context["selection"] is not None or bool({"loss", "accuracy"} & set(figures)),
    }
    return needed.get(section, True)


_ALL_UP_TO = 60
_MIXED = 40
_GRID = 2000
_UNEVEN = 2
_NAMED = 5
_GOLDEN = 137.508
"""Degrees between the colours of classes that stand next to each other: as far as can be."""


def matrix_data(result: RunResult, photos: RunPhotos) -> dict[str, Any] | None:
    """Return the confusion matrix as a sparse list, classes in the order of the figure.

    Returns
    -------
    dict or None
        `names` and `totals` (scored images) in order; `cells`, flat triples of row, column
        and count; `photos`, flat triples of row, column and an image's number; `focus`, the
        places of the most mixed-up classes, or None where all are shown at once. None where
        nothing was scored.
    """
    order = result.mixup_order
    if not len(order):
        return None
    ordered = count_block(result.confusion, order)
    row, column = np.nonzero(ordered)
    cells = np.stack([row, column, ordered[row, column]], axis=1)
    focus = most_mixed(ordered, range(len(order)), _MIXED) if len(order) > _ALL_UP_TO else None
    place = {int(label): i for i, label in enumerate(order)}
    true, called = result.images.true, result.images.predicted
    shown = [
        (place[int(true[i])], place[int(called[i])], photos.number[i])
        for i in photos.cells
        if int(true[i]) in place and int(called[i]) in place
    ]
    return {
        "names": [result.classes.names[i] for i in order],
        "totals": ordered.sum(axis=1).tolist(),
        "cells": cells.ravel().tolist(),
        "photos": [number for triple in shown for number in triple],
        "focus": focus,
    }


def are_uneven(result: RunResult) -> bool:
    """Whether classes have so uneven numbers of images that shares say more than counts."""
    n = result.classes.n[result.classes.scored]
    return bool(len(n)) and int(n.max()) >= _UNEVEN * int(n.min())


def map_data(
    result: RunResult, embedding_map: EmbeddingMap, number: Mapping[int, int]
) -> dict[str, Any]:
    """Return the map's points on a whole-numbered grid of one scale for both directions.

    Returns
    -------
    dict
        `names` of the classes that occur; `points`, flat quadruples of x, y, true and predicted
        class (places in `names`); `photos`, each point's number among the images, -1 for none;
        `hues`, a colour angle for each name, far apart for classes that are taken for each other;
        `width` and `height` of the grid; `landmarks`, flat triples of x, y and class, for the
        names of the classes with most points.
    """
    low = embedding_map.xy.min(axis=0)
    scale = float(np.ptp(embedding_map.xy, axis=0).max()) or 1.0
    grid = np.round((embedding_map.xy - low) / scale * _GRID).astype(int)
    true = result.images.true[embedding_map.rows]
    predicted = result.images.predicted[embedding_map.rows]
    occurring, place = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    points = np.column_stack([grid, place[: len(true)], place[len(true) :]])
    place_of = {int(label): i for i, label in enumerate(occurring)}
    marks = [
        [*np.round((xy - low) / scale * _GRID).astype(int).tolist(), place_of[label]]
        for label, xy in embedding_map.landmarks
    ]
    step = {int(label): i for i, label in enumerate(result.mixup_order)}
    hues = [round(step.get(int(c), i) * _GOLDEN % 360) for i, c in enumerate(occurring)]
    return {
        "names": [result.classes.names[i] for i in occurring],
        "landmarks": [number for mark in marks for number in mark],
        "points": points.ravel().tolist(),
        "photos": [number.get(int(row), -1) for row in embedding_map.rows],
        "hues": hues,
        "width": int(grid[:, 0].max()),
        "height": int(grid[:, 1].max()),
    }


def small_data(result: RunResult, photos: RunPhotos) -> dict[str, Any] | None:
    """Return the small images: where each number's stands in the sprite; None for none."""
    sprite = photos.small
    if sprite is None:
        return None
    paths = result.images.paths
    places = {
        n: sprite.place[paths[row]]
        for row, n in photos.number.items()
        if paths[row] in sprite.place
    }
    return {
        "uri": sprite.uri,
        "columns": sprite.columns,
        "tile": list(TILE),
        "numbers": [number for pair in places.items() for number in pair],
        "sizes": [side for size in sprite.sizes for side in size],
    }


def named_points(result: RunResult) -> list[int]:
    """Return the points of recall by training images that are named: those off the trend most."""
    table = result.classes
    shown = table.trained_and_scored
    if len(shown) < 2:
        return list(range(len(shown)))
    trained = table.n_train[shown].argsort(kind="stable").argsort(kind="stable")
    found = table.recall[shown].argsort(kind="stable").argsort(kind="stable")
    order = np.argsort(-np.abs(trained - found), kind="stable")
    return sorted(int(i) for i in order[:_NAMED])

"""Everything a report's page shows, as plain values for its template and its scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fishembed._base.text import printable
from fishembed.evaluation.confusion_counts import count_block, most_mixed
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.embedding_map import EmbeddingMap
from fishembed.reports.field_sentences import field_parts
from fishembed.reports.figures.figure_style import inline_svg
from fishembed.reports.page.galleries import RunImages
from fishembed.reports.page.overview import overview
from fishembed.reports.page.report_texts import figure_captions, figure_tips, report_tables
from fishembed.reports.page_template import IMAGES_BESIDE
from fishembed.reports.thumbnails import TILE

_ALL_UP_TO = 60
_MIXED = 40
_GRID = 2000
_UNEVEN = 2
_NAMED = 5
_GOLDEN = 137.508
"""Degrees between the colours of neighbouring classes: as far apart as possible."""


def report_context(
    run: Run,
    svgs: Mapping[str, bytes],
    embedding_map: EmbeddingMap | str,
    images: RunImages,
    found: Mapping[str, Any],
) -> dict[str, Any]:
    """Collect everything a report's page shows.

    `svgs` are figures by name, as `write_figures` returned them, `embedding_map` is the map or the
    reason for none, and `found` is the content of `field.json`.
    """
    result = run.result
    captions = figure_captions(result)
    context = {
        "name": printable(run.name),
        **overview(result),
        **report_tables(run, found),
        "worst": images.worst,
        "more": images.more,
        "pairs": images.pairs,
        "missing_images": images.missing,
        "figures": {
            name: inline_svg(svg, name, _caption(captions, name)) for name, svg in svgs.items()
        },
        "captions": captions,
        "calibration": captions["reliability"],
        "why": captions["recall_by_training"],
        "field": field_parts(found, svgs),
        "matrix": matrix_data(result, images),
        "uneven": _are_uneven(result),
        "map": None if isinstance(embedding_map, str) else embedding_map,
        "missing_map": embedding_map if isinstance(embedding_map, str) else "",
        "small": images.small is not None,
        "image_places": IMAGES_BESIDE,
    }
    return context | {"parts": _parts(context), "data": _script_data(result, images, context)}


def _caption(captions: Mapping[str, str | tuple[str, ...]], name: str) -> str:
    text = captions.get(name, name)
    return text if isinstance(text, str) else " ".join(text)


def _parts(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the ids and titles of the page's sections, in the order of its navigation."""
    figures, field = context["figures"], context["field"]
    sure = context["accept"] or field["sure"] or {"reliability", "top_k"} & figures.keys()
    sections = (
        ("overview", "Overview", True),
        ("mixups", "Mix-ups", context["pairs"] or context["more"]),
        ("species", "Every species", True),
        ("matrix-section", "Matrix", context["matrix"]),
        ("sure", "How sure", sure),
        ("more-photos", "More photos?", "recall_by_training" in figures or context["few_images"]),
        ("places", "Everywhere?", field["places"]),
        ("map-section", "Map", True),
        ("choice", "Classifier", context["selection"] or {"loss", "accuracy"} & figures.keys()),
        ("made", "How made", True),
    )
    return [(anchor, title) for anchor, title, shown in sections if shown]


def _script_data(
    result: RunResult, images: RunImages, context: Mapping[str, Any]
) -> dict[str, Any]:
    accepts, embedding_map = result.acceptance, context["map"]
    accept = None
    if accepts is not None:  # NaN where none is accepted
        right = np.rint(np.nan_to_num(accepts.right * accepts.n)).astype(int)
        accept = {"n": accepts.n.tolist(), "right": right.tolist()}
    return {
        "matrix": context["matrix"],
        "map": map_data(result, embedding_map, images.number) if embedding_map else None,
        "small": small_data(result, images),
        "tips": figure_tips(result),
        "named": named_points(result),
        "answers": [[answer.summary, answer.words] for answer in context["answers"]],
        "accept": accept,
        "answering": images.sheet,
    }


def matrix_data(result: RunResult, images: RunImages) -> dict[str, Any] | None:
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
    true, called = result.images.true.tolist(), result.images.predicted.tolist()
    shown = [
        (place[true[i]], place[called[i]], images.number[i])
        for i in images.cells
        if true[i] in place and called[i] in place
    ]
    return {
        "names": [result.classes.names[i] for i in order],
        "totals": ordered.sum(axis=1).tolist(),
        "cells": cells.ravel().tolist(),
        "photos": [number for triple in shown for number in triple],
        "focus": focus,
    }


def _are_uneven(result: RunResult) -> bool:
    """Whether numbers of images differ so much by class that shares are clearer than counts."""
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
        `hues`, a colour angle for each name, far apart for classes that are often confused;
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


def small_data(result: RunResult, images: RunImages) -> dict[str, Any] | None:
    """Return the sprite of small images, with each number's place in it; None without one."""
    sprite = images.small
    if sprite is None:
        return None
    paths = ((n, result.images.paths[row]) for row, n in images.number.items())
    places = {n: sprite.place[path] for n, path in paths if path in sprite.place}
    return {
        "uri": sprite.uri,
        "columns": sprite.columns,
        "tile": list(TILE),
        "numbers": [number for pair in places.items() for number in pair],
        "sizes": [side for size in sprite.sizes for side in size],
    }


def named_points(result: RunResult) -> list[int]:
    """Return the points of recall by training images to name: those farthest from the trend."""
    table = result.classes
    shown = table.trained_and_scored
    if len(shown) < 2:
        return list(range(len(shown)))
    trained, found = (
        values[shown].argsort(kind="stable").argsort(kind="stable")
        for values in (table.n_train, table.recall)
    )
    order = np.argsort(-np.abs(trained - found), kind="stable")
    return sorted(int(i) for i in order[:_NAMED])

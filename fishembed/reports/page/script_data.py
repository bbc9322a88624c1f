"""Data that a page's scripts draw: plain lists, small enough to embed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fishembed.evaluation.confusion_counts import count_block, most_mixed
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.embedding_map import EmbeddingMap
from fishembed.reports.page.galleries import RunPhotos
from fishembed.reports.sprite import TILE

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

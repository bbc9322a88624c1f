"""What a page's scripts draw from: plain lists, small enough to embed."""

from __future__ import annotations

from typing import Any

import numpy as np

from fishembed.evaluation.confusion_counts import count_block, most_mixed
from fishembed.experiments.runs.run_result import RunResult
from fishembed.reports.embedding_map import EmbeddingMap

_ALL_UP_TO = 60
_MIXED = 40
_GRID = 2000


def matrix_data(result: RunResult) -> dict[str, Any] | None:
    """Return the confusion matrix as a sparse list, classes in the order of the figure.

    Returns
    -------
    dict or None
        `names` and `totals` (scored images) in order; `cells`, flat triples of row, column
        and count; `focus`, the places of the most mixed-up classes, or None where all are
        shown at once. None where nothing was scored.
    """
    order = result.mixup_order
    if not len(order):
        return None
    ordered = count_block(result.confusion, order)
    row, column = np.nonzero(ordered)
    cells = np.stack([row, column, ordered[row, column]], axis=1)
    focus = most_mixed(ordered, range(len(order)), _MIXED) if len(order) > _ALL_UP_TO else None
    return {
        "names": [result.classes.names[i] for i in order],
        "totals": ordered.sum(axis=1).tolist(),
        "cells": cells.ravel().tolist(),
        "focus": focus,
    }


def map_data(result: RunResult, embedding_map: EmbeddingMap) -> dict[str, Any]:
    """Return the map's points on a whole-numbered grid of one scale for both directions.

    Returns
    -------
    dict
        `names` of the classes that occur; `points`, flat quadruples of x, y, true and predicted
        class (places in `names`); `width` and `height` of the grid; `landmarks`, flat triples
        of x, y and class, for the names of the classes with most points.
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
    return {
        "names": [result.classes.names[i] for i in occurring],
        "landmarks": [number for mark in marks for number in mark],
        "points": points.ravel().tolist(),
        "width": int(grid[:, 0].max()),
        "height": int(grid[:, 1].max()),
    }

"""What a page's scripts draw from: plain lists, small enough to embed."""

from __future__ import annotations

from typing import Any

import numpy as np

from fishembed.reports.confusion import confusion_counts, mixup_order, most_mixed
from fishembed.reports.outcome import Outcome
from fishembed.reports.projection import VectorMap, landmarks

_ALL_UP_TO = 60
_MIXED = 40
_GRID = 2000


def matrix_data(outcome: Outcome) -> dict[str, Any] | None:
    """Give the confusion matrix as a sparse list, classes in the order of the figure.

    Returns
    -------
    dict or None
        `names` and `totals` (scored images) in order; `cells`, flat triples of row, column
        and count; `focus`, the places of the most mixed-up classes, or None where all are
        shown at once. None where nothing was scored.
    """
    counts = confusion_counts(outcome.predictions, len(outcome.classes.names))
    order = mixup_order(counts)
    if not len(order):
        return None
    ordered = counts[np.ix_(order, order)]
    row, column = np.nonzero(ordered)
    cells = np.stack([row, column, ordered[row, column]], axis=1)
    focus = most_mixed(ordered, range(len(order)), _MIXED) if len(order) > _ALL_UP_TO else None
    return {
        "names": [outcome.classes.names[i] for i in order],
        "totals": ordered.sum(axis=1).tolist(),
        "cells": cells.ravel().tolist(),
        "focus": focus,
    }


def map_data(outcome: Outcome, layout: VectorMap) -> dict[str, Any]:
    """Give the map's points on a whole-numbered grid of one scale for both directions.

    Returns
    -------
    dict
        `names` of the classes that occur; `points`, flat quadruples of x, y, true and called
        class (places in `names`); `width` and `height` of the grid; `landmarks`, flat triples
        of x, y and class, for the names of the classes with most points.
    """
    low = layout.xy.min(axis=0)
    scale = float(np.ptp(layout.xy, axis=0).max()) or 1.0
    grid = np.round((layout.xy - low) / scale * _GRID).astype(int)
    true = outcome.predictions.true[layout.rows]
    called = outcome.predictions.called[layout.rows]
    occurring, place = np.unique(np.concatenate([true, called]), return_inverse=True)
    points = np.column_stack([grid, place[: len(true)], place[len(true) :]])
    place_of = {int(label): i for i, label in enumerate(occurring)}
    marks = [
        [*np.round((xy - low) / scale * _GRID).astype(int).tolist(), place_of[label]]
        for label, xy in landmarks(outcome, layout)
    ]
    return {
        "names": [outcome.classes.names[i] for i in occurring],
        "landmarks": [number for mark in marks for number in mark],
        "points": points.ravel().tolist(),
        "width": int(grid[:, 0].max()),
        "height": int(grid[:, 1].max()),
    }

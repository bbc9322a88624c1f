"""The tables of a run, made from labels and probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fishembed.evaluation import Scores
from fishembed.reports.run import TOP_K

PER_CLASS = (
    "class",
    "n_train",
    "n",
    "correct",
    "recall",
    "recall_low",
    "recall_high",
    "precision",
    "f1",
    "predicted",
    "confused_with",
    "confused_count",
)
PREDICTIONS = (
    "path",
    "true",
    "predicted",
    "confidence",
    *(f"top{k}" for k in range(1, TOP_K + 1)),
    *(f"p{k}" for k in range(1, TOP_K + 1)),
    "group",
)

Row = list[object]


def per_class_rows(
    scores: Scores,
    y_true: npt.NDArray[np.integer],
    y_pred: npt.NDArray[np.integer],
    y_train: npt.NDArray[np.integer] | None,
    classes: Sequence[str],
) -> list[Row]:
    """Give one row for each class with scored, predicted or training rows, in store order.

    Parameters
    ----------
    scores
        The scores, for their classes' recall, precision and F1.
    y_true, y_pred
        (n,) labels into `classes`.
    y_train
        Labels that were learnt from, None for zero-shot.
    classes
        All names.
    """
    k = len(classes)
    trained = np.zeros(k, int) if y_train is None else np.bincount(y_train, minlength=k)
    n, predicted = np.bincount(y_true, minlength=k), np.bincount(y_pred, minlength=k)
    by_name = {one.name: one for one in scores.classes}
    rows: list[Row] = []
    for c in np.flatnonzero(n + predicted + trained).tolist():
        one = by_name.get(classes[c])
        mistakes = y_pred[(y_true == c) & (y_pred != c)]
        wrong = np.bincount(mistakes, minlength=k)
        rows.append(
            [
                classes[c],
                None if y_train is None else int(trained[c]),
                int(n[c]),
                0 if one is None else one.correct,
                *([one.recall, *one.recall_ci95] if one and n[c] else [None] * 3),
                0.0 if one is None else one.precision,
                0.0 if one is None else one.f1,
                int(predicted[c]),
                classes[int(wrong.argmax())] if len(mistakes) else None,
                int(wrong.max()),
            ]
        )
    return rows


def prediction_rows(
    paths: Sequence[str],
    y_true: npt.NDArray[np.integer],
    probabilities: npt.NDArray[np.float64],
    columns: npt.NDArray[np.integer],
    classes: Sequence[str],
    *,
    groups: Sequence[str],
) -> list[Row]:
    """Give one row for each scored picture: its truth, the most probable classes, its group.

    Parameters
    ----------
    paths
        Of the n pictures.
    y_true
        (n,) labels into `classes`.
    probabilities
        (n, n_columns).
    columns
        (n_columns,) label of each column.
    classes
        All names.
    groups
        Of the n pictures, "" for none.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP_K]
    best = np.take_along_axis(probabilities, order, axis=1)
    blank: Row = [None] * (TOP_K - order.shape[1])
    rows: list[Row] = []
    for path, group, truth, top, p in zip(
        paths, groups, y_true.tolist(), columns[order].tolist(), best.tolist(), strict=True
    ):
        names = [classes[label] for label in top]
        rows.append([path, classes[truth], names[0], p[0], *names, *blank, *p, *blank, group])
    return rows

"""Score a head on the values of a column that it has not seen: sites, trips, cameras."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from fishembed._base.folds import group_folds
from fishembed.cache import FeatureKind, Store
from fishembed.cache.store_columns import metadata_texts, require_columns
from fishembed.errors import InputError
from fishembed.evaluation.by_value import score_by_value
from fishembed.evaluation.intervals import proportion_interval
from fishembed.experiments.train_test_split import row_groups

_ALONE = 12
"""Up to as many values are left out one at a time, more in ten parts."""
_PARTS = 10
_FOLDS = 5
"""Least number of folds of rows of known values: each fit leaves one out beside its value."""


def leave_one_out(
    head: Any, store: Store, column: str, features: FeatureKind = "image", seed: int = 0
) -> dict[str, Any]:
    """Fit clones of a head without each value of a column, and score them on it.

    All labelled rows are used, whatever their split; those without a value are learnt from. The
    settings of the fitted `head` stay those chosen with all values. `seed` draws the folds that
    known values are scored in.

    Returns
    -------
    dict
        `unseen` and `known`: accuracy on values never seen and on rows of values that were, each
        with its interval by value; `rows`: each value as `score_by_value` returns it. Both are
        scored by the same fits, so that their training sets are as large.

    Raises
    ------
    InputError
        When there is no such column, or it has fewer than two values.
    """
    rows = store.split_rows("all")
    require_columns(store, [column])
    values = np.array(metadata_texts(store, rows)[column], dtype=str)
    names, place = np.unique(values[values != ""], return_inverse=True)
    if len(names) < 2:
        raise InputError(f"column {column!r} has {len(names)} values: leaving out needs two")
    part = np.random.default_rng(seed).permutation(len(names))
    part = part if len(names) <= _ALONE else part % _PARTS
    out = np.full(len(values), -1)
    out[values != ""] = part[place]
    X, y, groups = store.embeddings(rows, features), store.labels[rows], row_groups(store, rows)
    codes = np.unique(y, return_inverse=True)[1]
    # Where groups are left out, known ones are those with other images in training.
    apart = np.arange(len(y)) if groups is None or column == "group" else groups
    (unseen, seen), scored, known = _hits(head, X, y, out, _fold_known(codes, apart, out, seed))

    def accuracy(right: Any, at: Any) -> dict[str, Any]:
        return {"n": int(at.sum()), **share_with_interval("accuracy", right[at], values[at])}

    own = None if groups is None else groups[scored]
    by_value = score_by_value(values[scored].tolist(), y[scored], unseen[scored], own)
    return {
        "column": column,
        "values": len(names),
        "unseen": accuracy(unseen, scored),
        "known": accuracy(seen, known),
        "rows": [asdict(row) for row in by_value],
    }


def _fold_known(codes: Any, apart: Any, out: Any, seed: int) -> Any:
    """Return the fold of each row, in which rows of known values are left out too.

    Folds are of single rows where the groups are the values, since none would be left to score.
    """
    n_folds = max(_FOLDS, int(out.max()) + 1)
    for groups in (apart, np.arange(len(codes))):
        fold = group_folds(codes, groups, n_folds, seed)
        if ((fold >= 0) & (fold <= out.max()) & (fold != out) & (out >= 0)).any():
            break
    return fold


def _hits(head: Any, X: Any, y: Any, out: Any, fold: Any) -> tuple[Any, Any, Any]:
    """Return which rows are right as unseen and as known, and which were scored as each."""
    from fishembed.classifiers.cross_validation import refit

    right, known = np.zeros((2, len(y)), bool), np.zeros(len(y), bool)
    for k in range(int(out.max()) + 1):
        unseen, seen = out == k, (fold == k) & (out >= 0) & (out != k)
        held = unseen | seen
        if len(np.unique(y[~held])) > 1:
            hit = refit(head, X[~held], y[~held]).predict(X[held]) == y[held]
            right[0, unseen], right[1, seen] = hit[unseen[held]], hit[seen[held]]
            known |= seen
    return right, out >= 0, known


def share_with_interval(name: str, right: Any, groups: Any) -> dict[str, Any]:
    """Return the accuracy of some rows and its interval by group, under their JSON keys."""
    ends = proportion_interval(right, groups)
    return {name: float(right.mean()), f"{name}_ci95": list(ends)}

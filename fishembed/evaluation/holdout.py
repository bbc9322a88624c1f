"""Seeded splits, stratified by class, that divide no group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fishembed._base.folds import group_folds
from fishembed.errors import DataError, InputError


def stratified_holdout(
    labels: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    test_size: float = 0.2,
    seed: int = 0,
) -> npt.NDArray[np.bool_]:
    """Choose rows to hold out, class by class, never dividing a group.

    Parameters
    ----------
    labels
        (n,) class of each row; any values. A class with one row (or one group) stays in
        training: without it the class could not be learnt at all.
    groups
        (n,) groups that must not be separated (a track, a fish, a trip), or None.
    test_size
        Share to hold out, between 0 and 0.5.
    seed
        Seed of the shuffle.

    Returns
    -------
    bool (n,)
        True for the rows held out.

    Raises
    ------
    InputError
        When nothing can be held out, or the share makes no sense.
    """
    y = np.asarray(labels)
    if not 0 < test_size <= 0.5:
        raise InputError(f"test_size={test_size} must be above 0 and at most 0.5")
    held = (
        _hold_out_rows(y, test_size, seed)
        if groups is None
        else _hold_out_groups(y, np.asarray(groups), test_size, seed)
    )
    if not held.any():
        raise DataError(
            f"{len(y)} rows in {len(np.unique(y))} classes are too few to hold a part out: "
            "give at least two images (of two groups) of some class, or name splits yourself"
        )
    return held


def _hold_out_rows(
    y: npt.NDArray[np.generic], test_size: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Hold out the share of every class, rounded, at least one where a class has two rows."""
    rng = np.random.default_rng(seed)
    held = np.zeros(len(y), dtype=bool)
    for c in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == c))
        if len(rows) > 1:
            held[rows[: max(1, round(test_size * len(rows)))]] = True
    return held


def _hold_out_groups(
    y: npt.NDArray[np.generic], groups: npt.NDArray[np.generic], test_size: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Hold out one of stratified folds of groups."""
    _, codes = np.unique(y, return_inverse=True)
    return np.asarray(group_folds(codes, groups, round(1 / test_size), seed) == 0)

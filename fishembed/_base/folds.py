"""Stratified folds that keep groups together and leave no class without training rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt


def group_folds(
    codes: npt.NDArray[np.intp],
    groups: npt.NDArray[Any],
    n_folds: int,
    random_state: int | np.random.RandomState | None,
) -> npt.NDArray[np.intp]:
    """Assign whole groups to folds, every class in proportion.

    Parameters
    ----------
    codes
        (n,) class of each row, counted from 0.
    groups
        (n,) rows of one group share a fold.
    n_folds
        Number of folds at most; fewer where there are fewer groups, or rows of every class.
    random_state
        Seed of the shuffle.

    Returns
    -------
    intp (n,)
        The fold that holds a row out, counted from 0; -1 for a row that stays in training in
        every fold: one group of each class that a fold would hold out whole.

    Examples
    --------
    >>> codes, groups = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    >>> fold = group_folds(codes, groups, 2, random_state=0)
    >>> sorted(fold[[0, 2]].tolist()), fold[4:].tolist()  # class 1 has one group
    ([0, 1], [-1, -1])
    """
    distinct = len(np.unique(groups))
    if distinct == len(codes):
        return _fold_rows(codes, n_folds, random_state)
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import, and with many groups

    fold = np.full(len(codes), -1, dtype=np.intp)
    largest = int(np.bincount(codes).max(initial=0))
    n_folds = min(n_folds, distinct, largest)
    if n_folds < 2:
        return fold
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():  # that a class has fewer rows than folds is expected here
        warnings.simplefilter("ignore", UserWarning)
        for k, (_, rows) in enumerate(splitter.split(codes, codes, groups)):
            fold[rows] = k
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if fold[rows[0]] >= 0 and (fold[rows] == fold[rows[0]]).all():
            fold[groups == groups[rows[0]]] = -1
    filled = np.unique(fold[fold >= 0])
    return np.where(fold < 0, -1, np.searchsorted(filled, fold))


def _fold_rows(
    codes: npt.NDArray[np.intp], n_folds: int, random_state: Any
) -> npt.NDArray[np.intp]:
    """Distribute the rows of every class evenly, as they are each a group of its own."""
    from sklearn.utils import check_random_state

    random, fold, n_assigned = check_random_state(random_state), np.full(len(codes), -1), 0
    for members in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]):
        if len(members) > 1:
            places = (n_assigned + np.arange(len(members))) % n_folds
            fold[random.permutation(members)] = places
            n_assigned += len(members)
    filled = np.unique(fold[fold >= 0])
    counted: npt.NDArray[np.intp] = np.where(fold < 0, -1, np.searchsorted(filled, fold))
    return counted

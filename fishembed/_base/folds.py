"""Stratified folds that never split a group and leave no class without training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_CELLS = 1 << 22


def group_folds(
    codes: npt.NDArray[np.intp],
    groups: npt.NDArray[Any],
    n_folds: int,
    random_state: int | np.random.RandomState | None,
) -> npt.NDArray[np.intp]:
    """Assign whole groups to folds, every class in proportion.

    Parameters
    ----------
    codes, groups
        (n,) class of each row, counted from 0; rows of one group share a fold.
    n_folds, random_state
        Number of folds, fewer where there are fewer groups or rows of every class; seed.

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
    fold = np.full(len(codes), -1, dtype=np.intp)
    largest = int(np.bincount(codes).max(initial=0))
    n_folds = min(n_folds, distinct, largest)
    if n_folds < 2:
        return fold
    _, group = np.unique(groups, return_inverse=True)
    fold = _spread_groups(codes, group, n_folds, random_state)
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if fold[rows[0]] >= 0 and (fold[rows] == fold[rows[0]]).all():
            fold[groups == groups[rows[0]]] = -1
    return _renumbered(fold)


def _renumbered(fold: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return folds counted without those that hold no row out."""
    filled = np.unique(fold[fold >= 0])
    return np.asarray(np.where(fold < 0, -1, np.searchsorted(filled, fold)))


def _spread_groups(
    codes: npt.NDArray[np.intp], group: npt.NDArray[np.intp], n_folds: int, random_state: Any
) -> npt.NDArray[np.intp]:
    """Assign each group in turn to the fold that makes the classes' shares differ least.

    The folds are those of scikit-learn's StratifiedGroupKFold, which computes all classes' shares
    anew for each group and fold: seconds for thousands of groups.
    """
    from sklearn.utils import check_random_state

    n_groups, totals = int(group.max()) + 1, np.maximum(np.bincount(codes), 1)
    shuffled = np.arange(n_groups)
    check_random_state(random_state).shuffle(shuffled)
    place = np.argsort(shuffled)[group]  # of each row's group in the shuffled order
    cells, counts = np.unique(place * len(totals) + codes, return_counts=True)
    of_group, of_class = np.divmod(cells, len(totals))
    starts = np.searchsorted(of_group, np.arange(n_groups + 1))
    held = np.zeros((n_folds, len(totals)))
    spread = np.zeros(len(totals))
    size, chosen = np.zeros(n_folds), np.empty(n_groups, np.intp)
    for g in np.argsort(-_spreads(of_group, of_class, counts, len(totals)), kind="stable"):
        at = slice(starts[g], starts[g + 1])
        classes, more = of_class[at], counts[at]
        with_it = held[None, :, classes] + np.eye(n_folds)[:, :, None] * more
        spreads = (with_it / totals[classes]).std(axis=1)
        after = np.repeat(spread[None], n_folds, axis=0)
        after[:, classes] = spreads
        k = _best_fold(after.mean(axis=1).tolist(), size)
        held[k, classes] += more
        spread[classes] = spreads[k]
        size[k] += more.sum()
        chosen[g] = k
    return np.asarray(chosen[place])


def _spreads(
    of_group: npt.NDArray[np.intp],
    of_class: npt.NDArray[np.intp],
    counts: npt.NDArray[np.intp],
    n_classes: int,
) -> npt.NDArray[np.float64]:
    """Return the standard deviation of each group's counts over the classes."""
    n_groups = int(of_group[-1]) + 1
    step, spreads = max(1, _CELLS // n_classes), np.empty(n_groups)
    for start in range(0, n_groups, step):
        stop = min(start + step, n_groups)
        at = slice(*np.searchsorted(of_group, (start, stop)))
        dense = np.zeros((stop - start, n_classes))
        dense[of_group[at] - start, of_class[at]] = counts[at]
        spreads[start:stop] = dense.std(axis=1)
    return spreads


def _best_fold(spreads: list[float], sizes: npt.NDArray[np.float64]) -> int:
    """Return the fold of the least spread; among those as good as that, the smaller one."""
    best, least, rows = 0, float("inf"), float("inf")
    for k, (spread, size) in enumerate(zip(spreads, sizes.tolist(), strict=True)):
        if spread < least or (abs(spread - least) <= 1e-8 + 1e-5 * least and size < rows):
            best, least, rows = k, spread, size
    return best


def _fold_rows(
    codes: npt.NDArray[np.intp], n_folds: int, random_state: Any
) -> npt.NDArray[np.intp]:
    """Distribute the rows of every class evenly, where each is a group of its own."""
    from sklearn.utils import check_random_state

    random, fold, n_assigned = check_random_state(random_state), np.full(len(codes), -1), 0
    for members in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]):
        if len(members) > 1:
            places = (n_assigned + np.arange(len(members))) % n_folds
            fold[random.permutation(members)] = places
            n_assigned += len(members)
    return _renumbered(fold)

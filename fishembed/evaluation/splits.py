"""Seeded splits that keep classes in proportion and groups together."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from fishembed.errors import InputError


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
        (n,) units that must not be separated (a track, a fish, a trip), or None.
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
    unit = np.arange(len(y)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if groups is None:
        held = _hold_out_rows(y, test_size, seed)
    else:
        held = _hold_out_groups(y, unit, test_size, seed)
    _give_back_sole_units(y, unit, held)
    if not held.any():
        raise InputError(
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
        held[rows[: max(1, round(test_size * len(rows)))]] = True
    return held


def _hold_out_groups(
    y: npt.NDArray[np.generic], unit: npt.NDArray[np.intp], test_size: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Hold out one fold of scikit-learn's stratified group folds."""
    from sklearn.model_selection import StratifiedGroupKFold

    largest = int(np.unique(y, return_counts=True)[1].max(initial=0))
    folds = min(round(1 / test_size), len(np.unique(unit)), largest)
    held = np.zeros(len(y), dtype=bool)
    if folds < 2:
        return held
    with warnings.catch_warnings():
        # Classes rarer than the number of folds are handled by giving sole groups back.
        warnings.simplefilter("ignore", UserWarning)
        splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
        _, rows = next(iter(splitter.split(np.zeros((len(y), 1)), y, unit)))
    held[rows] = True
    return held


def _give_back_sole_units(
    y: npt.NDArray[np.generic], unit: npt.NDArray[np.intp], held: npt.NDArray[np.bool_]
) -> None:
    """Return to training, in place, the groups of classes that were held out whole."""
    for c in np.unique(y):
        rows = y == c
        if held[rows].all():
            units = np.unique(unit[rows])
            keep = units if len(units) < 2 else units[:1]
            held[np.isin(unit, keep)] = False

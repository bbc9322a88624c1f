"""How sure a head may be, learnt from rows it has not been shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from fishembed.classifiers.calibration import best_scale
from fishembed.classifiers.combination import logits_of
from fishembed.classifiers.folds import Folds

_N_FOLDS = 5
_ENOUGH = 500  # rows: one number is learnt, to a few percent


def temperature_on(head: Any, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Give what a fitted head's logits must be divided by for its probabilities to hold.

    Parameters
    ----------
    head
        A fitted classifier.
    X, y
        (n, dim) rows that it has not learnt from, and their labels. Rows of a class it does not
        know are left out.

    Returns
    -------
    float
        The temperature with the least log loss; 1 where no row is left.

    Notes
    -----
    Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9.
    """
    labels = np.asarray(y)
    known = np.isin(labels, head.classes_)
    if not known.any():
        return 1.0
    logits = logits_of(head, np.asarray(X)[known], head.classes_)
    return _temperature([logits], [np.searchsorted(head.classes_, labels[known])])


def held_out_temperature(
    head: Any,
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    groups: npt.NDArray[Any] | None = None,
    *,
    random_state: int = 0,
) -> float:
    """Give the temperature of a head by fitting clones of it to four fifths of the rows.

    As many fifths are held out, one after the other, as it takes to have 500 rows.

    Parameters
    ----------
    head
        A classifier; it is cloned, not changed.
    X, y
        (n, dim) rows and (n,) labels it learns, or has learnt, from.
    groups
        (n,) rows of one group are never split.
    random_state
        Seed of the folds.

    Returns
    -------
    float
        See `temperature_on`; 1 where nothing can be held out.
    """
    classes, codes = np.unique(y, return_inverse=True)
    random = np.random.RandomState(random_state)
    folds = Folds.deal(X, codes, len(classes), _N_FOLDS, random=random, groups=groups)
    logits: list[npt.NDArray[Any]] = []
    truths: list[npt.NDArray[np.intp]] = []
    for k in range(folds.n_folds):
        tested = (folds.fold == k) & folds.tested
        if not tested.any():
            continue
        fitted = clone(head).fit(X[folds.fold != k], y[folds.fold != k])
        logits.append(logits_of(fitted, X[tested], classes))
        truths.append(codes[tested])
        if sum(map(len, truths)) >= _ENOUGH:
            break
    return _temperature(logits, truths) if truths else 1.0


def _temperature(logits: list[npt.NDArray[Any]], truths: list[npt.NDArray[np.intp]]) -> float:
    by_class = np.ascontiguousarray(np.concatenate(logits).T)
    codes = np.concatenate(truths)
    return 1 / best_scale(by_class, codes, np.ones(len(codes)))

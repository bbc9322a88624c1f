"""Logits of training rows by heads that had not learnt from them, computed once for all uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from fishembed._base.folds import group_folds
from fishembed.classifiers.base import Codes, Floats
from fishembed.classifiers.cross_validation import aligned_logits
from fishembed.classifiers.temperature import best_scale

_N_FOLDS = 3  # each costs a fit to two thirds of the rows
MOST_LOGITS = 1 << 24  # a square of 20,000 rows and classes would be several GB
_TOL = 1e-5  # relative gap to the optimum: logits are off by a hundredth of their spread


@dataclass(frozen=True, eq=False)
class HeldOutLogits:
    """Logits of training rows by clones of a head that had not learnt from them.

    Attributes
    ----------
    fold
        (n_images,) the fold that holds a row out; -1 for a row that is always learnt from.
    rows
        (n_evaluated,) numbers of the rows that have logits: all of a fold, or a sample of them.
    by_class
        float32 (n_classes, n_evaluated).
    """

    fold: Codes
    rows: Codes
    by_class: Floats

    @classmethod
    def of(
        cls,
        head: Any,
        X: npt.NDArray[Any],
        y: npt.NDArray[Any],
        groups: npt.NDArray[Any] | None = None,
        *,
        random_state: int = 0,
    ) -> HeldOutLogits:
        """Return those that a head was chosen by, or fit clones of it to parts of the rows.

        Where classes are so many that the logits would fill the memory, a sample of the rows is
        drawn: they serve to fit a few numbers.

        Parameters
        ----------
        head
            A fitted classifier; it is not changed.
        X, y
            (n_images, dim) rows and (n_images,) labels it has learnt from.
        groups
            (n_images,) rows of one group are never split; None for every row its own.
        random_state
            Seed of the folds.
        """
        own = getattr(head, "held_out_logits", None)
        if isinstance(own, cls):
            return own
        classes, codes = np.unique(y, return_inverse=True)
        names = np.arange(len(codes)) if groups is None else groups
        fold = group_folds(codes, names, _N_FOLDS, random_state)
        rows = _sample(np.flatnonzero(fold >= 0), MOST_LOGITS // len(classes), random_state)
        by_class = np.empty((len(classes), len(rows)), np.float32)
        for k in range(int(fold.max(initial=-1)) + 1):
            learnt, out = fold != k, rows[fold[rows] == k]
            fitted = refit(head, X[learnt], y[learnt])
            by_class[:, fold[rows] == k] = aligned_logits(fitted, X[out], classes).T
        return cls(fold, rows, by_class)

    def temperature(self, codes: Codes) -> float:
        """Return what logits must be divided by for their probabilities to hold.

        Parameters
        ----------
        codes
            (n_images,) position of every row's class.

        Returns
        -------
        float
            1 where nothing was held out.
        """
        return 1 / best_scale(self.by_class, codes[self.rows]) if len(self.rows) else 1.0


def _sample(rows: Codes, most: int, random_state: int) -> Codes:
    """Return the rows, or as many of them at random as are wanted at most, in their order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(random_state).choice(rows, max(1, most), replace=False))


def refit(head: Any, X: npt.NDArray[Any], y: npt.NDArray[Any]) -> Any:
    """Return a clone of a fitted head that learns from other rows, of some of its classes.

    Where it is found by steps towards an optimum, they end a little sooner.
    """
    if hasattr(head, "refit"):
        return head.refit(X, y)
    fresh = clone(head)
    text = getattr(head, "text_features", None)
    labels = np.unique(y)
    if text is not None and len(labels) < len(head.classes_):
        kept = np.asarray(text)[np.searchsorted(head.classes_, labels)]
        named = {"text_features": kept}
        if getattr(head, "classes", None) is not None:
            named["classes"] = labels
        fresh.set_params(**named)
    tols = {k: v for k, v in fresh.get_params().items() if k.rsplit("__", 1)[-1] == "tol"}
    return fresh.set_params(**{k: max(v, _TOL) for k, v in tols.items()}).fit(X, y)

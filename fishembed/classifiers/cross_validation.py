"""Stratified folds with classes of one or two rows in mind, and logits of held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils import check_random_state

from fishembed._base.arrays import Codes, Floats, ranks_among_equals
from fishembed._base.folds import group_folds
from fishembed.classifiers.base import log_prior

_ABSENT = 30.0  # nats below the least logit: as good as probability 0, and finite
_TINY = float(np.finfo(np.float64).tiny)

MAX_LOGITS = 10_000_000
"""Rows times classes that are evaluated: 40 MB for each of some twenty to fifty candidates."""

MAX_WORK = 10_000_000
"""Rows times classes, summed over the folds, that models are fitted to; two folds at least."""


_N_FOLDS = 3  # each costs a fit to two thirds of the rows
MOST_LOGITS = 1 << 24  # a square of 20,000 rows and classes would be several GB
_TOL = 1e-5  # relative gap to the optimum: logits are off by a hundredth of their spread


@dataclass(frozen=True)
class Folds:
    """Rows, their classes, and the fold that holds each row out."""

    # rows, codes: (n, dim) normalised rows, and (n,) the class of each
    rows: Floats
    codes: Codes
    n_classes: int
    fold: Codes  # (n,) the fold that holds a row out; -1 for a row that is always trained on
    n_folds: int  # Number of folds
    # bool (n,) rows that are evaluated; None for all. The others of a fold are not trained on
    # either: they may be of an evaluated row's group.
    sample: npt.NDArray[np.bool_] | None = None
    # (n,) groups whose rows are not independent; None for every row its own
    groups: npt.NDArray[Any] | None = None

    @classmethod
    def split(
        cls,
        rows: Floats,
        codes: Codes,
        n_classes: int,
        n_folds: int,
        *,
        random: int | np.random.RandomState | None,
        groups: npt.NDArray[Any] | None = None,
    ) -> Folds:
        """Distribute every class's rows (or groups) evenly over the folds.

        The only row of a class is always trained on: no classifier could get it right unseen,
        and without it the others would be tested against one class less. With `groups`, rows of
        a group share a fold.
        """
        state: np.random.RandomState = check_random_state(random)
        fold = (
            _fold_rows(codes, n_folds, state)
            if groups is None
            else group_folds(codes, groups, n_folds, state)
        )
        return cls(rows, codes, n_classes, fold, int(fold.max()) + 1, groups=groups)

    @classmethod
    def from_validation(
        cls, training: tuple[Floats, Codes], validation: tuple[Floats, Codes], n_classes: int
    ) -> Folds:
        """Hold out validation rows in one fold; those of a class never trained are left out."""
        known = np.isin(validation[1], training[1])
        rows = np.concatenate([training[0], validation[0][known]])
        codes = np.concatenate([training[1], validation[1][known]])
        fold = np.repeat(np.array([-1, 0], dtype=np.intp), [len(training[1]), int(known.sum())])
        return cls(rows, codes, n_classes, fold, 1)

    def training(self, k: int) -> tuple[Floats, Codes]:
        """Return the rows and classes that fold `k` trains on."""
        rows = self.fold != k
        return self.rows[rows], self.codes[rows]

    def held_out(self, k: int) -> npt.NDArray[np.bool_]:
        """(n,) rows that fold `k` holds out and evaluates."""
        of_fold: npt.NDArray[np.bool_] = self.fold == k
        return of_fold if self.sample is None else of_fold & self.sample

    def affordable(
        self, random_state: int | np.random.RandomState | None, *, evenly: bool
    ) -> Folds:
        """Limit the number of folds by `MAX_WORK`, and the evaluated rows by `MAX_LOGITS`."""
        limited = self.first(max(2, -(-MAX_WORK // (len(self.codes) * self.n_classes))))
        most = max(1, MAX_LOGITS // self.n_classes)
        if int(limited.evaluated.sum()) <= most:
            return limited
        return limited.subsample(most, check_random_state(random_state), evenly=evenly)

    def first(self, n_folds: int) -> Folds:
        """Evaluate the first folds only, `n_folds` at most; rows of the others are trained on."""
        if n_folds >= self.n_folds:
            return self
        return replace(self, fold=np.where(self.fold < n_folds, self.fold, -1), n_folds=n_folds)

    def subsample(self, most: int, random: np.random.RandomState, *, evenly: bool) -> Folds:
        """Evaluate at most `most` rows, drawn at random from those that can be.

        `evenly`: as many of each class, as far as it has them, so that rare classes lose no row.
        """
        order = random.permutation(np.flatnonzero(self.evaluated))
        if evenly:
            order = order[np.argsort(ranks_among_equals(self.codes[order]), kind="stable")]
        sample = np.zeros(len(self.fold), dtype=bool)
        sample[order[:most]] = True
        return replace(self, sample=sample)

    @property
    def evaluated(self) -> npt.NDArray[np.bool_]:
        """(n,) rows that some fold holds out; it trains on others of their class."""
        some_fold: npt.NDArray[np.bool_] = self.fold >= 0
        return some_fold if self.sample is None else some_fold & self.sample

    def log_priors(self) -> Floats:
        """(n_classes, n_evaluated) log shares of classes that each row's fold trains on."""
        by_fold = np.empty((self.n_classes, self.n_folds), dtype=np.float32)
        for k in range(self.n_folds):
            by_fold[:, k] = log_prior(self.codes[self.fold != k], self.n_classes)
        return np.take(by_fold, self.fold[self.evaluated], axis=1)


def _fold_rows(codes: Codes, n_folds: int, random: np.random.RandomState) -> Codes:
    fold = np.full(len(codes), -1, dtype=np.intp)
    n_assigned = 0
    for code in np.unique(codes):
        members = random.permutation(np.flatnonzero(codes == code))
        if len(members) > 1:
            fold[members] = (n_assigned + np.arange(len(members))) % n_folds
            n_assigned += len(members)
    return fold


def held_out_logits(
    estimator: Any, folds: Folds, classes: npt.NDArray[Any]
) -> Iterator[tuple[npt.NDArray[np.intp], Floats]]:
    """Yield, fold by fold, logits of evaluated rows by a clone that was not trained on them.

    Of each fold the (n_held_out,) row numbers and float (n_held_out, n_classes) logits; `classes`
    are the labels of the codes.
    """
    for k in range(folds.n_folds):
        rows = np.flatnonzero(folds.held_out(k))
        if len(rows):
            X, codes = folds.training(k)
            fitted = clone(estimator).fit(X, classes[codes])
            yield rows, aligned_logits(fitted, folds.rows[rows], classes)


def out_of_fold_logits(
    estimator: Any, folds: Folds, classes: npt.NDArray[Any] | None = None
) -> Floats:
    """Return float32 (n_classes, n_evaluated) logits of rows by clones not trained on them.

    The labels are the codes when `classes` is None.
    """
    labels = np.arange(folds.n_classes) if classes is None else classes
    evaluated = folds.evaluated
    column = np.cumsum(evaluated) - 1
    logits = np.empty((folds.n_classes, int(evaluated.sum())), np.float32)
    for rows, of_rows in held_out_logits(estimator, folds, labels):
        logits[:, column[rows]] = of_rows.T
    return logits


def aligned_logits(
    classifier: Any, X: npt.ArrayLike, classes: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Return logits of a fitted classifier, float64 (n_images, n_classes), one column per class.

    Log probabilities where the classifier has no `logits`. A class it does not know lies 30 nats
    below the least.
    """
    logits: npt.NDArray[np.float64]
    if hasattr(classifier, "logits"):
        logits = classifier.logits(X)
    else:
        logits = np.log(np.maximum(classifier.predict_proba(X), _TINY))
    if np.array_equal(classifier.classes_, classes):
        return logits
    column = {label: k for k, label in enumerate(np.asarray(classifier.classes_).tolist())}
    aligned = np.repeat(logits.min(axis=1, keepdims=True) - _ABSENT, len(classes), axis=1)
    for k, label in enumerate(classes.tolist()):
        if label in column:
            aligned[:, k] = logits[:, column[label]]
    return aligned


@dataclass(frozen=True, eq=False)
class HeldOutLogits:
    """Logits of training rows by clones of a head that had not learnt from them."""

    # (n_images,) the fold that holds a row out; -1 for a row that is always learnt from
    fold: Codes
    # (n_evaluated,) numbers of the rows that have logits: all of a fold, or a sample of them
    rows: Codes
    by_class: Floats  # float32 (n_classes, n_evaluated)

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
        """Return the logits that a head was chosen by, or fit clones of it to parts of the rows.

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
        named = {"text_features": np.asarray(text)[np.searchsorted(head.classes_, labels)]}
        if getattr(head, "classes", None) is not None:
            named["classes"] = labels
        fresh.set_params(**named)
    tols = {k: v for k, v in fresh.get_params().items() if k.rsplit("__", 1)[-1] == "tol"}
    return fresh.set_params(**{k: max(v, _TOL) for k, v in tols.items()}).fit(X, y)

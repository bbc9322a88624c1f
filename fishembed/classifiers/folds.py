"""Which row is tested by which fold, with classes of one or two rows in mind."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats
from fishembed.classifiers.weights import log_prior

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Folds:
    """Rows, their classes, and which part tests which row.

    Attributes
    ----------
    rows, codes
        (n, dim) scaled rows and the class of each.
    n_classes
        Number of classes.
    fold
        (n,) the fold that tests a row; -1 for a row that is always trained on.
    n_folds
        Number of folds.
    sample
        (n,) rows that are asked about; None for all. The others of a fold are not trained on
        either: they may be of a tested row's group.
    """

    rows: Floats
    codes: Codes
    n_classes: int
    fold: Codes
    n_folds: int
    sample: npt.NDArray[np.bool_] | None = None

    @classmethod
    def deal(
        cls,
        rows: Floats,
        codes: Codes,
        n_classes: int,
        n_folds: int,
        *,
        random: np.random.RandomState,
        groups: npt.NDArray[np.generic] | None = None,
    ) -> Folds:
        """Deal every class's rows (or groups) evenly over the folds.

        The only row of a class is always trained on: no head could get it right unseen, and
        without it the others would be tested against one class less. With `groups`, rows of a
        group share a fold.
        """
        if groups is None:
            fold = _deal_rows(codes, n_folds, random)
        else:
            fold = _deal_groups(codes, groups, n_folds, random)
        return cls(rows, codes, n_classes, fold, int(fold.max()) + 1)

    @classmethod
    def held_out(
        cls, trained: tuple[Floats, Codes], tested: tuple[Floats, Codes], n_classes: int
    ) -> Folds:
        """Test rows of their own, all in one fold; rows of a class never trained are left out."""
        known = np.isin(tested[1], trained[1])
        rows = np.concatenate([trained[0], tested[0][known]])
        codes = np.concatenate([trained[1], tested[1][known]])
        fold = np.repeat(np.array([-1, 0], dtype=np.intp), [len(trained[1]), int(known.sum())])
        return cls(rows, codes, n_classes, fold, 1)

    def trained(self, k: int) -> tuple[Floats, Codes]:
        """Rows and classes that fold `k` is tested after learning from."""
        rows = self.fold != k
        return self.rows[rows], self.codes[rows]

    def asked(self, k: int) -> npt.NDArray[np.bool_]:
        """(n,) rows that fold `k` is asked about."""
        of_fold: npt.NDArray[np.bool_] = self.fold == k
        return of_fold if self.sample is None else of_fold & self.sample

    def thinned(self, most: int, random: np.random.RandomState, *, evenly: bool) -> Folds:
        """Ask about at most `most` rows, drawn at random from those that can be tested.

        `evenly`: as many of each class, as far as it has them, so that rare ones all stay.
        """
        order = random.permutation(np.flatnonzero(self.tested))
        if evenly:
            order = order[np.argsort(_ranks(self.codes[order]), kind="stable")]
        sample = np.zeros(len(self.fold), dtype=bool)
        sample[order[:most]] = True
        return replace(self, sample=sample)

    @property
    def tested(self) -> npt.NDArray[np.bool_]:
        """(n,) rows that some fold tests after training on others of the class."""
        mask = np.zeros(len(self.fold), dtype=bool)
        for k in range(self.n_folds):
            mask |= self.asked(k) & (self.counts(k)[self.codes] > 0)
        return mask

    def counts(self, k: int) -> npt.NDArray[np.intp]:
        """Rows of every class in the training part of fold `k`."""
        return np.bincount(self.codes[self.fold != k], minlength=self.n_classes)

    def log_priors(self) -> Floats:
        """(n_classes, n_tested) log shares of classes where each tested row's head learnt."""
        by_fold = np.empty((self.n_classes, self.n_folds), dtype=np.float32)
        for k in range(self.n_folds):
            by_fold[:, k] = log_prior(self.codes[self.fold != k], self.n_classes)
        return np.take(by_fold, self.fold[self.tested], axis=1)


def _ranks(codes: Codes) -> Codes:
    """Give how many of the same code stand before each."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def _deal_rows(codes: Codes, n_folds: int, random: np.random.RandomState) -> Codes:
    fold = np.full(len(codes), -1, dtype=np.intp)
    dealt = 0
    for code in np.unique(codes):
        members = random.permutation(np.flatnonzero(codes == code))
        if len(members) > 1:
            fold[members] = (dealt + np.arange(len(members))) % n_folds
            dealt += len(members)
    return fold


def _deal_groups(
    codes: Codes,
    groups: npt.NDArray[np.generic],
    n_folds: int,
    random: np.random.RandomState,
) -> Codes:
    fold = np.full(len(codes), -1, dtype=np.intp)
    n_splits = min(n_folds, len(np.unique(groups)), int(np.bincount(codes).max()))
    if n_splits < 2:
        return fold
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random)
    with warnings.catch_warnings():  # that a class has fewer rows than folds is expected here
        warnings.simplefilter("ignore", UserWarning)
        for k, (_, members) in enumerate(splitter.split(codes, codes, groups)):
            fold[members] = k
    filled, fold = np.unique(fold, return_inverse=True)
    return fold if len(filled) > 1 else np.full(len(codes), -1, dtype=np.intp)

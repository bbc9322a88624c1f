"""The head that looks for itself which head suits the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from fishembed.classifiers.base import Floats, LinearClassifier, Normalize
from fishembed.classifiers.candidates import Candidate, Part
from fishembed.classifiers.families import Family, GaussianFamily, LogisticFamily, TextFamily
from fishembed.classifiers.folds import Folds
from fishembed.classifiers.search import Search
from fishembed.classifiers.selection import SELECT_ON, Jury, SelectOn, Trial
from fishembed.classifiers.threads import one_blas_thread
from fishembed.classifiers.zeroshot import matching_anchors
from fishembed.errors import InputError

_TAUS = (0.0, 0.5, 1.0, 1.5)
_SHRINKAGES = (0.9, 0.7, 0.5, 0.3, 0.1)
_GAUSSIAN = GaussianFamily(_SHRINKAGES, (0.0, 1.0, 2.0), _TAUS)
_LOGISTIC = LogisticFamily((1.0, 10.0, 100.0, 1000.0), _TAUS)
_TEXT_PSEUDO_COUNTS = (1.0, 2.0, 4.0, 8.0, 16.0)
_WHERE_NOTHING_CAN_BE_TESTED = {"shrinkage": 0.7, "pseudo_count": 1.0}


class AutoHead(LinearClassifier):
    """Choose among shrunken Gaussians, logistic regressions, zero-shot and their blends.

    Every candidate is judged by stratified cross-validation on the training rows, with a part of
    the log class prior taken from its logits or not; the one chosen is fitted again on all rows
    and its temperature set on the out-of-fold logits. Class weights are never used: they would
    correct for the prior a second time.

    Parameters
    ----------
    select_on
        ``"macro_recall"`` (the default: every class counts the same), ``"accuracy"``,
        ``"macro_f1"`` or ``"log_loss"``.
    n_folds
        Parts of the cross-validation, at least 2.
    text_features
        (n_classes, dim) or (n_classes, n_prompts, dim), rows in the order of the sorted labels:
        zero-shot and blends with it become candidates. Default: none.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` takes rows as is.
    n_jobs
        Threads that fit and judge candidates at once, as scikit-learn counts them: None (the
        default) for 1, -1 for all cores. What is learnt does not depend on it.
    random_state
        Seed of the folds; an int (the default 0), a ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_ : ndarray
        (n_classes, dim) in the dtype of the rows: also a blend is one linear map.
    intercept_ : ndarray
        (n_classes,).
    n_features_in_ : int
        dim.
    best_ : str
        The family, or the families of a blend, that was taken.
    results_ : list of Trial
        Every candidate with its scores, the one taken first, then by score; empty where nothing
        could be tested (no class has two rows, or two groups), and a Gaussian is taken unseen.

    Notes
    -----
    The prior correction: Menon et al. 2021, "Long-tail learning via logit adjustment", eq. 9.
    Ties within one standard error: Breiman et al. 1984, "Classification and Regression Trees",
    section 3.4.3, here with the standard error of the paired difference.
    """

    def __init__(
        self,
        *,
        select_on: SelectOn = "macro_recall",
        n_folds: int = 5,
        text_features: npt.ArrayLike | None = None,
        normalize: Normalize = "l2",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.select_on = select_on
        self.n_folds = n_folds
        self.text_features = text_features
        self.normalize = normalize
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
    ) -> AutoHead:
        """Choose and learn.

        Parameters
        ----------
        X, y
            (n_images, dim) vectors and (n_images,) labels, numbers or strings.
        groups
            (n_images,) rows of one group are never split between training and testing.
        X_val, y_val
            Rows to judge candidates on instead of cross-validation; nothing is learnt from them
            but the choice and the temperature. Rows of a class that `y` does not hold are left
            out.

        Raises
        ------
        DimensionError
            `text_features` do not fit the rows or the classes, or `X_val` is of another width.
        InputError
            Fewer than two classes, or a parameter that cannot be used.
        """
        if self.select_on not in SELECT_ON:
            raise InputError(f"select_on={self.select_on!r}: use one of {', '.join(SELECT_ON)}.")
        if self.n_folds < 2:
            raise InputError(f"n_folds={self.n_folds!r} must be at least 2.")
        rows, codes = self._training_rows(X, y)
        rows = self._scaled(rows)
        with one_blas_thread():
            if X_val is None and y_val is None:
                folds = self._folds(rows, codes, groups)
            else:
                folds = self._held_out(rows, codes, X_val, y_val)
            chosen = self._choose(folds)
            coef, intercept = chosen.fit(rows, codes, len(self.classes_))
        self.coef_, self.intercept_ = coef.astype(rows.dtype), intercept.astype(rows.dtype)
        self.best_ = chosen.name
        return self

    def _folds(
        self, rows: Floats, codes: npt.NDArray[np.intp], groups: npt.ArrayLike | None
    ) -> Folds:
        named = None if groups is None else np.asarray(groups)
        if named is not None:
            check_consistent_length(rows, named)
        random = check_random_state(self.random_state)
        return Folds.deal(
            rows, codes, len(self.classes_), self.n_folds, random=random, groups=named
        )

    def _held_out(
        self,
        rows: Floats,
        codes: npt.NDArray[np.intp],
        X_val: npt.ArrayLike | None,
        y_val: npt.ArrayLike | None,
    ) -> Folds:
        held, held_codes, _ = self._validation_rows(X_val, y_val)
        tested = (self._scaled(held).astype(rows.dtype, copy=False), held_codes)
        return Folds.held_out((rows, codes), tested, len(self.classes_))

    def _families(self) -> list[Family]:
        n_classes, dim = len(self.classes_), self.n_features_in_
        anchors = matching_anchors(self.text_features, n_classes, dim)
        if anchors is None:
            return [_GAUSSIAN, _LOGISTIC]
        anchored = GaussianFamily(_SHRINKAGES, _TEXT_PSEUDO_COUNTS, _TAUS, anchors, "text-anchored")
        return [TextFamily(anchors), anchored, _GAUSSIAN, _LOGISTIC]

    def _choose(self, folds: Folds) -> Candidate:
        tested = folds.tested
        self.results_: list[Trial] = []
        if not tested.any():
            nothing = np.empty((0, 0), np.float32)
            unseen = Part(_GAUSSIAN, _WHERE_NOTHING_CAN_BE_TESTED, nothing)
            return Candidate((unseen,), nothing)
        jury = Jury(folds.codes[tested], folds.fold[tested], folds.n_classes, self.select_on)
        search = Search(folds, jury, self.n_jobs)
        tables = search.families(self._families())
        everything = [*(judged for table in tables for judged in table), *search.blends(tables)]
        best, tied = jury.choose([judged.verdict for judged in everything])
        trials = [j.trial(tied=k in tied, chosen=k == best) for k, j in enumerate(everything)]
        sign = 1 if self.select_on == "log_loss" else -1
        self.results_ = sorted(
            trials, key=lambda trial: (not trial.chosen, sign * getattr(trial, self.select_on))
        )
        return everything[best].candidate.scaled(everything[best].verdict.scale)

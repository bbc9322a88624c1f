"""The head that looks for itself which head suits the rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from fishembed.classifiers.base import Floats, LinearClassifier, Normalize
from fishembed.classifiers.candidates import Candidate, Part
from fishembed.classifiers.families import Family, GaussianFamily, LogisticFamily, TextFamily
from fishembed.classifiers.folds import Folds
from fishembed.classifiers.selection import SELECT_ON, Jury, SelectOn, Trial
from fishembed.classifiers.threads import one_blas_thread
from fishembed.classifiers.zeroshot import matching_anchors
from fishembed.errors import InputError

_SHRINKAGES = (0.1, 0.3, 0.5, 0.7, 0.9)
_TEXT_PSEUDO_COUNTS = (1.0, 2.0, 4.0, 8.0, 16.0)
_GAUSSIAN = GaussianFamily(_SHRINKAGES, (0.0, 1.0, 2.0))
_LOGISTIC = LogisticFamily((1.0, 10.0, 100.0, 1000.0))
_TAUS = (0.0, 0.5, 1.0, 1.5)
_MIXTURES = (0.3, 0.5, 0.7)
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
        Name of the candidate that was taken.
    results_ : list of Trial
        Every candidate with its scores, best first; empty where no class has two rows (or
        groups), and a Gaussian is taken unseen.

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
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.select_on = select_on
        self.n_folds = n_folds
        self.text_features = text_features
        self.normalize = normalize
        self.random_state = random_state

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None
    ) -> AutoHead:
        """Choose and learn.

        Parameters
        ----------
        X, y
            (n_images, dim) vectors and (n_images,) labels, numbers or strings.
        groups
            (n_images,) rows of one group are never split between training and testing.

        Raises
        ------
        DimensionError
            `text_features` do not fit the rows or the classes.
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
            folds = self._folds(rows, codes, groups)
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

    def _families(self) -> list[Family]:
        n_classes, dim = len(self.classes_), self.n_features_in_
        anchors = matching_anchors(self.text_features, n_classes, dim)
        if anchors is None:
            return [_GAUSSIAN, _LOGISTIC]
        anchored = GaussianFamily(_SHRINKAGES, _TEXT_PSEUDO_COUNTS, anchors, "text-anchored")
        return [TextFamily(anchors), anchored, _GAUSSIAN, _LOGISTIC]

    def _choose(self, folds: Folds) -> Candidate:
        families = self._families()
        tested = folds.tested
        self.results_: list[Trial] = []
        if not tested.any():
            unseen = Part(_GAUSSIAN, _WHERE_NOTHING_CAN_BE_TESTED)
            return Candidate((unseen,), 0.0, np.empty((0, 0)))
        jury = Jury(folds.codes[tested], folds.fold[tested], folds.n_classes, self.select_on)
        search = _Search(jury, folds, tested)
        tables = [search.family(family) for family in families]
        everything = [*(pair for table in tables for pair in table), *search.blends(tables)]
        candidates, trials = map(list, zip(*everything, strict=True))
        best, tied = jury.choose(candidates, trials)
        marked = [
            replace(trial, tied=k in tied, chosen=k == best) for k, trial in enumerate(trials)
        ]
        rank = {"log_loss": 1}.get(self.select_on, -1)
        self.results_ = sorted(
            marked, key=lambda trial: (not trial.chosen, rank * getattr(trial, self.select_on))
        )
        chosen: Candidate = candidates[best]
        return chosen.scaled(jury.scale(chosen))


Judged = tuple[Candidate, Trial]


class _Search:
    """Candidates of every family and of their blends, judged on the same rows."""

    def __init__(self, jury: Jury, folds: Folds, tested: npt.NDArray[np.bool_]) -> None:
        self.jury = jury
        self.folds = folds
        self.tested = tested
        self.log_priors = folds.log_priors()[tested].T.astype(np.float32)

    def family(self, family: Family) -> list[Judged]:
        """Every member of a family with every share of the prior taken back."""
        start = time.perf_counter()
        plain = []
        for parameters, logits in family.out_of_fold(self.folds):
            by_class = np.ascontiguousarray(logits[self.tested].T)
            plain.append(Candidate((Part(family, parameters),), 0.0, by_class))
        seconds = time.perf_counter() - start
        taus = (0.0,) if isinstance(family, TextFamily) else _TAUS
        corrected = [c.corrected(tau, self.log_priors) for c in plain for tau in taus]
        return [(candidate, self.jury.judge(candidate, seconds)) for candidate in corrected]

    def blends(self, tables: list[list[Judged]]) -> Iterator[Judged]:
        """Mixtures of the best of each family; the last family's best at every correction."""
        start = time.perf_counter()
        sofar = [self._best(tables[0])]
        for table in tables[1:]:
            partners = [
                self._best([pair for pair in table if pair[1].prior_correction == tau])
                for tau in _TAUS
            ]
            made = [
                left.scaled(1 - share).plus(right.scaled(share))
                for left in sofar
                for right in partners
                for share in _MIXTURES
            ]
            judged = [(c, self.jury.judge(c, time.perf_counter() - start)) for c in made]
            yield from judged
            sofar = [self._best(judged)]

    def _best(self, table: list[Judged]) -> Candidate:
        candidates, trials = map(list, zip(*table, strict=True))
        candidate: Candidate = candidates[self.jury.choose(candidates, trials)[0]]
        return candidate.scaled(self.jury.scale(candidate))

"""What heads that choose among candidates share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from fishembed.classifiers.base import Floats, LinearClassifier
from fishembed.classifiers.candidates import Candidate
from fishembed.classifiers.families import Family
from fishembed.classifiers.folds import Folds
from fishembed.classifiers.search import Search
from fishembed.classifiers.selection import SELECT_ON, Jury, SelectOn, Trial
from fishembed.classifiers.threads import one_blas_thread
from fishembed.errors import InputError

MOST_LOGITS = 10_000_000
"""Rows times classes that candidates are compared on: 40 MB for each, of some twenty to fifty."""


class ChoosingHead(LinearClassifier):
    """Base of heads that compare candidates on rows these were not shown, and take one.

    Subclasses name the families, and what to take where nothing can be tested. Where rows times
    classes exceed `MOST_LOGITS`, candidates are compared on a sample of the rows: as many of each
    class where a macro score decides, else drawn from all. The head taken learns from every row.
    """

    select_on: SelectOn
    n_folds: int
    n_jobs: int | None
    random_state: int | np.random.RandomState | None
    _within = 1.0  # standard errors within which two scores count as the same
    _blends = True

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
    ) -> ChoosingHead:
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
            `X_val` is of another width than `X`, or text vectors do not fit.
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
        self.best_, self.best_parameters_ = chosen.name, chosen.parameters
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
        raise NotImplementedError

    def _untested(self) -> Candidate:
        raise NotImplementedError

    def _affordable(self, folds: Folds) -> Folds:
        """Ask about as many rows only as memory is meant for."""
        most = max(1, MOST_LOGITS // folds.n_classes)
        if int(folds.tested.sum()) <= most:
            return folds
        random = check_random_state(self.random_state)
        return folds.thinned(most, random, evenly=self.select_on.startswith("macro"))

    def _choose(self, folds: Folds) -> Candidate:
        folds = self._affordable(folds)
        tested = folds.tested
        self.results_: list[Trial] = []
        if not tested.any():
            return self._untested()
        jury = Jury(
            folds.codes[tested],
            folds.fold[tested],
            folds.n_classes,
            self.select_on,
            self._within,
        )
        search = Search(folds, jury, self.n_jobs)
        tables = search.families(self._families())
        everything = [judged for table in tables for judged in table]
        if self._blends:
            everything += search.blends(tables)
        best, tied = jury.choose([judged.verdict for judged in everything])
        trials = [j.trial(tied=k in tied, chosen=k == best) for k, j in enumerate(everything)]
        sign = 1 if self.select_on == "log_loss" else -1
        self.results_ = sorted(
            trials, key=lambda trial: (not trial.chosen, sign * getattr(trial, self.select_on))
        )
        return everything[best].candidate.scaled(everything[best].verdict.scale)

"""Base of the classifiers that choose among candidate models by held-out scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_consistent_length

from fishembed._base.arrays import Codes, Floats
from fishembed._base.runtime import one_blas_thread
from fishembed.classifiers.base import EmbeddingClassifier, MapPredictor, MaybeLinear
from fishembed.classifiers.cross_validation import Folds, HeldOutLogits
from fishembed.classifiers.head_function import FittedMap
from fishembed.classifiers.model_choice.model_grids import (
    ROUGH,
    ModelGrid,
    Parameters,
    TrainingRows,
)
from fishembed.classifiers.model_choice.model_search import (
    Candidate,
    ModelSearch,
    ScoredCandidate,
    WeightedModel,
)
from fishembed.classifiers.model_choice.model_selection import (
    SELECT_ON,
    CandidateScorer,
    SelectOn,
    Trial,
)
from fishembed.classifiers.saved.saved_head import SavedHead, saved_head
from fishembed.classifiers.temperature import rows_for_margin, spread, untested_temperature
from fishembed.errors import InputError

MIN_ROWS, MIN_CLASSES = 30, 5
"""Evaluated rows, and classes of these, below which the default is used and only calibrated."""


class ChoosingHead(MaybeLinear, MapPredictor, EmbeddingClassifier):
    """Base of classifiers that compare candidates on held-out rows, and choose one.

    Subclasses name the grids, and the model to use where too little can be evaluated: below 30
    rows, or 5 classes where there are more. Where rows times classes exceed 10 million, candidates
    are compared on a sample of the rows: as many of each class where a macro score decides, else
    drawn from all. The model chosen is fitted to every row.
    """

    select_on: SelectOn
    n_folds: int
    n_jobs: int | None
    random_state: int | np.random.RandomState | None
    _within = 1.0  # standard errors within which two scores tie

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
    ) -> ChoosingHead:
        """Choose a model and fit it to all rows.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels, numbers or strings.
        groups
            (n_images,) rows of one group are never split between training and testing.
        X_val, y_val
            Rows to score candidates on instead of cross-validation; nothing is learnt from them
            but the choice and the temperature. Rows of a class that `y` does not hold are left
            out.

        Raises
        ------
        DimensionError
            `X_val` is of another width than `X`, or text features do not fit.
        InputError
            Fewer than two classes, or a parameter that cannot be used.
        """
        if self.select_on not in SELECT_ON:
            raise InputError(f"select_on={self.select_on!r}: use one of {', '.join(SELECT_ON)}.")
        if self.n_folds < 2:
            raise InputError(f"n_folds={self.n_folds!r} must be at least 2.")
        rows, codes = self._validate_training(X, y)
        rows = self._normalized(rows)
        with one_blas_thread():
            if X_val is None and y_val is None:
                folds = self._cross_validation(rows, codes, groups)
            else:
                folds = self._validation(rows, codes, X_val, y_val)
            evenly = self.select_on.startswith("macro")
            folds = folds.affordable(self.random_state, evenly=evenly)
            chosen = self._choose(folds, (rows, codes))
            fitted = chosen.fit(rows, codes, len(self.classes_))
            if not self.results_ and not chosen.leans_on_text:
                at = rows_for_margin(len(rows), len(self.classes_))
                logits = fitted.logits(rows[at], unit=False)
                factor = 1 / untested_temperature(logits, codes[at])
                chosen, fitted = chosen.scaled(factor), fitted.scaled(factor)
        self._fitted_map = fitted.astype(rows.dtype)
        self._chosen = chosen.without_logits()
        self._held_out = None
        if X_val is None and folds.evaluated.any():
            rows_with = np.flatnonzero(folds.evaluated)
            self._held_out = HeldOutLogits(folds.fold, rows_with, chosen.logits)
        self.best_, self.best_parameters_ = chosen.name, chosen.parameters
        return self

    def refit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> SavedHead:
        """Return the model that was chosen, fitted roughly to other rows of some of the classes.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels.
        """
        labels, codes = np.unique(y, return_inverse=True)
        known = np.searchsorted(self.classes_, labels)
        rows = self._normalized(np.asarray(X, self._fitted_map.intercept.dtype))
        with one_blas_thread():
            fitted = self._chosen.of_classes(known).fit(rows, codes, len(labels), ROUGH)
        return saved_head(fitted.astype(rows.dtype), labels, normalize=self.normalize)

    @property
    def held_out_logits(self) -> HeldOutLogits | None:
        """Logits of training rows that the choice rests on; None where none were held out."""
        held_out: HeldOutLogits | None = getattr(self, "_held_out", None)
        return held_out

    def __getstate__(self) -> dict[str, Any]:
        """Leave the logits of training rows out of copies and pickles."""
        return {**super().__getstate__(), "_held_out": None}

    def _linear(self) -> FittedMap:
        if self.fitted_map.angular is not None:
            raise AttributeError(f"{self.best_!r} was chosen, which is no linear map")
        return self.fitted_map

    def _cross_validation(self, rows: Floats, codes: Codes, groups: npt.ArrayLike | None) -> Folds:
        names = None if groups is None else np.asarray(groups)
        if names is not None:
            check_consistent_length(rows, names)
        return Folds.split(
            rows, codes, len(self.classes_), self.n_folds, random=self.random_state, groups=names
        )

    def _validation(
        self,
        rows: Floats,
        codes: Codes,
        X_val: npt.ArrayLike | None,
        y_val: npt.ArrayLike | None,
    ) -> Folds:
        held_out, held_out_codes, _ = self._validate_validation(X_val, y_val)
        validation = (self._normalized(held_out).astype(rows.dtype, copy=False), held_out_codes)
        return Folds.from_validation((rows, codes), validation, len(self.classes_))

    def _grids(self, folds: Folds | None = None) -> list[ModelGrid]:
        """Return the grids to search, all of them or those that `folds` are not too large for."""
        raise NotImplementedError

    def _default(self) -> list[tuple[ModelGrid, Parameters, float]]:
        """Return the models that are used untested, and the share of each in their sum."""
        raise NotImplementedError

    def _default_parts(self, training: tuple[Floats, Codes]) -> tuple[WeightedModel, ...]:
        """Return the parts of the default, each scaled to the spread of the first."""
        nothing = np.empty((0, 0), np.float32)
        models = self._default()
        total = sum(share for _, _, share in models)
        if len(models) == 1:
            return (WeightedModel(*models[0][:2], nothing),)
        n_classes = len(self.classes_)
        at = rows_for_margin(len(training[1]), n_classes)
        shared, spreads = TrainingRows(*training, n_classes), []
        for grid, parameters, _ in models:
            [fitted] = grid.fit(shared, [parameters], ROUGH)
            spreads.append(spread(fitted.logits(training[0][at], unit=False), training[1][at]))
        return tuple(
            WeightedModel(
                grid, parameters, nothing, share=share / total, scale=share * spreads[0] / own
            )
            for (grid, parameters, share), own in zip(models, spreads, strict=True)
        )

    def _prefers_default(self, folds: Folds) -> bool:  # noqa: ARG002
        """Return whether rows are so few that the default is used untested."""
        return False

    def _combined(
        self,
        search: ModelSearch,  # noqa: ARG002
        everything: list[ScoredCandidate],  # noqa: ARG002
    ) -> ScoredCandidate | None:
        """Return the candidate to use in place of the best one; None for the best one."""
        return None

    def _choose(self, folds: Folds, training: tuple[Floats, Codes]) -> Candidate:
        evaluated = folds.evaluated
        self.results_: list[Trial] = []
        if not evaluated.any():
            return Candidate(self._default_parts(training), np.empty((0, 0), np.float32))
        scorer = CandidateScorer(
            folds.codes[evaluated],
            folds.fold[evaluated],
            folds.n_classes,
            self.select_on,
            self._within,
            None if folds.groups is None else folds.groups[evaluated],
        )
        search, combined = ModelSearch(folds, scorer, self.n_jobs), None
        if _too_few(scorer) or self._prefers_default(folds):
            everything = [search.sum(self._default_parts(training))]
        else:
            tables = search.grids(self._grids(folds))
            everything = [scored for table in tables for scored in table]
            combined = self._combined(search, everything)
            everything += [combined] if combined else []
        best, tied = scorer.choose([scored.scores for scored in everything])
        if combined:
            best = len(everything) - 1
            tied.append(best)
        trials = [s.trial(tied=k in tied, chosen=k == best) for k, s in enumerate(everything)]
        sign = 1 if self.select_on == "log_loss" else -1
        self.results_ = sorted(
            trials, key=lambda trial: (not trial.chosen, sign * getattr(trial, self.select_on))
        )
        chosen = everything[best].candidate
        return chosen.scaled(scorer.best_scale(chosen.logits))


def _too_few(scorer: CandidateScorer) -> bool:
    """Return whether there are too few rows or classes to rank candidates by more than luck."""
    n_classes = len(np.unique(scorer.codes))
    return len(scorer.codes) < MIN_ROWS or n_classes < min(MIN_CLASSES, scorer.n_classes)

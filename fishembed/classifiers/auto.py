"""Classifiers that compare models by cross-validation: automatic, and CLIP's swept linear probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Floats
from fishembed.classifiers.base import Normalize
from fishembed.classifiers.cross_validation import Folds
from fishembed.classifiers.model_choice.choosing_head import ChoosingHead
from fishembed.classifiers.model_choice.model_grids import (
    AngularGrid,
    GaussianGrid,
    LogisticGrid,
    ModelGrid,
    Parameters,
    ZeroShotGrid,
)
from fishembed.classifiers.model_choice.model_search import ModelSearch, ScoredCandidate
from fishembed.classifiers.model_choice.model_selection import SelectOn
from fishembed.classifiers.zero_shot import matching_anchors
from fishembed.errors import InputError

CLIP_CS = tuple(float(C) for C in np.logspace(-6, 6, 96))
"""Values of C that Radford et al. 2021 sweep."""

_DEFAULT_C = 100.0  # where nothing can be evaluated

# The whole prior at most: a fold's training part has one row less of the tested row's class, so
# models that favour rare classes score too well, with two rows a class far too well.
_TAUS = (0.0, 0.5, 1.0)
_ANGULAR_TAUS = (0.0, 0.5, 0.75, 1.0, 1.25, 1.5)
_SHRINKAGES = (0.9, 0.7, 0.5, 0.3, 0.1)
_GAUSSIAN = GaussianGrid(_SHRINKAGES, (0.0, 1.0, 4.0, 16.0), taus=_TAUS)
_ANGULAR = AngularGrid((10.0, 30.0, 100.0), shrinkage=0.5, taus=_ANGULAR_TAUS)
_TEXT_PSEUDO_COUNTS = (1.0, 4.0, 16.0)
_FEW_ROWS = 2  # a class, on average
_TEXT_CS = (10.0, 100.0, 1000.0)

MAX_REGRESSION = 50_000_000
"""Rows times classes beyond which only candidates in closed form are compared."""


@dataclass(eq=False, repr=False, kw_only=True)
class AutoHead(ChoosingHead):
    """Weigh shrunken Gaussians, angular regressions and zero-shot into one classifier.

    Every candidate is scored by stratified cross-validation on the training rows, with a part of
    the log class prior subtracted from its logits or not. Then all of them are weighed, so that
    the sum of their logits has the least log loss on rows they have not learnt from, and those of
    a weight above 0 are fitted again to all rows. The sum is one map; small changes of the rows
    change it little, where a choice of one candidate may fall on a quite different one. Class
    weights are never used: they would correct for the prior a second time.

    Parameters
    ----------
    select_on
        ``"macro_recall"`` (the default), ``"accuracy"``, ``"macro_f1"`` or ``"log_loss"``. With
        the macro scores three fifths of the log loss count every class the same, two fifths every
        row; with the others all of it counts every row.
    n_folds
        Parts of the cross-validation, at least 2; 5 by default.
    text_features
        (n_classes, dim) or (n_classes, n_prompts, dim), rows in the order of the sorted labels:
        zero-shot and heads around it become candidates. Default: none.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` uses rows as is.
    n_jobs
        Threads that fit and score candidates at once, as scikit-learn counts them: None (the
        default) for 1, -1 for all cores. What is learnt does not depend on it.
    random_state
        Seed of the folds; an int (the default 0), a ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_ : ndarray
        (n_classes, dim) in the dtype of the rows: also their sum is one linear map.
    intercept_ : ndarray
        (n_classes,).
    n_features_in_ : int
        dim.
    best_ : str
        ``"ensemble"``, or the name of the only model with a weight.
    best_parameters_ : dict
        Its parameters, as in `Trial`.
    results_ : list of Trial
        Every candidate and their sum with its scores, the sum first, then by score; empty where
        nothing could be tested (no class has two rows, or two groups), and a default is used
        untested: zero-shot, a Gaussian and a logistic regression around the text where there is
        any, else a Gaussian. With more than 10 million rows times classes they are compared on
        two folds and a sample of `Trial.rows` rows, with a macro score as many of each class.
        With more than 50 million the regressions, which read the rows many times, are left out.

    Notes
    -----
    The prior correction: Menon et al. 2021, "Long-tail learning via logit adjustment", eq. 9.
    The weights: Wolpert 1992, "Stacked generalization"; not negative: Breiman 1996, "Stacked
    regressions".

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import AutoHead
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> AutoHead(n_folds=2).fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    select_on: SelectOn = "macro_recall"
    n_folds: int = 5
    text_features: npt.ArrayLike | None = None
    normalize: Normalize = "l2"
    n_jobs: int | None = None
    random_state: int | np.random.RandomState | None = 0

    def _grids(self, folds: Folds | None = None) -> list[ModelGrid]:
        n_classes, dim = len(self.classes_), self.n_features_in_
        text = matching_anchors(self.text_features, n_classes, dim)
        grids: list[ModelGrid] = [_GAUSSIAN, _ANGULAR]
        if text is not None:
            grids = [ZeroShotGrid(text=text), *_text_grids(text), *grids]
        if folds is not None and _is_huge(folds):
            return [grid for grid in grids if not isinstance(grid, LogisticGrid)]
        return grids

    def _combined(
        self, search: ModelSearch, everything: list[ScoredCandidate]
    ) -> ScoredCandidate | None:
        return search.ensemble(everything)

    def _prefers_default(self, folds: Folds) -> bool:
        """Return whether, with text, tested models would learn from about one row a class."""
        few = len(folds.codes) <= _FEW_ROWS * folds.n_classes and not _is_huge(folds)
        return self.text_features is not None and few and folds.n_folds > 1

    def _default(self) -> list[tuple[ModelGrid, Parameters, float]]:
        text = matching_anchors(self.text_features, len(self.classes_), self.n_features_in_)
        if text is None:
            return [(_GAUSSIAN, {"shrinkage": 0.7, "pseudo_count": 1.0}, 1.0)]
        anchored, around = _text_grids(text)
        return [
            (ZeroShotGrid(text=text), {}, 0.5),
            (anchored, {"shrinkage": 0.5, "pseudo_count": 4.0}, 0.2),
            (around, {"C": _DEFAULT_C}, 0.5),
        ]


def _text_grids(text: Floats) -> tuple[GaussianGrid, LogisticGrid]:
    anchored = GaussianGrid(
        _SHRINKAGES, _TEXT_PSEUDO_COUNTS, taus=_TAUS, text=text, name="text-anchored"
    )
    return anchored, LogisticGrid(_TEXT_CS, taus=_TAUS, text=text, name="text-logistic")


def _is_huge(folds: Folds) -> bool:
    return len(folds.codes) * folds.n_classes > MAX_REGRESSION


@dataclass(eq=False, repr=False)
class SweptLogisticHead(ChoosingHead):
    """Fit logistic regression with the C that does best on held-out rows.

    Parameters
    ----------
    Cs
        Inverse penalties to try; CLIP's 96 from 1e-6 to 1e6, evenly in their logarithm, when None.
    select_on
        ``"accuracy"`` (the default, as in CLIP's protocol), ``"macro_recall"``, ``"macro_f1"`` or
        ``"log_loss"``.
    n_folds
        Parts of the cross-validation, at least 2 (5 by default); not used with validation rows.
    normalize
        ``"l2"`` (the default) scales every row to length 1 first; ``"none"`` uses rows as is.
    n_jobs
        Folds that are worked on at once, as scikit-learn counts jobs: None (the default) for 1,
        -1 for all cores. What is learnt does not depend on it.
    random_state
        Seed of the folds; an int (the default 0), a ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_, intercept_ : ndarray
        (n_classes, dim) and (n_classes,), scaled by the temperature that held-out rows ask for.
    n_features_in_ : int
        dim.
    best_ : str
        ``"logistic"``.
    best_parameters_ : dict
        ``{"C": C_}``.
    C_ : float
        The value chosen: the best score, at a draw the least log loss, and the smaller of equals.
    results_ : list of Trial
        Every value with its scores, the one chosen first; empty where nothing could be tested.

    Notes
    -----
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    appendix A.3. They search the 96 values by bisection on a validation split; here all are
    tried, since along a warm-started path most cost little.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import SweptLogisticHead
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> SweptLogisticHead([1, 100], n_folds=2).fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    _within = 0.0

    Cs: Sequence[float] | None = None
    _: KW_ONLY
    select_on: SelectOn = "accuracy"
    n_folds: int = 5
    normalize: Normalize = "l2"
    n_jobs: int | None = None
    random_state: int | np.random.RandomState | None = 0

    @property
    def C_(self) -> float:  # noqa: N802 - scikit-learn's name
        """The value of C that was chosen."""
        return float(self.best_parameters_["C"])

    def _grids(self, folds: Folds | None = None) -> list[ModelGrid]:  # noqa: ARG002
        Cs = CLIP_CS if self.Cs is None else tuple(sorted(float(C) for C in self.Cs))
        if not Cs or not Cs[0] > 0:
            raise InputError(f"Cs={self.Cs!r}: give values above 0.")
        return [LogisticGrid(Cs)]

    def _default(self) -> list[tuple[ModelGrid, Parameters, float]]:
        return [(self._grids()[0], {"C": _DEFAULT_C}, 1.0)]

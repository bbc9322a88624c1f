"""Classifiers around other classifiers: prior correction, calibration, blending."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from fishembed._base.arrays import Codes, Double, Floats
from fishembed.classifiers.base import EmbeddingClassifier, MaybeLinear, log_prior
from fishembed.classifiers.cross_validation import Folds, aligned_logits, out_of_fold_logits
from fishembed.classifiers.head_function import FittedMap, FittedSum, ordered_map
from fishembed.classifiers.model_choice.model_selection import CandidateScorer, SelectOn
from fishembed.classifiers.temperature import best_scale
from fishembed.classifiers.zero_shot import ZeroShotClassifier
from fishembed.errors import InputError

_WEIGHTS = tuple(k / 10 for k in range(11))


class Combination(MaybeLinear, EmbeddingClassifier):
    """Base of classifiers whose logits are a weighted sum of those of others, plus a shift.

    Where all of them are linear maps under the same normalisation, so is the combination, and it
    has `coef_` and `intercept_`.
    """

    _terms: list[tuple[Any, float]]
    _shift: Double

    def logits(self, X: npt.ArrayLike) -> Double:  # noqa: D102
        check_is_fitted(self)
        self._validate_rows(X)  # the shape is checked under this head's name
        total = np.zeros((1, len(self.classes_))) + self._shift
        for head, scale in self._terms:
            total = total + scale * aligned_logits(head, X, self.classes_)
        return total

    @property
    def fitted_map(self) -> FittedMap:
        """The function that `save_head` writes, where the parts add up to one map."""
        for head, _ in self._terms:
            if not hasattr(head, "fitted_map") or head.normalize != self.normalize:
                raise AttributeError(f"{type(self).__name__} of {head!r} is no map of arrays.")
        classes = self.classes_.tolist()
        parts = [ordered_map(head, classes).scaled(scale) for head, scale in self._terms]
        try:
            total: FittedMap = reduce(FittedMap.plus, parts)
        except ValueError as error:
            raise AttributeError(f"{type(self).__name__}: {error}") from None
        return total.shifted(self._shift)

    @property
    def fitted_sum(self) -> FittedSum:
        """The function that `save_head` writes, where the parts do not add up to one map."""
        return FittedSum.of(self._terms, self.classes_.tolist(), self._shift)

    @property
    def normalize(self) -> Any:  # type: ignore[override]
        """Scaling of a row before the weights: l2 or none."""
        return getattr(self._terms[0][0], "normalize", "l2") if hasattr(self, "_terms") else "l2"

    # AttributeError makes hasattr(head, "fitted_map") false where the head is not one map

    def _linear(self) -> FittedMap:
        fitted = self.fitted_map
        if fitted.angular is not None:
            raise AttributeError(f"{type(self).__name__} of {self._terms[0][0]!r} is not linear.")
        return fitted

    def _folds(self, rows: Floats, codes: Codes, n_folds: int, random_state: Any) -> Folds:
        if n_folds < 2:
            raise InputError(f"n_folds={n_folds!r} must be at least 2.")
        return Folds.split(rows, codes, len(self.classes_), n_folds, random=random_state)


@dataclass(eq=False, repr=False)
class PriorCorrectedClassifier(Combination):
    """Subtract a share of the log class prior from the logits of another classifier.

    Frequent classes are no longer preferred for being frequent: what macro recall asks for.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba`; it is cloned, not changed.
    tau
        Share of the log prior; 1 (the default) subtracts it in full, 0 changes nothing.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    estimator_ : estimator
        The fitted clone.
    coef_, intercept_ : ndarray
        Where the estimator is a linear map.
    n_features_in_ : int
        dim.

    Notes
    -----
    Menon et al. 2021, "Long-tail learning via logit adjustment", eq. 9. For a model with a free
    bias the loss of their eq. 10 (balanced softmax) has the same optimum.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import LogisticHead, PriorCorrectedClassifier
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> PriorCorrectedClassifier(LogisticHead(), tau=1.0).fit(X, y).predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    estimator: Any
    _: KW_ONLY
    tau: float = 1.0

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> PriorCorrectedClassifier:
        """Fit the estimator and subtract its prior.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            The estimator has balanced class weights and `tau` is above 0.5: two corrections.
        """
        if getattr(self.estimator, "class_weight", None) == "balanced" and self.tau > 0.5:
            raise InputError(
                f"class_weight='balanced' and tau={self.tau:g} correct for the prior twice: "
                "drop the class weights, or tau to 0.5 at most."
            )
        _, codes = self._validate_training(X, y)
        self.estimator_ = clone(self.estimator).fit(X, y)
        self._terms = [(self.estimator_, 1.0)]
        self._shift = -self.tau * log_prior(codes, len(self.classes_))
        return self


@dataclass(eq=False, repr=False)
class TemperatureCalibratedClassifier(Combination):
    """Scale another classifier's logits so that its probabilities hold on unseen rows.

    The scale is learnt by cross-validation on the training rows, the classifier then fitted to
    all of them.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba`; it is cloned, not changed.
    n_folds
        Parts of the cross-validation, at least 2; 5 by default.
    random_state
        Seed of the folds; an int (the default 0), a ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    estimator_ : estimator
        The fitted clone.
    temperature_ : float
        Divisor of the logits; 1 where no class has two rows.
    coef_, intercept_ : ndarray
        Where the estimator is a linear map.
    n_features_in_ : int
        dim.

    Notes
    -----
    Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import GaussianHead, TemperatureCalibratedClassifier
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> head = TemperatureCalibratedClassifier(GaussianHead(), n_folds=2).fit(X, y)
    >>> head.predict([[0.3, 0.9]]).tolist(), head.temperature_ > 0
    (['eel'], True)
    """

    estimator: Any
    _: KW_ONLY
    n_folds: int = 5
    random_state: int | np.random.RandomState | None = 0

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> TemperatureCalibratedClassifier:
        """Learn the temperature, then fit the estimator on all rows.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            Fewer than two classes, or `n_folds` below 2.
        """
        rows, codes = self._validate_training(X, y)
        folds = self._folds(rows, codes, self.n_folds, self.random_state)
        evaluated = folds.evaluated
        scale = 1.0
        if evaluated.any():
            logits = out_of_fold_logits(self.estimator, folds, self.classes_)
            scale = best_scale(logits, codes[evaluated])
        self.temperature_ = 1 / scale
        self.estimator_ = clone(self.estimator).fit(X, y)
        self._terms = [(self.estimator_, scale)]
        self._shift = np.zeros(len(self.classes_))
        return self


@dataclass(eq=False, repr=False)
class BlendClassifier(Combination):
    """Multiply the probabilities of two classifiers, each to its own power.

    Meant for one that learns from images and a `ZeroShotClassifier` that knows the class names.

    Parameters
    ----------
    estimator, other
        Two classifiers with `predict_proba`; they are cloned, not changed. `other` defaults to
        the nearest class mean by cosine.
    weight
        Share of `other`, 0 to 1, or ``"cv"`` (the default): chosen by cross-validation on the
        training rows from 0, 0.1, ... 1.
    select_on
        The score that chooses: ``"macro_recall"`` (the default), ``"accuracy"``, ``"macro_f1"``
        or ``"log_loss"``.
    n_folds
        Parts of the cross-validation, at least 2 (5 by default); it also sets both
        temperatures.
    random_state
        Seed of the folds; an int (the default 0), a ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    weight_ : float
        Share of `other`; 0.5 where it could not be tested.
    estimator_, other_ : estimator
        The fitted clones.
    coef_, intercept_ : ndarray
        Where both are linear maps under the same normalisation.
    n_features_in_ : int
        dim.

    Notes
    -----
    Hinton 2002, "Training Products of Experts by Minimizing Contrastive Divergence", eq. 1, for
    a classifier and its zero-shot start: Wortsman et al. 2022, "Robust fine-tuning of zero-shot
    models", eq. 1, which for linear heads is the same sum.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import BlendClassifier, LogisticHead, ZeroShotClassifier
    >>> X = np.array([[1.0, 0.0], [0.9, 0.2], [0.8, 0.1], [0.1, 1.0], [0.2, 0.9]])
    >>> y = ["cod", "cod", "cod", "eel", "eel"]
    >>> text = ZeroShotClassifier([[1.0, 0.1], [0.1, 1.0]], classes=["cod", "eel"])
    >>> head = BlendClassifier(LogisticHead(), text, weight=0.5).fit(X, y)
    >>> head.predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    estimator: Any
    other: Any = None
    _: KW_ONLY
    weight: float | Literal["cv"] = "cv"
    select_on: SelectOn = "macro_recall"
    n_folds: int = 5
    random_state: int | np.random.RandomState | None = 0

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> BlendClassifier:
        """Choose the weight, then fit both on all rows.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            `weight` is not a share, or an estimator does not know a class of `y`.
        """
        if self.weight != "cv" and not 0 <= self.weight <= 1:
            raise InputError(f"weight={self.weight!r} must lie between 0 and 1, or be 'cv'.")
        rows, codes = self._validate_training(X, y)
        heads = (self.estimator, ZeroShotClassifier() if self.other is None else self.other)
        folds = self._folds(rows, codes, self.n_folds, self.random_state)
        self.weight_, scales = self._weigh(heads, folds)
        self.estimator_, self.other_ = (clone(head).fit(X, y) for head in heads)
        for head in (self.estimator_, self.other_):
            missing = np.setdiff1d(self.classes_, head.classes_)
            if len(missing):
                raise InputError(f"{type(head).__name__} does not know the class {missing[0]!r}.")
        self._terms = [
            (self.estimator_, scales[0] * (1 - self.weight_)),
            (self.other_, scales[1] * self.weight_),
        ]
        self._shift = np.zeros(len(self.classes_))
        return self

    def _weigh(self, heads: tuple[Any, Any], folds: Folds) -> tuple[float, list[float]]:
        evaluated = folds.evaluated
        if not evaluated.any():
            return (0.5 if self.weight == "cv" else self.weight), [1.0, 1.0]
        codes, fold = folds.codes[evaluated], folds.fold[evaluated]
        scorer = CandidateScorer(codes, fold, folds.n_classes, self.select_on)
        logits = [out_of_fold_logits(head, folds, self.classes_) for head in heads]
        scales = [scorer.score(of_head).scale for of_head in logits]
        if self.weight != "cv":
            return self.weight, scales
        first, second = (np.float32(s) * of_head for s, of_head in zip(scales, logits, strict=True))
        best, _ = scorer.choose([scorer.score((1 - w) * first + w * second) for w in _WEIGHTS])
        return _WEIGHTS[best], scales

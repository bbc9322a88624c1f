"""Heads around another head: prior correction, calibration, blending."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from fishembed.classifiers.calibration import best_scale
from fishembed.classifiers.combination import Combination
from fishembed.classifiers.folds import Folds
from fishembed.classifiers.selection import Jury, SelectOn
from fishembed.classifiers.weights import log_prior
from fishembed.classifiers.zeroshot import ZeroShotClassifier
from fishembed.errors import InputError

_WEIGHTS = tuple(k / 10 for k in range(11))


class PriorCorrectedClassifier(Combination):
    """A head whose logits are lowered by a share of the log class prior of its training rows.

    Frequent classes are no longer preferred for being frequent: what macro recall asks for.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba`; it is cloned, not changed.
    tau
        Share of the log prior; 1 (the default) takes it back in full, 0 changes nothing.

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
    """

    def __init__(self, estimator: Any, *, tau: float = 1.0) -> None:
        self.estimator = estimator
        self.tau = tau

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> PriorCorrectedClassifier:
        """Fit the estimator and take its prior back.

        Parameters
        ----------
        X, y
            (n_images, dim) vectors and (n_images,) labels, numbers or strings.

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
        _, codes = self._training_rows(X, y)
        self.estimator_ = clone(self.estimator).fit(X, y)
        self._terms = [(self.estimator_, 1.0)]
        self._shift = -self.tau * log_prior(codes, len(self.classes_))
        return self


class TemperatureCalibratedClassifier(Combination):
    """A head whose logits are scaled so that its probabilities hold on rows it has not seen.

    The scale is learnt by cross-validation on the training rows, the head then fitted on all.

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
        What the logits are divided by; 1 where no class has two rows.
    coef_, intercept_ : ndarray
        Where the estimator is a linear map.
    n_features_in_ : int
        dim.

    Notes
    -----
    Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        n_folds: int = 5,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> TemperatureCalibratedClassifier:
        """Learn the temperature, then fit the estimator on all rows.

        Parameters
        ----------
        X, y
            (n_images, dim) vectors and (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            Fewer than two classes, or `n_folds` below 2.
        """
        rows, codes = self._training_rows(X, y)
        folds = self._deal(rows, codes, self.n_folds, self.random_state)
        tested = folds.tested
        scale = 1.0
        if tested.any():
            by_class = self._out_of_fold(self.estimator, folds)
            scale = best_scale(by_class, codes[tested], np.ones(int(tested.sum())))
        self.temperature_ = 1 / scale
        self.estimator_ = clone(self.estimator).fit(X, y)
        self._terms = [(self.estimator_, scale)]
        self._shift = np.zeros(len(self.classes_))
        return self


class BlendClassifier(Combination):
    """The product of two heads' probabilities, each to its own power.

    Meant for a head that learnt from images and a `ZeroShotClassifier` that knows the words.

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
    a head and its zero-shot start: Wortsman et al. 2022, "Robust fine-tuning of zero-shot
    models", eq. 1, which for linear heads is the same sum.
    """

    def __init__(
        self,
        estimator: Any,
        other: Any = None,
        *,
        weight: float | Literal["cv"] = "cv",
        select_on: SelectOn = "macro_recall",
        n_folds: int = 5,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.other = other
        self.weight = weight
        self.select_on = select_on
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> BlendClassifier:
        """Choose the weight, then fit both on all rows.

        Parameters
        ----------
        X, y
            (n_images, dim) vectors and (n_images,) labels, numbers or strings.

        Raises
        ------
        InputError
            `weight` is not a share, or a head does not know a class of `y`.
        """
        if self.weight != "cv" and not 0 <= self.weight <= 1:
            raise InputError(f"weight={self.weight!r} must lie between 0 and 1, or be 'cv'.")
        rows, codes = self._training_rows(X, y)
        heads = (self.estimator, ZeroShotClassifier() if self.other is None else self.other)
        folds = self._deal(rows, codes, self.n_folds, self.random_state)
        self.weight_, scales = self._weigh(heads, folds)
        self.estimator_, self.other_ = (clone(head).fit(X, y) for head in heads)
        self._check_known(self.estimator_)
        self._check_known(self.other_)
        self._terms = [
            (self.estimator_, scales[0] * (1 - self.weight_)),
            (self.other_, scales[1] * self.weight_),
        ]
        self._shift = np.zeros(len(self.classes_))
        return self

    def _weigh(self, heads: tuple[Any, Any], folds: Folds) -> tuple[float, list[float]]:
        tested = folds.tested
        if not tested.any():
            return (0.5 if self.weight == "cv" else self.weight), [1.0, 1.0]
        jury = Jury(folds.codes[tested], folds.fold[tested], folds.n_classes, self.select_on)
        unseen = [self._out_of_fold(head, folds) for head in heads]
        scales = [jury.judge(logits).scale for logits in unseen]
        if self.weight != "cv":
            return self.weight, scales
        first, second = (np.float32(s) * logits for s, logits in zip(scales, unseen, strict=True))
        verdicts = [jury.judge((1 - w) * first + w * second) for w in _WEIGHTS]
        best, _ = jury.choose(verdicts)
        return _WEIGHTS[best], scales

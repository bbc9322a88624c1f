"""Base classes of the estimators: checks of input, weights, predictions that follow from logits."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from fishembed._base.arrays import Codes, Double, Floats, unit_rows
from fishembed.classifiers.chunked_rows import ChunkedArray, ChunkedRows, is_chunked
from fishembed.classifiers.head_function import FittedMap
from fishembed.errors import DimensionError, InputError

Normalize = Literal["l2", "none"]

_FLOATS = (np.float32, np.float64)  # float16 becomes float32; float64 is never forced on float32


class Predictor:
    """Predictions that follow from logits.

    Needs `classes_` and `n_features_in_` on the instance, and `logits` of a subclass.
    """

    classes_: npt.NDArray[Any]
    n_features_in_: int

    def logits(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return unnormalised log probabilities.

        Parameters
        ----------
        X
            (n_images, dim) numbers, one row for each image. With ``normalize="l2"`` any scale.

        Returns
        -------
        ndarray
            float64 (n_images, n_classes), columns in `classes_` order, also for two classes.

        Raises
        ------
        DimensionError
            dim differs from the one seen in `fit`.
        """
        raise NotImplementedError

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return logits as scikit-learn shapes them.

        Parameters
        ----------
        X
            (n_images, dim) rows, see `logits`.

        Returns
        -------
        ndarray
            float64 (n_images, n_classes); for two classes (n_images,), the second logit minus
            the first.
        """
        logits = self.logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return probabilities: the softmax of the logits.

        Parameters
        ----------
        X
            (n_images, dim) rows, see `logits`.

        Returns
        -------
        ndarray
            float64 (n_images, n_classes), columns in `classes_` order, rows sum to 1.
        """
        return np.asarray(softmax(self.logits(X), axis=1))

    def predict_log_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the natural logarithm of `predict_proba`, without its underflow.

        Parameters
        ----------
        X
            (n_images, dim) rows, see `logits`.

        Returns
        -------
        ndarray
            float64 (n_images, n_classes), columns in `classes_` order.
        """
        return np.asarray(log_softmax(self.logits(X), axis=1))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the most probable class of every row.

        Parameters
        ----------
        X
            (n_images, dim) rows, see `logits`; anything that is not a NumPy array but has
            `shape`, `dtype` and slices is read chunk by chunk.

        Returns
        -------
        ndarray
            (n_images,) labels in the dtype of `classes_`.
        """
        if is_chunked(X):  # their logits may not fit into memory either
            chunks = ChunkedRows(X)
            return np.concatenate([self.predict(chunks.read(*span)) for span in chunks.spans()])
        best = self.logits(X).argmax(axis=1)  # first: an unfitted head has no classes_
        return np.asarray(self.classes_[best])

    def _validate_rows(self, X: npt.ArrayLike) -> Floats:
        shape: tuple[int, ...] = getattr(X, "shape", ())  # a list: scikit-learn checks it
        if len(shape) == 2 and shape[1] not in (0, self.n_features_in_):
            raise DimensionError(
                f"X has {shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: X is {tuple(shape)}, the head learnt "
                f"from (n_images, {self.n_features_in_}). Encode with the encoder it was fitted on."
            )
        rows: Floats = validate_data(self, X, reset=False, dtype=_FLOATS)
        return rows


class MapPredictor(Predictor):
    """Predictions of a fitted map of rows.

    Needs `_fitted_map` and `normalize` as well.
    """

    _fitted_map: FittedMap
    normalize: Normalize = "l2"

    @property
    def fitted_map(self) -> FittedMap:
        """The function that the head computes, as `save_head` writes it."""
        return self._fitted_map

    def logits(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:  # noqa: D102
        check_is_fitted(self)
        return self.fitted_map.logits(self._validate_rows(X), unit=self.normalize == "l2")


class MaybeLinear(Predictor):
    """Weights of a head that may be a linear map; `hasattr` is false for them where it is not.

    Needs `_linear` of a subclass, which raises AttributeError then.
    """

    def _linear(self) -> FittedMap:
        raise NotImplementedError

    @property
    def coef_(self) -> Floats:
        """(n_classes, dim) weights, where the head is a linear map."""
        return self._linear().coef

    @property
    def intercept_(self) -> Floats:
        """(n_classes,) bias, where the head is a linear map."""
        return self._linear().intercept


class LinearPredictor(MapPredictor):
    """Predictions of a fitted linear map.

    Needs `coef_` (n_classes, dim) and `intercept_` (n_classes,) in place of `_fitted_map`.
    """

    coef_: Floats
    intercept_: Floats

    @property
    def fitted_map(self) -> FittedMap:
        """The function that the head computes, as `save_head` writes it."""
        return FittedMap(self.coef_, self.intercept_)


class EmbeddingClassifier(ClassifierMixin, Predictor, BaseEstimator):  # type: ignore[misc]
    """Base of the estimators over embeddings: validates training and validation rows."""

    normalize: Normalize = "l2"

    def _validate_training(
        self, X: npt.ArrayLike | None, y: npt.ArrayLike | None
    ) -> tuple[Floats, Codes]:
        """Validate a training set and learn `classes_` and `n_features_in_`.

        Returns float32 or float64 rows, not normalised, and their positions in `classes_`.
        """
        self._check_normalize()
        rows, labels = validate_data(self, X, y, dtype=_FLOATS)
        return rows, self._learn_classes(labels)

    def _validate_chunked_training(
        self, X: ChunkedArray, y: npt.ArrayLike
    ) -> tuple[ChunkedRows, Codes]:
        """Validate a training set that is read chunk by chunk; its rows come normalised."""
        self._check_normalize()
        labels = column_or_1d(y, warn=True)
        check_consistent_length(X, labels)
        self.n_features_in_ = X.shape[1]
        return ChunkedRows(X, self._normalized), self._learn_classes(labels)

    def _validate_rows_or_chunks(
        self, X: npt.ArrayLike | ChunkedArray, y: npt.ArrayLike
    ) -> tuple[Floats | ChunkedRows, Codes]:
        """Validate a training set of either kind; its rows come normalised."""
        if is_chunked(X):
            return self._validate_chunked_training(X, y)
        rows, codes = self._validate_training(cast("npt.ArrayLike", X), y)
        return self._normalized(rows), codes

    def _check_normalize(self) -> None:
        if self.normalize not in ("l2", "none"):
            raise InputError(f"normalize={self.normalize!r} is unknown: use 'l2' or 'none'.")

    def _learn_classes(self, labels: npt.NDArray[Any]) -> Codes:
        with warnings.catch_warnings():  # many classes of one or two rows are no regression
            warnings.simplefilter("ignore", UserWarning)
            check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"{type(self).__name__} needs rows of at least two classes, got 1 class: "
                f"{self.classes_.tolist()[0]!r}."
            )
        return codes.astype(np.intp, copy=False)

    def _validate_validation(
        self, X_val: npt.ArrayLike | None, y_val: npt.ArrayLike | None
    ) -> tuple[Floats, Codes, Codes]:
        """Validate rows beside the training set, after `_validate_training`.

        Returns float32 or float64 rows, their positions in `classes_`, -1 for labels that were not
        trained on, and their positions among the sorted labels of `y_val` itself.
        """
        if X_val is None or y_val is None:
            raise InputError("pass X_val and y_val together, or neither.")
        rows: Floats = check_array(X_val, dtype=list(_FLOATS), input_name="X_val")
        if rows.shape[1] != self.n_features_in_:
            raise DimensionError(
                f"X_val is {rows.shape}, X has {self.n_features_in_} columns: "
                "encode both with the same encoder."
            )
        labels = np.asarray(y_val)
        check_consistent_length(rows, labels)
        names, own = np.unique(labels, return_inverse=True)
        position = {label: i for i, label in enumerate(self.classes_.tolist())}
        codes = np.array([position.get(name, -1) for name in names.tolist()], dtype=np.intp)
        return rows, codes[own], own.astype(np.intp, copy=False)

    def _normalized(self, X: Floats) -> Floats:
        return unit_rows(X) if self.normalize == "l2" else X


class LinearClassifier(LinearPredictor, EmbeddingClassifier):
    """Base of the estimators that end as a linear map."""


def row_weights(
    codes: npt.NDArray[np.intp],
    classes: npt.NDArray[Any],
    class_weight: str | Mapping[Any, float] | None,
    sample_weight: npt.ArrayLike | None,
) -> Double:
    """Return float64 (n,) weights of rows: each its own, 1 when left out, times its class's.

    `class_weight` is None, ``"balanced"`` (every class has the same sum) or label to weight, 1
    where missing; something else, or no weight at all, is an `InputError`.
    """
    weights: Double = _check_sample_weight(
        sample_weight, codes, dtype=np.float64, ensure_non_negative=True, copy=True
    )
    if isinstance(class_weight, Mapping):
        weights *= np.array([class_weight.get(c, 1.0) for c in classes.tolist()])[codes]
    elif class_weight == "balanced":
        mass = np.bincount(codes, weights, len(classes))
        weights *= (weights.sum() / len(classes) / np.where(mass > 0, mass, 1))[codes]
    elif class_weight is not None:
        raise InputError(f"class_weight={class_weight!r}: use None, 'balanced' or a mapping.")
    if not weights.sum() > 0:
        raise InputError("the weights of all rows are 0: give some row a weight.")
    return weights


def log_prior(codes: npt.NDArray[np.intp], n_classes: int) -> Double:
    """Return the log share of every class; a class without rows gets that of half a row."""
    mass = np.bincount(codes, minlength=n_classes).astype(np.float64)
    logs: Double = np.log(np.where(mass > 0, mass, 0.5) / mass.sum())
    return logs

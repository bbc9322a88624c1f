"""Fitted heads as they are stored in a file: arrays, names of the classes, temperature."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from fishembed._base.arrays import Floats
from fishembed.classifiers.base import LinearPredictor, MapPredictor, Normalize, Predictor
from fishembed.classifiers.head_function import FittedMap, FittedSum


@dataclass(eq=False, repr=False, kw_only=True)
class SavedHead(ClassifierMixin, Predictor, BaseEstimator):  # type: ignore[misc]
    """Base of the classifiers that `load_head` returns: fitted, their arrays as parameters."""

    kind: str = ""
    feature_fingerprint: str = ""
    class_names: tuple[str, ...] | None = None
    temperature: float = 1.0

    @property
    def classes_(self) -> npt.NDArray[Any]:  # type: ignore[override]
        """(n_classes,) labels, the order of the columns."""
        return np.asarray(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes; their labels as text where the head was saved without."""
        return self.class_names or tuple(map(str, self.classes_.tolist()))

    def fit(self, X: object = None, y: object = None) -> SavedHead:  # noqa: ARG002
        """Return the classifier unchanged: it is fitted.

        Parameters
        ----------
        X, y
            Ignored.
        """
        return self

    def calibrated(self) -> SavedHead:
        """Return the classifier with its logits divided by the temperature."""
        calmer: SavedHead = clone(self)
        calmer.set_params(**self._scaled(1 / self.temperature), temperature=1.0)
        return calmer

    def _scaled(self, factor: float) -> dict[str, Any]:
        """Return the parameters that make the logits `factor` times as large."""
        raise NotImplementedError

    def __sklearn_is_fitted__(self) -> bool:
        return True


class SavedMap(SavedHead, MapPredictor):
    """Base of those that are one map of rows."""

    coef: Floats
    intercept: Floats

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Width of the features."""
        return int(self.coef.shape[1])

    def _scaled(self, factor: float) -> dict[str, Any]:
        return self.fitted_map.scaled(factor).arrays()


@dataclass(eq=False, repr=False)
class LinearMap(SavedMap, LinearPredictor):
    """A fitted linear classifier, as `load_head` returns it.

    Parameters
    ----------
    coef, intercept
        (n_classes, dim) weights and (n_classes,) bias.
    classes
        (n_classes,) labels.
    kind
        Name of the estimator that learnt it.
    feature_fingerprint
        Fingerprint of the encoder whose features it was fitted on; empty where unknown.
    class_names
        Names of `classes`, in their order; None where the labels are the names.
    temperature
        Divisor of the logits in `calibrated`.
    normalize
        ``"l2"`` or ``"none"``: scaling of a row before the weights.

    Attributes
    ----------
    coef_, intercept_, classes_ : ndarray
        The parameters, under the names every head has.
    n_features_in_ : int
        dim.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import LinearMap
    >>> head = LinearMap(np.eye(2), np.zeros(2), np.array(["cod", "eel"]))
    >>> head.predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    coef: Floats
    intercept: Floats
    classes: npt.NDArray[Any]
    _: KW_ONLY
    normalize: Normalize = "l2"

    @property
    def coef_(self) -> Floats:  # type: ignore[override]
        """(n_classes, dim) weights."""
        return self.coef

    @property
    def intercept_(self) -> Floats:  # type: ignore[override]
        """(n_classes,) bias."""
        return self.intercept


@dataclass(eq=False, repr=False)
class AngularMap(SavedMap):
    """A fitted classifier of whitened directions, as `load_head` returns it.

    Parameters
    ----------
    coef, intercept
        (n_classes, dim) weights of the row itself and (n_classes,) bias.
    classes
        (n_classes,) labels.
    kind, feature_fingerprint, class_names, temperature
        As in `LinearMap`.
    whitening, whitened_centre
        (dim, rank) and (rank,): a row times the first, minus the second, scaled to length 1 is
        its direction.
    angular_coef
        (n_classes, rank) weights of the direction.
    normalize
        ``"l2"`` or ``"none"``: what is done to a row before all that.

    Attributes
    ----------
    classes_ : ndarray
        The parameter, under the name every head has.
    n_features_in_ : int
        dim.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.classifiers import AngularMap
    >>> nothing, one = np.zeros(2), np.eye(2)
    >>> names, looks = np.array(["cod", "eel"]), {"whitening": one, "angular_coef": one}
    >>> head = AngularMap(0 * one, nothing, names, whitened_centre=nothing, **looks)
    >>> head.predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    coef: Floats
    intercept: Floats
    classes: npt.NDArray[Any]
    _: KW_ONLY
    whitening: Floats
    whitened_centre: Floats
    angular_coef: Floats
    normalize: Normalize = "l2"

    @property
    def fitted_map(self) -> FittedMap:
        """The function that the head computes, as `save_head` writes it."""
        angular = self.whitening, self.whitened_centre, self.angular_coef
        return FittedMap.of_arrays(self.coef, self.intercept, *angular)


@dataclass(eq=False, repr=False)
class SummedHead(SavedHead):
    """A fitted classifier of several parts, such as nearest neighbours, as `load_head` returns it.

    Parameters
    ----------
    fitted
        The parts.
    classes
        (n_classes,) labels.
    kind, feature_fingerprint, class_names, temperature
        As in `LinearMap`.

    Attributes
    ----------
    classes_ : ndarray
        The parameter, under the name every head has.
    n_features_in_ : int
        dim.

    Examples
    --------
    >>> from fishembed.classifiers import NeighborsHead, load_head, save_head
    >>> head = NeighborsHead(1).fit([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["cod", "cod", "eel"])
    >>> type(load_head(save_head(head, "head.npz"))).__name__
    'SummedHead'
    """

    fitted: FittedSum
    classes: npt.NDArray[Any]

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Width of the features."""
        return self.fitted.dim

    @property
    def fitted_sum(self) -> FittedSum:
        """The function that the head computes, as `save_head` writes it."""
        return self.fitted

    def logits(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:  # noqa: D102
        return self.fitted.logits(self._validate_rows(X))

    def _scaled(self, factor: float) -> dict[str, Any]:
        return {"fitted": self.fitted.scaled(factor)}


def saved_head(fitted: FittedMap | FittedSum, classes: npt.NDArray[Any], **about: Any) -> SavedHead:
    """Return the classifier of a fitted map; `about` are the other parameters of `LinearMap`."""
    if isinstance(fitted, FittedSum):
        about.pop("normalize", None)  # each part has its own
        return SummedHead(fitted, classes, **about)
    kind = LinearMap if fitted.angular is None else AngularMap
    return kind(classes=classes, **fitted.arrays(), **about)

"""A fitted linear classifier as one small file, `head.npz`, that is read without pickle."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from fishembed._base.files import atomic_file
from fishembed.classifiers.base import Floats, LinearPredictor, Normalize
from fishembed.errors import DimensionError, InputError, RunFormatError

_FORMAT = "fishembed-head"
_VERSION = 1


class LinearMap(ClassifierMixin, LinearPredictor, BaseEstimator):  # type: ignore[misc]
    """A fitted linear classifier, as `load_head` returns it.

    Parameters
    ----------
    coef, intercept
        (n_classes, dim) weights and (n_classes,) bias.
    classes
        (n_classes,) labels.
    normalize
        ``"l2"`` or ``"none"``: what is done to a row before the weights.
    kind
        Name of the estimator that learnt it.
    feature_fingerprint
        Fingerprint of the encoder whose features it was fitted on; empty where unknown.
    class_names
        Names of `classes`, in their order; None where the labels are the names.
    temperature
        What `calibrated` divides the logits by.

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

    def __init__(
        self,
        coef: Floats,
        intercept: Floats,
        classes: npt.NDArray[Any],
        *,
        normalize: Normalize = "l2",
        kind: str = "",
        feature_fingerprint: str = "",
        class_names: tuple[str, ...] | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.coef = coef
        self.intercept = intercept
        self.classes = classes
        self.normalize = normalize
        self.kind = kind
        self.feature_fingerprint = feature_fingerprint
        self.class_names = class_names
        self.temperature = temperature

    @property
    def coef_(self) -> Floats:  # type: ignore[override]
        """(n_classes, dim) weights."""
        return self.coef

    @property
    def intercept_(self) -> Floats:  # type: ignore[override]
        """(n_classes,) bias."""
        return self.intercept

    @property
    def classes_(self) -> npt.NDArray[Any]:  # type: ignore[override]
        """(n_classes,) labels, the order of the columns."""
        return self.classes

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Width of the features."""
        return int(self.coef.shape[1])

    def fit(self, X: object = None, y: object = None) -> LinearMap:  # noqa: ARG002
        """Return the classifier as it is: it is fitted.

        Parameters
        ----------
        X, y
            Ignored.
        """
        return self

    def calibrated(self) -> LinearMap:
        """Return the classifier with its logits divided by the temperature."""
        scale = self.coef.dtype.type(1 / self.temperature)
        calmer: LinearMap = clone(self)
        calmer.set_params(coef=self.coef * scale, intercept=self.intercept * scale, temperature=1.0)
        return calmer

    def __sklearn_is_fitted__(self) -> bool:
        return True


def save_head(
    head: LinearPredictor,
    path: str | os.PathLike[str],
    *,
    feature_fingerprint: str = "",
    class_names: Sequence[str] | None = None,
    temperature: float | None = None,
) -> Path:
    """Write a fitted head to one file; the same head gives the same bytes.

    Parameters
    ----------
    head
        A fitted estimator that is a linear map.
    path
        The file, usually ``head.npz``; what was there is replaced in one step.
    feature_fingerprint
        Fingerprint of the encoder whose features the head was fitted on.
    class_names
        Names of ``head.classes_``, in their order.
    temperature
        What logits must be divided by for probabilities to hold, see `held_out_temperature`;
        1 when left out.

    Returns
    -------
    Path
        Where it lies.

    Raises
    ------
    DimensionError
        `class_names` has another length than ``head.classes_``.
    InputError
        The head is no linear map, or its labels are neither numbers nor strings.

    Examples
    --------
    >>> from fishembed import LogisticHead, load_head, save_head
    >>> head = LogisticHead().fit([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["cod", "cod", "eel"])
    >>> path = save_head(head, "head.npz")
    >>> load_head(path).predict([[0.8, 0.3]]).tolist()
    ['cod']
    """
    check_is_fitted(head)
    if not hasattr(head, "coef_"):
        raise InputError(f"{type(head).__name__} is no linear map: keep it with joblib.dump.")
    if class_names is not None and len(class_names) != len(head.classes_):
        raise DimensionError(
            f"{len(class_names)} class names for {len(head.classes_)} classes: pass one for each."
        )
    about = {
        "format": _FORMAT,
        "version": _VERSION,
        "kind": getattr(head, "kind", None) or type(head).__name__,
        "normalize": head.normalize,
        "feature_fingerprint": feature_fingerprint,
        "class_names": None if class_names is None else list(class_names),
        "temperature": getattr(head, "temperature", 1.0) if temperature is None else temperature,
    }
    arrays = {
        "about": np.array(json.dumps(about, sort_keys=True, ensure_ascii=False)),
        "weights": head.coef_,
        "bias": head.intercept_,
        "classes": _plain_labels(head.classes_),
    }
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return target


def _plain_labels(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    plain = np.array(classes.tolist()) if classes.dtype == object else classes
    if plain.dtype.kind not in "biufU" or plain.shape != classes.shape:
        raise InputError(f"labels of dtype {classes.dtype} cannot be saved: use int or str.")
    return plain


def load_head(path: str | os.PathLike[str]) -> LinearMap:
    """Read a head that `save_head` wrote; nothing in the file is executed.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    LinearMap
        A fitted estimator with the same predictions as the one saved.

    Raises
    ------
    RunFormatError
        The file is missing, broken, no head, or of a newer format.

    Examples
    --------
    >>> from fishembed import LogisticHead, load_head, save_head
    >>> head = LogisticHead().fit([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["cod", "cod", "eel"])
    >>> path = save_head(head, "head.npz")
    >>> load_head(path).predict([[0.8, 0.3]]).tolist()
    ['cod']
    """
    source = Path(path)
    try:
        with source.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            coef, intercept, classes = file["weights"], file["bias"], file["classes"]
    except FileNotFoundError:
        raise RunFormatError(f"{source} does not exist: name the head.npz of a run.") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise RunFormatError(
            f"{source} is not a head, or is damaged ({error}): fit again to write it anew."
        ) from error
    _check(source, about, coef, intercept, classes)
    names = about["class_names"]
    return LinearMap(
        coef,
        intercept,
        classes,
        normalize=about["normalize"],
        kind=about["kind"],
        feature_fingerprint=about["feature_fingerprint"],
        class_names=None if names is None else tuple(names),
        temperature=about.get("temperature", 1.0),
    )


def _check(source: Path, about: Any, coef: Floats, intercept: Floats, classes: Floats) -> None:
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise RunFormatError(f"{source} is not a head of fishembed: name the head.npz of a run.")
    if about.get("version") != _VERSION:
        raise RunFormatError(
            f"{source} is a head of format {about.get('version')}, this version reads {_VERSION}: "
            "update fishembed."
        )
    missing = {"kind", "normalize", "feature_fingerprint", "class_names"} - set(about)
    shapes_fit = coef.ndim == 2 and intercept.shape == classes.shape == coef.shape[:1]
    if missing or not shapes_fit or about["normalize"] not in ("l2", "none"):
        raise RunFormatError(f"{source} is a damaged head: fit again to write it anew.")

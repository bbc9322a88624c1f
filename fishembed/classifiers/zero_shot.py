"""Zero-shot and nearest-prototype classification by cosine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from fishembed._base.arrays import Floats, add_class_sums, unit_rows
from fishembed.classifiers.base import LinearClassifier
from fishembed.errors import DimensionError, InputError


def class_anchors(text_features: npt.ArrayLike) -> Floats:
    """Return one unit embedding for each class from those of its prompts.

    Parameters
    ----------
    text_features
        (n_classes, dim), or (n_classes, n_prompts, dim): then every prompt's embedding is
        scaled to length 1, averaged over the class's prompts and scaled again.

    Returns
    -------
    ndarray
        (n_classes, dim), rows of length 1; float64 where the input was, else float32.

    Raises
    ------
    DimensionError
        `text_features` has another number of axes, or an empty one.
    InputError
        A value is not finite, or a class's embedding has length 0.

    Notes
    -----
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    section 3.1.4 (ensembling over prompts in the embedding space).
    """
    raw = np.asarray(text_features)
    text: Floats = raw if raw.dtype == np.float64 else raw.astype(np.float32)
    if text.ndim not in (2, 3) or 0 in text.shape:
        raise DimensionError(
            f"text_features is {text.shape}: pass (n_classes, dim) or "
            "(n_classes, n_prompts, dim), none of them 0."
        )
    if not np.isfinite(text).all():
        raise InputError("text_features holds NaN or infinity: encode the prompts again.")
    if text.ndim == 3:
        text = unit_rows(text).mean(axis=1)
    empty = np.flatnonzero(~text.any(axis=1))
    if len(empty):
        raise InputError(f"text_features of class {empty[0]} has length 0: give it a prompt.")
    return unit_rows(text)


def matching_anchors(
    text_features: npt.ArrayLike | None, n_classes: int, dim: int
) -> Floats | None:
    """Return `class_anchors` of text that must fit a training set; None where there is none.

    Raises
    ------
    DimensionError
        It has another number of classes or another width.
    """
    if text_features is None:
        return None
    anchors = class_anchors(text_features)
    if anchors.shape != (n_classes, dim):
        raise DimensionError(
            f"text_features are {anchors.shape}, the rows have {n_classes} classes of width "
            f"{dim}: pass one text embedding for each class."
        )
    return anchors


@dataclass(eq=False, repr=False)
class ZeroShotClassifier(LinearClassifier):
    """Assign each row to the nearest text embedding by cosine.

    Without text features the anchors are the means of each class's unit rows, so that the same
    estimator is the nearest-prototype classifier.

    Parameters
    ----------
    text_features
        (n_classes, dim) or (n_classes, n_prompts, dim) numbers, any scale; see `class_anchors`.
        None (the default): the anchors are learnt from `X` and `y`.
    classes
        Labels of the rows of `text_features`, in their order. Default: 0 to n_classes - 1.
    logit_scale
        Factor on the cosine before the softmax; 100 (the default) is what the released CLIP
        models learnt.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) labels: `classes` in their order, or the sorted labels of `y`.
    coef_ : ndarray
        (n_classes, dim) anchors times `logit_scale`.
    intercept_ : ndarray
        (n_classes,) zeros.
    n_features_in_ : int
        dim.

    Notes
    -----
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    section 3.1.2; without text: Snell et al. 2017, "Prototypical Networks for Few-shot
    Learning", eq. 1, with the cosine as similarity.

    Examples
    --------
    >>> from fishembed.classifiers import ZeroShotClassifier
    >>> text = [[1.0, 0.1], [0.1, 1.0]]  # one embedding of "a photo of a ..." for each class
    >>> head = ZeroShotClassifier(text, classes=["cod", "eel"]).fit()
    >>> head.predict([[0.3, 0.9]]).tolist()
    ['eel']
    """

    text_features: npt.ArrayLike | None = None
    _: KW_ONLY
    classes: Sequence[Any] | npt.NDArray[Any] | None = None
    logit_scale: float = 100.0

    def fit(
        self, X: npt.ArrayLike | None = None, y: npt.ArrayLike | None = None
    ) -> ZeroShotClassifier:
        """Set up the anchors; nothing is learnt from `X` and `y` where there are text features.

        Parameters
        ----------
        X, y
            (n_images, dim) features and (n_images,) labels. With text features both may be left
            out; what is passed is checked against them.

        Raises
        ------
        DimensionError
            Widths of `X` and the text features differ, or `classes` has another length.
        InputError
            A label of `y` is not in `classes`, `classes` repeats one, or there is neither text
            nor `X`.
        """
        if not self.logit_scale > 0:
            raise InputError(f"logit_scale={self.logit_scale!r} must be above 0.")
        if self.text_features is None:
            anchors = self._from_images(X, y)
        else:
            anchors = self._from_text(class_anchors(self.text_features), X, y)
        self.coef_ = anchors * anchors.dtype.type(self.logit_scale)
        self.intercept_ = np.zeros(len(anchors), dtype=anchors.dtype)
        return self

    def _from_images(self, X: npt.ArrayLike | None, y: npt.ArrayLike | None) -> Floats:
        if X is None:
            raise InputError("ZeroShotClassifier has neither text_features nor X: pass one.")
        rows, codes = self._validate_training(X, y)
        sums = np.zeros((len(self.classes_), rows.shape[1]), dtype=rows.dtype)
        add_class_sums(sums, unit_rows(rows), codes)
        return unit_rows(sums)

    def _from_text(
        self, anchors: Floats, X: npt.ArrayLike | None, y: npt.ArrayLike | None
    ) -> Floats:
        self.classes_ = self._labels(len(anchors))
        self.n_features_in_ = anchors.shape[1]
        self.coef_ = anchors  # the width of X is checked against it
        if X is not None:
            self._validate_rows(X)
            validate_data(self, X, skip_check_array=True)
        if y is not None:
            strange = np.setdiff1d(np.asarray(y), self.classes_)
            if len(strange):
                raise InputError(
                    f"y holds the label {strange.tolist()[0]!r}, which has no text embedding."
                )
        return anchors

    def _labels(self, n_classes: int) -> npt.NDArray[Any]:
        labels = np.arange(n_classes) if self.classes is None else np.asarray(self.classes)
        if labels.shape != (n_classes,):
            raise DimensionError(
                f"classes is {labels.shape}, text_features has {n_classes} classes: "
                "pass one label for each."
            )
        if len(np.unique(labels)) != n_classes:
            raise InputError("classes repeats a label: each class has one text embedding.")
        return labels

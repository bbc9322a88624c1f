"""Training data of a head, its fit and its calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed.cache import FeatureKind, Store
from fishembed.errors import DataError, InputError
from fishembed.experiments.train_test_split import TrainTestSplit, row_groups

if TYPE_CHECKING:
    from fishembed.classifiers import SavedHead, ZeroShotClassifier
    from fishembed.classifiers.cross_validation import HeldOutLogits

Validate = Literal["cv", "val"]
Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TrainingData:
    """The arrays that a head is fitted to."""

    X: Features  # float32 (n, dim)
    y: Labels  # int32 (n,)
    groups: npt.NDArray[np.str_] | None  # (n,), rows without one each its own; None where none has
    val: tuple[Features, Labels] | None  # None where there are none, or they will be scored

    @classmethod
    def read(cls, store: Store, rows: TrainTestSplit, features: FeatureKind) -> TrainingData:
        """Read the training and validation rows of a store.

        Raises
        ------
        InputError
            When the training rows have one class only.
        """
        y = store.labels[rows.train]
        if len(np.unique(y)) < 2:
            raise DataError(
                f"the {len(y)} training rows of {str(store.path)!r} have one class only: a head "
                "needs two to tell apart"
            )
        val = None
        if len(rows.val) and rows.name != "val":
            val = store.embeddings(rows.val, features), store.labels[rows.val]
        return cls(store.embeddings(rows.train, features), y, row_groups(store, rows.train), val)

    def subset(self, rows: Indices) -> TrainingData:
        """Return the data of some of the training rows, without validation rows."""
        groups = None if self.groups is None else self.groups[rows]
        return TrainingData(self.X[rows], self.y[rows], groups, None)

    @property
    def classes(self) -> Labels:
        """The labels that are learnt, sorted."""
        return np.unique(self.y)


def fit_head(head: Any, data: TrainingData, validate: Validate = "cv") -> None:
    """Fit a head in place.

    A head that chooses scores its candidates on what `validate` names; the linear head watches
    the validation rows in any case.

    Raises
    ------
    InputError
        When `validate` is val and there are no rows for it, or the head chooses nothing.
    """
    from fishembed.classifiers import ChoosingHead, LinearHead

    chooses = isinstance(head, ChoosingHead)
    if validate == "val" and not chooses:
        raise InputError(f"{type(head).__name__} chooses nothing: validate is for auto and sweep")
    if validate == "val" and data.val is None:
        raise InputError(
            "there are no val rows to choose on, or they are what is scored: choose by "
            "cross-validation (cv)"
        )
    if data.val is not None and (validate == "val" or isinstance(head, LinearHead)):
        head.fit(data.X, data.y, X_val=data.val[0], y_val=data.val[1])
    elif chooses:
        head.fit(data.X, data.y, groups=data.groups)
    else:
        head.fit(data.X, data.y)


def calibrate(head: Any, data: TrainingData, logits: HeldOutLogits) -> float:
    """Return the temperature of a fitted head: on the val split, else on held-out training rows.

    Where no row could be held out it follows from the margin of the training rows. A head that
    chooses has set its own; votes of neighbours, which rule classes out, are used as they are.
    """
    from fishembed.classifiers import ChoosingHead, NeighborsHead, temperature_on
    from fishembed.classifiers.temperature import (
        rows_for_margin,
        temperature_of,
        untested_temperature,
    )

    if isinstance(head, ChoosingHead | NeighborsHead):
        return 1.0
    if data.val is not None:
        return temperature_on(head, *data.val)
    codes = np.unique(data.y, return_inverse=True)[1]
    leans_on_text = getattr(head, "text_features", None) is not None
    if len(logits.rows) or leans_on_text:
        return temperature_of(logits, codes)
    at = rows_for_margin(len(codes), len(head.classes_))
    return untested_temperature(head.logits(data.X[at]), codes[at])


def default_prompts(store: Store) -> str | None:
    """Return the prompt set that is used unless another is named; None where there is none."""
    return "single" if "single" in store.text_keys else next(iter(store.text_keys), None)


def text_classifier(
    store: Store, classes: Labels, features: FeatureKind
) -> ZeroShotClassifier | None:
    """Return the zero-shot classifier of `classes`; None where no text features fit.

    Text features lie in the joint space, so they do not fit trunk features.
    """
    from fishembed.classifiers import ZeroShotClassifier

    key = default_prompts(store)
    if key is None or store.feature_fingerprint(features) != store.encoder_fingerprint:
        return None
    text = store.text(key)
    return ZeroShotClassifier(text.features[classes], classes=classes, logit_scale=text.logit_scale)


def portable_head(
    head: Any, store: Store, features: FeatureKind, temperature: float = 1.0
) -> SavedHead:
    """Return a fitted head in the form that `predict` loads."""
    from fishembed.classifiers.saved.saved_head import saved_head

    return saved_head(
        head.fitted_map if hasattr(head, "fitted_map") else head.fitted_sum,
        head.classes_,
        normalize=head.normalize,
        kind=type(head).__name__,
        feature_fingerprint=store.feature_fingerprint(features),
        class_names=tuple(store.classes[label] for label in head.classes_),
        temperature=temperature,
    )

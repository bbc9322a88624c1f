"""Fitting a head: what it learns from, and what of it is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.csv_files import write_csv
from fishembed.cache import Store, Which
from fishembed.errors import InputError
from fishembed.reports import run as layout
from fishembed.reports.rows import Division, Indices, units
from fishembed.reports.selection import SELECTION, selection_rows

if TYPE_CHECKING:
    from fishembed.classifiers import ZeroShotClassifier

Validate = Literal["cv", "val"]
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Lesson:
    """What a head learns from.

    Attributes
    ----------
    X, y
        float32 (n, dim) vectors and int32 (n,) labels of the training rows.
    groups
        (n,) names of the groups, rows without one each its own; None where no row has one.
    val
        Vectors and labels of validation rows; None where there are none, or they are what will
        be scored.
    """

    X: Floats
    y: Labels
    groups: npt.NDArray[np.str_] | None
    val: tuple[Floats, Labels] | None

    @classmethod
    def of(cls, store: Store, division: Division, features: Which) -> Lesson:
        """Read the rows of a division.

        Raises
        ------
        InputError
            When the training rows have one class only.
        """
        y = store.labels[division.train]
        if len(np.unique(y)) < 2:
            raise InputError(
                f"the {len(y)} training rows of {str(store.path)!r} have one class only: a head "
                "needs two to tell apart"
            )
        val = None
        if len(division.val) and division.split != "val":
            val = store.vectors(division.val, features), store.labels[division.val]
        groups = units(store, division.train)
        return cls(store.vectors(division.train, features), y, groups, val)

    def only(self, rows: Indices) -> Lesson:
        """Keep some of the training rows, and no validation rows."""
        groups = None if self.groups is None else self.groups[rows]
        return Lesson(self.X[rows], self.y[rows], groups, None)

    @property
    def classes(self) -> Labels:
        """The labels that are learnt, sorted."""
        return np.unique(self.y)


def fit_head(head: Any, lesson: Lesson, validate: Validate = "cv") -> None:
    """Fit a head in place.

    Parameters
    ----------
    head
        What `make_head` built.
    lesson
        What it learns from.
    validate
        What a head that chooses judges its candidates on. The linear head watches the validation
        rows in any case.

    Raises
    ------
    InputError
        When `validate` is val and there are no rows for it, or the head chooses nothing.
    """
    from fishembed.classifiers import ChoosingHead, LinearHead

    X, y = lesson.X, lesson.y
    chooses = isinstance(head, ChoosingHead)
    if validate == "val":
        _check_validation(head, lesson, chooses=chooses)
    if lesson.val is not None and (validate == "val" or isinstance(head, LinearHead)):
        head.fit(X, y, X_val=lesson.val[0], y_val=lesson.val[1])
    elif chooses:
        head.fit(X, y, groups=lesson.groups)
    else:
        head.fit(X, y)


def _check_validation(head: Any, lesson: Lesson, *, chooses: bool) -> None:
    if not chooses:
        raise InputError(f"{type(head).__name__} chooses nothing: validate is for auto and sweep")
    if lesson.val is None:
        raise InputError(
            "there are no val rows to choose on, or they are what is scored: choose by "
            "cross-validation (cv)"
        )


def usual_prompts(store: Store) -> str | None:
    """Give the prompt set that is used unless another is named; None where there is none."""
    return "single" if "single" in store.text_keys else next(iter(store.text_keys), None)


def words_of(store: Store, classes: Labels, features: Which) -> ZeroShotClassifier | None:
    """Give the zero-shot head of the classes that are learnt; None where the vectors have none.

    Text vectors lie in the joint space, so they say nothing of trunk vectors.
    """
    from fishembed.classifiers import ZeroShotClassifier

    key = usual_prompts(store)
    if key is None or store.feature_fingerprint(features) != store.encoder_fingerprint:
        return None
    text = store.text(key)
    return ZeroShotClassifier(text.features[classes], classes=classes, logit_scale=text.logit_scale)


def calibrate(head: Any, lesson: Lesson, seed: int) -> float:
    """Give the temperature of a fitted head: on the val split, else on held-out training rows.

    A head that chooses has set its own.
    """
    from fishembed.classifiers import ChoosingHead, held_out_temperature, temperature_on

    if isinstance(head, ChoosingHead):
        return 1.0
    if lesson.val is not None:
        return temperature_on(head, *lesson.val)
    return held_out_temperature(head, lesson.X, lesson.y, lesson.groups, random_state=seed)


def keep_linear_map(
    folder: Path, head: Any, store: Store, features: Which, temperature: float = 1.0
) -> None:
    """Write a fitted linear map as `head.npz`, which `predict` reads."""
    from fishembed.classifiers import save_head

    save_head(
        head,
        folder / layout.HEAD_NPZ,
        feature_fingerprint=store.feature_fingerprint(features),
        class_names=[store.classes[label] for label in head.classes_],
        temperature=temperature,
    )


def write_head(
    folder: Path, head: Any, store: Store, features: Which, temperature: float = 1.0
) -> None:
    """Write a fitted head into a run folder, and how it came to be.

    A head that is no linear map is kept as estimator only.
    """
    import joblib

    if hasattr(head, "coef_"):
        keep_linear_map(folder, head, store, features, temperature)
    joblib.dump(head, folder / layout.HEAD_JOBLIB)
    epochs = [asdict(epoch) for epoch in getattr(head, "history_", ())]
    if epochs:
        rows = [list(epoch.values()) for epoch in epochs]
        write_csv(folder / layout.HISTORY_CSV, list(epochs[0]), rows)
    trials = selection_rows(getattr(head, "results_", ()))
    if trials:
        rows = [[row[column] for column in SELECTION] for row in trials]
        write_csv(folder / layout.SELECTION_CSV, SELECTION, rows)

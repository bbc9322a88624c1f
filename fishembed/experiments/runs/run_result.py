"""The result of an experiment: arrays and metrics in memory, each derived quantity once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, Ints
from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed._base.text import printable, unknown_column
from fishembed.errors import InputError
from fishembed.evaluation.by_value import ValueScore, score_by_value
from fishembed.evaluation.confidence import (
    Acceptance,
    Reliability,
    TopK,
    acceptance,
    reliability,
    top_k_accuracy,
)
from fishembed.evaluation.confusion_counts import (
    confusion_counts,
    mixup_order,
    most_often_called_instead,
)
from fishembed.evaluation.intervals import proportion_intervals
from fishembed.evaluation.scores import score_table

if TYPE_CHECKING:
    from fishembed.classifiers import SavedHead
    from fishembed.evaluation.confusion_counts import Counts
    from fishembed.experiments.held_out import HeldOut

Row = Mapping[str, Any]

TOP_K = 5
"""Classes that a run names for each image."""


@dataclass(frozen=True, eq=False)
class ClassTable:
    """Counts and metrics of each class; all arrays (n_classes,), in the store's order.

    Classes that were neither learnt, nor scored, nor predicted are left out.

    Attributes
    ----------
    raw_names
        The classes' names as the store has them.
    n_train
        Training images; NaN where nothing was trained (zero-shot).
    n, correct, predicted
        Scored images of the class, those of them predicted correctly, and images predicted as it.
    recall, low, high
        Recall with its interval, between 0 and 1; NaN for classes without scored images.
    precision, f1
        Between 0 and 1; NaN where the run names none.
    """

    raw_names: tuple[str, ...]
    n_train: Double
    n: Ints
    correct: Ints
    predicted: Ints
    recall: Double
    low: Double
    high: Double
    precision: Double
    f1: Double

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The classes' names as they may be shown."""
        return tuple(map(printable, self.raw_names))

    @property
    def scored(self) -> npt.NDArray[np.intp]:
        """Indices of the classes that have scored images."""
        return np.flatnonzero(self.n > 0)

    @property
    def by_recall(self) -> npt.NDArray[np.intp]:
        """Indices of the scored classes, best recall first, larger classes first among equals."""
        at = self.scored
        return at[np.lexsort((-self.n[at], -self.recall[at]))]

    @property
    def worst_first(self) -> npt.NDArray[np.intp]:
        """Indices of the scored classes, least recall first, larger classes first among equals."""
        at = self.scored
        return at[np.lexsort((-self.n[at], self.recall[at]))]

    @property
    def trained_and_scored(self) -> npt.NDArray[np.intp]:
        """Indices of the scored classes whose number of training images is known."""
        return np.flatnonzero((self.n > 0) & ~np.isnan(self.n_train))


@dataclass(frozen=True, eq=False)
class ScoredImages:
    """Prediction of each scored image; all arrays (n_images, …).

    Attributes
    ----------
    paths
        As the store has them.
    class_names
        What `true`, `predicted` and `top` are indices into: the names of the `ClassTable`, and
        after them those that occur among the most probable classes only.
    true, predicted
        int64 indices; -1 for images without a label.
    confidence
        The head's probability of `predicted`; NaN where the run names none.
    top, top_probabilities
        (n_images, k), the k most probable classes, most probable first, and their probabilities;
        k is at most `TOP_K`; -1 where the run names none.
    group_names
        Of images that are not independent of each other, such as frames of one fish; "" for none.
    metadata
        Columns of the store as text; empty in a result that was read from a folder.
    """

    paths: tuple[str, ...]
    class_names: tuple[str, ...]
    true: Ints
    predicted: Ints
    confidence: Double
    top: Ints
    top_probabilities: Double
    group_names: tuple[str, ...]
    metadata: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Whether each image has a label."""
        return self.true >= 0

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each image was predicted correctly."""
        return np.equal(self.true, self.predicted)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Whether each image has a label and was predicted as another class."""
        return np.logical_and(self.labelled & (self.predicted >= 0), ~self.right)

    @cached_property
    def rank(self) -> Ints:
        """Place of the true class among the most probable, 0 the first; `TOP_K` for lower."""
        found = (self.top == self.true[:, None]) & self.labelled[:, None]
        place = found.argmax(axis=1) if found.shape[1] else 0
        return np.where(found.any(axis=1), place, TOP_K)

    @cached_property
    def groups(self) -> Ints | None:
        """The number of each image's group; None where no image has one."""
        return group_numbers(self.group_names)

    def groups_of(self, at: npt.NDArray[Any]) -> Ints | None:
        """Return the groups of some images; None where no image has one."""
        return None if self.groups is None else self.groups[at]


def about_run(info: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return a title of head, store and split, such as "auto on fish, test"."""
    store = (info.get("store") or {}).get("name") or "a store"
    return f"{info.get('head') or 'zero-shot'} on {store}, {metrics.get('scored_split', '')}"


@dataclass(frozen=True, eq=False, repr=False)
class RunResult(PrintsAsTable):
    """Result of an experiment: made by `fit` and `score_zeroshot`, read by `Run.load`.

    Attributes
    ----------
    info
        Content of `run.json`: kind, head, parameters, store, encoder, versions, seed, seconds.
    metrics
        Content of `metrics.json`: the scores, see `fishembed.Scores.as_dict`, the scored split and
        the number of images in each split.
    classes, images
        Metrics of each class, and the prediction of each scored image.
    epochs
        One row for each epoch, for heads that train by epochs.
    few_shot
        One row for each training set of few images, where a learning curve was asked for.
    estimator
        The fitted head; None in a result that was read from a folder, or zero-shot.
    head
        The fitted head as `predict` reads it from `head.npz`; None where the result was read from
        a folder.
    held_out
        Scores of training images by clones of the head that were not fitted to them; None where
        nothing was learnt, or the result was read from a folder.
    """

    info: Mapping[str, Any]
    metrics: Mapping[str, Any]
    classes: ClassTable
    images: ScoredImages
    epochs: tuple[Row, ...] = ()
    few_shot: tuple[Row, ...] = ()
    estimator: Any = None
    head: SavedHead | None = None
    held_out: HeldOut | None = None

    def _short_table(self) -> ShortTable:
        return score_table(about_run(self.info, self.metrics), self.metrics)

    @property
    def scored_split(self) -> str:
        """Which images were scored: train, val, test, all or holdout."""
        return str(self.metrics.get("scored_split", ""))

    @property
    def selection(self) -> Sequence[Row]:
        """Candidates that the head was chosen from, the chosen one first; empty for no choice."""
        return self.info.get("selection") or ()

    @cached_property
    def history(self) -> dict[str, Double]:
        """Columns of `epochs`, float64 (n_epochs,), without those that hold no number."""
        columns = self.epochs[0] if self.epochs else ()
        arrays = {c: np.array([row[c] for row in self.epochs], np.float64) for c in columns}
        return {name: values for name, values in arrays.items() if not np.isnan(values).all()}

    def by(self, column: str) -> list[ValueScore]:
        """Score the images of each value of a metadata column, or of `group`, the worst first.

        Raises
        ------
        InputError
            When there is no such column; a result read from a folder has `group` only, see
            `fishembed.experiments.field_questions.answer_field_questions`.
        """
        columns = {"group": self.images.group_names, **self.images.metadata}
        if column not in columns:
            raise InputError(f"the run has {unknown_column(column, columns)}")
        images, at = self.images, np.flatnonzero(self.images.labelled)
        values = [columns[column][i] for i in at.tolist()]
        return score_by_value(values, images.true[at], images.right[at], images.groups_of(at))

    @cached_property
    def confusion(self) -> Counts:
        """Counts of images by true class (rows) and predicted class (columns)."""
        return confusion_counts(self.images.true, self.images.predicted, len(self.classes.n))

    @cached_property
    def mixup_order(self) -> npt.NDArray[np.intp]:
        """Order of the classes that occur, with those often confused side by side."""
        return mixup_order(self.confusion)

    @cached_property
    def called_instead(self) -> list[tuple[int, int] | None]:
        """Class that each was most often mistaken for, and how often; None where never."""
        return most_often_called_instead(self.confusion)

    @cached_property
    def reliability(self) -> Reliability | None:
        """Confidence against accuracy; None where the run names no confidence."""
        images = self.images
        return reliability(images.confidence, images.right, images.labelled, images.groups)

    @cached_property
    def acceptance(self) -> Acceptance | None:
        """Shares accepted and right by confidence; None where the run names no confidence."""
        images = self.images
        return acceptance(images.confidence, images.right, images.labelled, images.groups)

    @cached_property
    def precision_intervals(self) -> Double:
        """Interval of each class's precision, (n_classes, 2); (0, 1) where never predicted."""
        images = self.images
        at = images.labelled & (images.predicted >= 0)
        groups, n = images.groups_of(at), len(self.classes.n)
        return proportion_intervals(images.right[at], groups, images.predicted[at], n)

    @cached_property
    def top_k(self) -> list[TopK]:
        """How often the truth is among the k most probable classes."""
        images, at = self.images, self.images.labelled
        return top_k_accuracy(images.rank[at], images.top.shape[1], images.groups_of(at))


def group_numbers(groups: Sequence[str]) -> Ints | None:
    """Return each row's group as a number, rows without one their own; None where none has one."""
    if not any(groups):
        return None
    known = {name: i for i, name in enumerate(dict.fromkeys(filter(None, groups)))}
    numbers = [known[name] if name else len(known) + i for i, name in enumerate(groups)]
    return np.array(numbers, dtype=np.int64)

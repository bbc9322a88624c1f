"""From probabilities to scores, in all and by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed.errors import DimensionError, InputError
from fishembed.evaluation.intervals import Interval, bootstrap_macro_recall, wilson_of_rows

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class ClassScore:
    """How one class fared.

    Attributes
    ----------
    name
        The class's name, or its label as text.
    n, correct, predicted
        Rows of this class, those called right, and rows called this class.
    recall_ci95
        Wilson interval of the recall, by group where groups were given.
    """

    name: str
    n: int
    correct: int
    predicted: int
    recall_ci95: Interval

    @property
    def recall(self) -> float:
        """Share of this class's rows that were called right; NaN without rows."""
        return self.correct / self.n if self.n else float("nan")

    @property
    def precision(self) -> float:
        """Share of the rows called this class that are; 0 when none was."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.correct / (self.n + self.predicted) if self.n + self.predicted else 0.0


@dataclass(frozen=True)
class Scores:
    """What a classifier reached on labelled rows.

    Macro scores average over the classes that have rows, each class counting the same.

    Attributes
    ----------
    n
        Scored rows.
    accuracy, accuracy_ci95
        Share of rows called right, with its Wilson interval, by group where groups were given.
    top5_accuracy
        Share of rows whose class is among the five most probable.
    macro_recall_ci95
        Stratified bootstrap interval, by group where groups were given.
    log_loss
        Mean of -log p(true class), in nats; p is clipped to float64's epsilon.
    classes
        One `ClassScore` for each class that has rows or was predicted.
    n_groups
        Groups of the rows; None where none were given.
    """

    n: int
    accuracy: float
    accuracy_ci95: Interval
    top5_accuracy: float
    macro_recall_ci95: Interval
    log_loss: float
    classes: tuple[ClassScore, ...]
    n_groups: int | None = None

    @property
    def present(self) -> tuple[ClassScore, ...]:
        """The classes that have rows."""
        return tuple(c for c in self.classes if c.n)

    @property
    def macro_recall(self) -> float:
        """Mean recall of the classes that have rows (scikit-learn's balanced accuracy)."""
        return float(np.mean([c.recall for c in self.present]))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have rows."""
        return float(np.mean([c.f1 for c in self.present]))

    @property
    def zero_recall_classes(self) -> tuple[str, ...]:
        """Names of the classes that have rows of which none was called right."""
        return tuple(c.name for c in self.present if not c.correct)

    def as_dict(self) -> dict[str, object]:
        """Give the scores under the names of `metrics.json`, without the classes."""
        return {
            "n": self.n,
            "n_groups": self.n_groups,
            "accuracy": self.accuracy,
            "accuracy_ci95": list(self.accuracy_ci95),
            "top5_accuracy": self.top5_accuracy,
            "macro_recall": self.macro_recall,
            "macro_recall_ci95": list(self.macro_recall_ci95),
            "macro_f1": self.macro_f1,
            "log_loss": self.log_loss,
            "n_classes": len(self.present),
            "zero_recall_classes": list(self.zero_recall_classes),
        }


def score(
    y_true: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    labels: npt.ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Scores:
    """Score probabilities against the true classes.

    Parameters
    ----------
    y_true
        (n,) true label of each row. A label without a column is never called right.
    probabilities
        (n, n_columns) float; the largest of a row is its prediction, the first of equals.
    labels
        (n_columns,) the label of each column, a head's `classes_`; 0, 1, 2 … when left out.
    class_names
        Names to show, indexed by integer label; the labels themselves when left out.
    groups
        (n,) units whose rows are not independent, for the intervals.
    seed
        Seed of the bootstrap.

    Returns
    -------
    Scores

    Raises
    ------
    DimensionError
        When the shapes do not fit together.
    InputError
        When there is no row to score, or a probability is not finite.

    Examples
    --------
    >>> scores = score(["cod", "cod", "eel"], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]],
    ...                labels=["cod", "eel"])
    >>> round(scores.accuracy, 3), scores.macro_recall, scores.zero_recall_classes
    (0.667, 0.75, ())
    """
    y, p = np.asarray(y_true), np.asarray(probabilities)
    columns = np.arange(p.shape[-1]) if labels is None else np.asarray(labels)
    _check(y, p, columns)
    every = np.union1d(columns, y)
    truth, column = np.searchsorted(every, y), np.searchsorted(every, columns)
    own = np.full(len(every), -1)
    own[column] = np.arange(len(columns))
    rank, p_true = _rank_of_truth(p, own[truth])
    hits = rank == 0
    predicted = column[p.argmax(axis=1)]
    return Scores(
        n=len(y),
        accuracy=float(hits.mean()),
        accuracy_ci95=_pair(wilson_of_rows(hits, groups)[0]),
        top5_accuracy=float((rank < 5).mean()),
        macro_recall_ci95=bootstrap_macro_recall(truth, hits, groups, seed=seed),
        log_loss=float(-np.log(np.clip(p_true, np.finfo(float).eps, 1)).mean()),
        classes=_class_scores(every, truth, predicted, class_names, groups),
        n_groups=None if groups is None else len(np.unique(groups)),
    )


def _check(
    y: npt.NDArray[np.generic], p: npt.NDArray[np.generic], columns: npt.NDArray[np.generic]
) -> None:
    if p.ndim != 2 or y.shape != p.shape[:1] or columns.shape != p.shape[1:]:
        raise DimensionError(
            f"y_true {y.shape}, probabilities {p.shape} and labels {columns.shape} do not fit; "
            "give (n,), (n, n_columns) and (n_columns,)"
        )
    if not len(y):
        raise InputError("there is no labelled row to score")
    if not np.isfinite(p).all():
        raise InputError("a probability is not finite; look for a head that did not converge")


def _rank_of_truth(
    p: npt.NDArray[np.generic], own: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Give how many columns beat the true one (many where it has none), and its probability."""
    rank = np.full(len(p), p.shape[1] + 5)
    p_true = np.zeros(len(p))
    index = np.arange(p.shape[1])
    for start in range(0, len(p), _ROWS_AT_ONCE):
        rows = start + np.flatnonzero(own[start : start + _ROWS_AT_ONCE] >= 0)
        block = np.asarray(p[rows], dtype=float)
        mine = own[rows][:, None]
        value = np.take_along_axis(block, mine, axis=1)
        rank[rows] = ((block > value) | ((block == value) & (index < mine))).sum(axis=1)
        p_true[rows] = value[:, 0]
    return rank, p_true


def _class_scores(
    every: npt.NDArray[np.generic],
    truth: npt.NDArray[np.intp],
    predicted: npt.NDArray[np.intp],
    names: Sequence[str] | None,
    groups: npt.ArrayLike | None,
) -> tuple[ClassScore, ...]:
    n = np.bincount(truth, minlength=len(every))
    called = np.bincount(predicted, minlength=len(every))
    correct = np.bincount(truth[truth == predicted], minlength=len(every))
    ends = wilson_of_rows(truth == predicted, groups, truth, len(every))
    return tuple(
        ClassScore(
            name=str(label) if names is None else str(names[int(label)]),
            n=int(n[i]),
            correct=int(correct[i]),
            predicted=int(called[i]),
            recall_ci95=_pair(ends[i]),
        )
        for i, label in enumerate(every)
        if n[i] or called[i]
    )


def _pair(ends: npt.NDArray[np.float64]) -> Interval:
    return float(ends[0]), float(ends[1])

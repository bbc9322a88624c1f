"""Scores of probabilities, in all and by class, and as a short table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed._base.text import counted, listed
from fishembed.errors import DataError, DimensionError, InputError
from fishembed.evaluation.intervals import (
    Interval,
    macro_recall_interval,
    proportion_interval,
    proportion_intervals,
)

_ROWS_AT_ONCE = 4096
_VALUES_AT_ONCE = 1 << 22
_NAMED = 3


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class.

    Attributes
    ----------
    name
        The class's name, or its label as text.
    n, correct, predicted
        Rows of this class, those classified correctly, and rows predicted as this class.
    recall_ci95, precision_ci95
        Intervals of the recall and of the precision, by group where rows are grouped.
    """

    name: str
    n: int
    correct: int
    predicted: int
    recall_ci95: Interval
    precision_ci95: Interval = (0.0, 1.0)

    @property
    def recall(self) -> float:
        """Share of this class's rows that were classified correctly; NaN without rows."""
        return self.correct / self.n if self.n else float("nan")

    @property
    def precision(self) -> float:
        """Share of the rows predicted as this class that are; 0 when none was."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.correct / (self.n + self.predicted) if self.n + self.predicted else 0.0


@dataclass(frozen=True, repr=False)
class Scores(PrintsAsTable):
    """Scores of a classifier on labelled rows.

    Macro scores average over the classes that have rows, each class counting the same.

    Attributes
    ----------
    n
        Scored rows.
    accuracy, accuracy_ci95
        Share of rows classified correctly, with its interval, by group where rows are grouped.
    top5_accuracy
        Share of rows whose class is among the five most probable.
    macro_recall_ci95
        Interval of macro recall, by group where rows are grouped.
    log_loss
        Mean of -log p(true class), in nats; p is clipped to float64's epsilon.
    classes
        One `ClassScore` for each class that has rows or was predicted.
    majority_class, majority_accuracy
        The most frequent class of `baseline`, and the accuracy of predicting it for every row.
    unscored_classes
        Names of the classes that have a column but no row: macro scores leave them out.
    n_groups
        Groups of the rows; None where rows are not grouped.
    """

    n: int
    accuracy: float
    accuracy_ci95: Interval
    top5_accuracy: float
    macro_recall_ci95: Interval
    log_loss: float
    classes: tuple[ClassScore, ...]
    majority_class: str = ""
    majority_accuracy: float = 0.0
    unscored_classes: tuple[str, ...] = ()
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
    def majority_macro_recall(self) -> float:
        """Macro recall of always guessing `majority_class`."""
        return float(np.mean([c.name == self.majority_class for c in self.present]))

    @property
    def zero_recall_classes(self) -> tuple[str, ...]:
        """Names of the classes that have rows of which none was classified correctly."""
        return tuple(c.name for c in self.present if not c.correct)

    @property
    def worst_recall(self) -> ClassScore:
        """The class whose recall is most surely low: the least upper end of the interval."""
        return min(self.present, key=lambda c: (c.recall_ci95[1], c.recall))

    @property
    def worst_precision(self) -> ClassScore:
        """The predicted class that is most surely a false alarm: the least upper end."""
        predicted = [c for c in self.classes if c.predicted]
        return min(predicted, key=lambda c: (c.precision_ci95[1], c.precision))

    def _short_table(self) -> ShortTable:
        return score_table("scores", self.as_dict())

    def as_dict(self) -> dict[str, object]:
        """Return the scores under the names of `metrics.json`, without the classes."""
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
            "worst_recall": _metric_of(self.worst_recall, "recall", "n"),
            "worst_precision": _metric_of(self.worst_precision, "precision", "predicted"),
            "majority_class": self.majority_class,
            "majority_accuracy": self.majority_accuracy,
            "majority_macro_recall": self.majority_macro_recall,
            "unscored_classes": list(self.unscored_classes),
        }


def _metric_of(scores: ClassScore, metric: str, n: str) -> dict[str, object]:
    """Return one metric of a class, with its interval and the two counts that it is of."""
    return {
        "class": scores.name,
        metric: getattr(scores, metric),
        f"{metric}_ci95": list(getattr(scores, f"{metric}_ci95")),
        "correct": scores.correct,
        n: getattr(scores, n),
    }


def score(
    y_true: npt.ArrayLike,
    probabilities: npt.ArrayLike | RowBlocks,
    *,
    labels: npt.ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    baseline: npt.ArrayLike | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Scores:
    """Score probabilities against the true classes.

    Parameters
    ----------
    y_true
        (n,) true label of each row. A label without a column is never classified correctly.
    probabilities
        (n, n_columns) float; the largest of a row is its prediction, the first of equals.
    labels
        (n_columns,) the label of each column, a head's `classes_`; 0, 1, 2 … when left out.
    class_names
        Names to show, indexed by integer label; the labels themselves when left out.
    groups
        (n,) groups whose rows are not independent, for the intervals.
    baseline
        Labels, usually those of the training rows, whose commonest is `Scores.majority_class`;
        `y_true` when left out.
    seed
        Ignored: the intervals are no longer drawn at random.

    Returns
    -------
    Scores

    Raises
    ------
    DimensionError
        When the shapes do not fit together.
    InputError
        When there is no row to score, a probability is not finite, or no row has a label of any
        column.

    Examples
    --------
    >>> scores = score(["cod", "cod", "eel"], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]],
    ...                labels=["cod", "eel"])
    >>> round(scores.accuracy, 3), scores.macro_recall, scores.zero_recall_classes
    (0.667, 0.75, ())
    >>> scores.worst_precision.name, scores.majority_class, round(scores.majority_accuracy, 3)
    ('eel', 'cod', 0.667)
    """
    y = _plain(y_true)
    p = probabilities if isinstance(probabilities, RowBlocks) else np.asarray(probabilities)
    columns = np.arange(p.shape[-1]) if labels is None else _plain(labels)
    _check(y, p, columns)
    every = np.union1d(columns, y)
    truth, column = np.searchsorted(every, y), np.searchsorted(every, columns)
    own = np.full(len(every), -1)
    own[column] = np.arange(len(columns))
    rank, p_true, predicted = _rank_of_truth(p, own[truth])
    hits = rank == 0
    names = _names(every, class_names)
    values, counts = np.unique(y if baseline is None else baseline, return_counts=True)
    majority = values[counts.argmax()]
    return Scores(
        n=len(y),
        accuracy=float(hits.mean()),
        accuracy_ci95=proportion_interval(hits, groups),
        top5_accuracy=float((rank < 5).mean()),
        macro_recall_ci95=macro_recall_interval(truth, hits, groups),
        log_loss=float(-np.log(np.clip(p_true, np.finfo(float).eps, 1)).mean()),
        classes=_class_scores(names, truth, column[predicted], groups),
        majority_class=_names(np.array([majority]), class_names)[0],
        majority_accuracy=float((y == majority).mean()),
        unscored_classes=tuple(names[i] for i in np.setdiff1d(column, truth)),
        n_groups=None if groups is None else len(np.unique(groups)),
    )


class RowBlocks(ABC):
    """Probabilities (n, n_columns) that are computed when rows are asked for, in order, once."""

    shape: tuple[int, int]
    ndim = 2

    @abstractmethod
    def __getitem__(self, rows: slice) -> npt.NDArray[Any]: ...


def _plain(labels: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(labels)
    return np.array(array.tolist()) if array.dtype == object else array


def _check(y: npt.NDArray[Any], p: npt.NDArray[Any] | RowBlocks, columns: npt.NDArray[Any]) -> None:
    if p.ndim != 2 or y.shape != p.shape[:1] or columns.shape != p.shape[1:]:
        raise DimensionError(
            f"y_true {y.shape}, probabilities {p.shape} and labels {columns.shape} do not fit; "
            "give (n,), (n, n_columns) and (n_columns,)"
        )
    if not len(y):
        raise DataError("there is no labelled row to score")
    text = [array.dtype.kind in "US" for array in (y, columns)]
    if text[0] != text[1] or not np.isin(y, columns).any():
        raise InputError(
            f"no row has the label of a column: y_true holds {y[0]!r}, labels {columns[0]!r}; "
            "pass the head's classes_ as labels"
        )


def _rank_of_truth(
    p: npt.NDArray[Any] | RowBlocks, own: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return the rank of the true column, its probability, and the most probable column.

    The rank is how many columns beat it; many where there is none.
    """
    n, k = p.shape
    rank, p_true, predicted = np.full(n, k + 5), np.zeros(n), np.zeros(n, np.intp)
    index = np.arange(k)
    at_once = max(1, min(_ROWS_AT_ONCE, _VALUES_AT_ONCE // max(1, k)))
    for start in range(0, n, at_once):
        stop = min(start + at_once, n)
        block = np.asarray(p[start:stop], dtype=float)
        if not np.isfinite(block).all():
            raise InputError("a probability is not finite; look for a head that did not converge")
        predicted[start:stop] = block.argmax(axis=1)
        known = np.flatnonzero(own[start:stop] >= 0)
        rows, block = start + known, block[known]
        mine = own[rows][:, None]
        value = np.take_along_axis(block, mine, axis=1)
        rank[rows] = ((block > value) | ((block == value) & (index < mine))).sum(axis=1)
        p_true[rows] = value[:, 0]
    return rank, p_true, predicted


def _names(labels: npt.NDArray[Any], class_names: Sequence[str] | None) -> list[str]:
    if class_names is None:
        return [str(label) for label in labels]
    return [str(class_names[int(label)]) for label in labels]


def _class_scores(
    names: list[str],
    truth: npt.NDArray[np.intp],
    predicted: npt.NDArray[np.intp],
    groups: npt.ArrayLike | None,
) -> tuple[ClassScore, ...]:
    k, hits = len(names), truth == predicted
    n, called = np.bincount(truth, minlength=k), np.bincount(predicted, minlength=k)
    correct = np.bincount(truth[hits], minlength=k)
    recalls, precisions = (
        [(low, high) for low, high in proportion_intervals(hits, groups, column, k).tolist()]
        for column in (truth, predicted)
    )
    columns = names, n.tolist(), correct.tolist(), called.tolist(), recalls, precisions
    rows = (ClassScore(*row) for row in zip(*columns, strict=True))
    return tuple(row for row in rows if row.n or row.predicted)


def score_table(title: str, metrics: Mapping[str, Any]) -> ShortTable:
    """Return a short table of `Scores.as_dict` or the content of `metrics.json`, under a title."""
    n, groups = int(metrics.get("n") or 0), metrics.get("n_groups")
    images = counted(n, "image") + (f" in {counted(groups, 'group')}" if groups else "")
    if not n:
        return ShortTable(f"{title}: nothing was scored", [], [])
    zero = list(metrics.get("zero_recall_classes") or ())
    more = f" and {len(zero) - _NAMED:,} more" if len(zero) > _NAMED else ""
    rows = [
        ["right", *_share(metrics, "accuracy")],
        ["average over classes (macro recall)", *_share(metrics, "macro_recall")],
        ["classes never recognised", f"{len(zero):,} of {metrics.get('n_classes', 0):,}", "", ""],
    ]
    if zero:
        rows.append([f"  {listed(zero[:_NAMED])}{more}", "", "", ""])
    for key, share, text in (
        ("worst_recall", "recall", "found least: "),
        ("worst_precision", "precision", "false alarm most: "),
    ):
        if worst := metrics.get(key):
            rows.append([f"{text}{worst['class']}", *_interval(worst, share), ""])
    guess = f"always guessing {metrics['majority_class']}" if metrics.get("majority_class") else ""
    return ShortTable(f"{title}: {images}", ["", "%", "95% interval", guess], rows)


def _share(metrics: Mapping[str, Any], key: str) -> tuple[str, str, str]:
    by_guess = metrics.get(f"majority_{key}")
    return *_interval(metrics, key), "" if by_guess is None else f"{100 * float(by_guess):.1f}"


def _interval(metrics: Mapping[str, Any], key: str) -> tuple[str, str]:
    low, high = metrics.get(f"{key}_ci95") or (float("nan"), float("nan"))
    inside = f"{100 * low:.1f} to {100 * high:.1f}" if low == low else ""  # noqa: PLR0124 - NaN
    return f"{100 * float(metrics.get(key, float('nan'))):.1f}", inside

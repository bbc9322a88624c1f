"""A run's tables as arrays, ready to be counted and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed.errors import RunFormatError
from fishembed.reports.names import printable
from fishembed.reports.run import HISTORY_CSV, PER_CLASS_CSV, PREDICTIONS_CSV, TOP_K, Run

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = Sequence[dict[str, str]]


@dataclass(frozen=True)
class ClassTable:
    """How each class fared; all arrays (n_classes,), in the store's order.

    Attributes
    ----------
    names
        The classes' names as they may be shown.
    n_train
        Training images; NaN where nothing was trained (zero-shot).
    n, correct, predicted
        Scored images of the class, those called right, and images called this class.
    recall, low, high
        Recall with its interval, between 0 and 1; NaN for classes without scored images.
    precision, f1
        Between 0 and 1; NaN where the run names none.
    """

    names: tuple[str, ...]
    n_train: Floats
    n: Ints
    correct: Ints
    predicted: Ints
    recall: Floats
    low: Floats
    high: Floats
    precision: Floats
    f1: Floats

    @property
    def scored(self) -> npt.NDArray[np.intp]:
        """Indices of the classes that have scored images."""
        return np.flatnonzero(self.n > 0)

    @property
    def by_recall(self) -> npt.NDArray[np.intp]:
        """Indices of the scored classes, best recall first, larger classes first among equals."""
        at = self.scored
        return at[np.lexsort((-self.n[at], -self.recall[at]))]


@dataclass(frozen=True)
class Predictions:
    """What each scored image was called; all arrays (n_images,).

    Attributes
    ----------
    paths
        As the run names them.
    true, called
        Indices into `ClassTable.names`; `true` is -1 for images without a label.
    confidence
        The head's probability of `called`; NaN where the run names none.
    rank
        Place of the true class among the five most probable, 0 the first; 5 for lower.
    groups
        int64 (n_images,), the unit of images that are not independent of each other, such as
        frames of one fish; None where the run names no groups.
    """

    paths: tuple[str, ...]
    true: Ints
    called: Ints
    confidence: Floats
    rank: Ints
    groups: Ints | None = None

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Whether each image has a label."""
        return self.true >= 0

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each image was called what it is."""
        return np.equal(self.true, self.called)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Whether each image has a label and was called something else."""
        return np.logical_and(self.labelled & (self.called >= 0), ~self.right)


@dataclass(frozen=True)
class Outcome:
    """A run's tables.

    Attributes
    ----------
    classes, predictions
        One row for each class, one for each scored image.
    history
        Columns of `history.csv` by name, float64 (n_epochs,); empty without epochs.
    top_k
        How many of the most probable classes the run names for each image.
    """

    classes: ClassTable
    predictions: Predictions
    history: dict[str, Floats]
    top_k: int


def read_outcome(run: Run) -> Outcome:
    """Read a run's tables into arrays.

    Raises
    ------
    RunFormatError
        When a table is missing, lacks a column, or holds text where a number belongs.
    """
    raw = _texts(run.per_class, "class", PER_CLASS_CSV)
    rows = run.predictions
    true = _texts(rows, "true", PREDICTIONS_CSV)
    called = _texts(rows, "predicted", PREDICTIONS_CSV)
    extra = sorted({*true, *called} - {*raw, ""})
    index = {name: i for i, name in enumerate([*raw, *extra])}
    return Outcome(
        classes=_class_table(run, raw, extra),
        predictions=Predictions(
            paths=tuple(_texts(rows, "path", PREDICTIONS_CSV)),
            true=np.array([index.get(name, -1) for name in true], dtype=np.int64),
            called=np.array([index.get(name, -1) for name in called], dtype=np.int64),
            confidence=_numbers(rows, "confidence", PREDICTIONS_CSV),
            rank=_ranks(rows),
            groups=unit_numbers([row.get("group") or "" for row in rows]),
        ),
        history=_history(run),
        top_k=_named_ranks(rows),
    )


def unit_numbers(groups: Sequence[str]) -> Ints | None:
    """Give each row its group's number, rows without one their own; None where no row has one."""
    if not any(groups):
        return None
    known = {name: i for i, name in enumerate(dict.fromkeys(filter(None, groups)))}
    numbers = [known[name] if name else len(known) + i for i, name in enumerate(groups)]
    return np.array(numbers, dtype=np.int64)


def _class_table(run: Run, raw: list[str], extra: list[str]) -> ClassTable:
    def floats(name: str) -> Floats:
        filler = np.full(len(extra), np.nan)
        return np.concatenate([_numbers(run.per_class, name, PER_CLASS_CSV), filler])

    def counts(name: str) -> Ints:
        return np.nan_to_num(floats(name)).astype(np.int64)

    return ClassTable(
        names=tuple(printable(name) for name in [*raw, *extra]),
        n_train=floats("n_train"),
        n=counts("n"),
        correct=counts("correct"),
        predicted=counts("predicted"),
        recall=floats("recall"),
        low=floats("recall_low"),
        high=floats("recall_high"),
        precision=floats("precision"),
        f1=floats("f1"),
    )


def _history(run: Run) -> dict[str, Floats]:
    if not run.history:
        return {}
    columns = {name: _numbers(run.history, name, HISTORY_CSV) for name in run.history[0]}
    return {name: values for name, values in columns.items() if not np.isnan(values).all()}


def _named_ranks(rows: Rows) -> int:
    return max((k for k in range(1, TOP_K + 1) if rows and rows[0].get(f"top{k}")), default=0)


def _ranks(rows: Rows) -> Ints:
    ranks = np.full(len(rows), TOP_K, dtype=np.int64)
    for i, row in enumerate(rows):
        for k in range(TOP_K):
            if row["true"] and row.get(f"top{k + 1}") == row["true"]:
                ranks[i] = k
                break
    return ranks


def _texts(rows: Rows, name: str, file: str) -> list[str]:
    if rows and name not in rows[0]:
        raise RunFormatError(f"{file} has no column {name!r}; make the run again")
    return [row[name] or "" for row in rows]


def _numbers(rows: Rows, name: str, file: str) -> Floats:
    texts = _texts(rows, name, file)
    try:
        return np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError as error:
        raise RunFormatError(f"{file}, column {name!r}: {error}") from error

"""From a fitted head and the rows it is scored on to the tables and metrics of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import largest
from fishembed.cache import Store
from fishembed.cache.metadata import metadata_texts
from fishembed.evaluation import ClassScore, Scores, score
from fishembed.evaluation.scores import RowBlocks
from fishembed.experiments.runs.run_result import TOP_K, ClassTable, ScoredImages
from fishembed.experiments.train_test_split import Indices, row_groups, split_counts

Labels = npt.NDArray[np.integer[Any]]
_KEPT = 1 << 24

Tables = tuple[dict[str, Any], ClassTable, ScoredImages]


def score_rows(
    store: Store,
    rows: Indices,
    split: str,
    head: Any,
    X: npt.NDArray[np.float32],
    *,
    y_train: Labels | None,
) -> Tables:
    """Score a head on rows of a store.

    Parameters
    ----------
    store, rows, split
        The store, which of its rows were scored, and what they are.
    head, X
        A fitted classifier, and float32 (n, dim) features of the rows.
    y_train
        Labels that were learnt from, None for zero-shot.

    Returns
    -------
    dict, ClassTable, ScoredImages
        The metrics as `metrics.json` holds them, how each class fared, and what each image was
        called.
    """
    y, columns = store.labels[rows], head.classes_
    probabilities = HeadProbabilities(head, X)
    scores = score(
        y,
        probabilities,
        labels=columns,
        class_names=store.classes,
        groups=row_groups(store, rows),
        baseline=y_train,
    )
    metrics = {
        **scores.as_dict(),
        "mean_confidence": float(probabilities.best[:, 0].mean()),
        "scored_split": split,
        "splits": split_counts(store),
    }
    classes = _class_table(scores, store.classes, y_train)
    paths, groups = ([column[i] for i in rows] for column in (store.paths, store.groups))
    known = set(classes.raw_names)
    names = (*classes.raw_names, *(name for name in store.classes if name not in known))
    index = {name: i for i, name in enumerate(names)}
    place = np.array([index[name] for name in store.classes], np.int64)
    top, best = place[columns][probabilities.top], probabilities.best
    images = ScoredImages(
        paths=tuple(paths),
        class_names=names,
        true=place[y],
        predicted=top[:, 0],
        confidence=best[:, 0],
        top=top,
        top_probabilities=best,
        group_names=tuple(groups),
        metadata=metadata_texts(store, rows),
    )
    return metrics, classes, images


def _class_table(scores: Scores, class_names: Sequence[str], y_train: Labels | None) -> ClassTable:
    """Tabulate the classes that have training or scored rows, or were predicted."""
    known: Mapping[str, ClassScore] = {one.name: one for one in scores.classes}
    k = len(class_names)
    n_train = np.zeros(k, int) if y_train is None else np.bincount(y_train, minlength=k)
    shown = [c for c, name in enumerate(class_names) if n_train[c] or name in known]
    nothing = (float("nan"), float("nan"))
    rows = [known.get(class_names[c], ClassScore("", 0, 0, 0, nothing)) for c in shown]
    ends = np.array([one.recall_ci95 if one.n else nothing for one in rows], float).reshape(-1, 2)

    def counts(name: str) -> npt.NDArray[np.int64]:
        return np.array([getattr(one, name) for one in rows], np.int64)

    def shares(name: str) -> npt.NDArray[np.float64]:
        return np.array([getattr(one, name) for one in rows], np.float64)

    return ClassTable(
        raw_names=tuple(class_names[c] for c in shown),
        n_train=np.full(len(shown), np.nan) if y_train is None else n_train[shown].astype(float),
        n=counts("n"),
        correct=counts("correct"),
        predicted=counts("predicted"),
        recall=shares("recall"),
        low=ends[:, 0],
        high=ends[:, 1],
        precision=shares("precision"),
        f1=shares("f1"),
    )


class HeadProbabilities(RowBlocks):
    """Probabilities of rows by a head, and the most probable columns of those that were asked for.

    All at once where they are few; else in the blocks that they are asked in, and not kept: a
    square of 20,000 rows and classes would be 3 GB.

    Attributes
    ----------
    top, best
        (n, `TOP_K` or fewer) columns, most probable first, and their probabilities.
    """

    def __init__(self, head: Any, X: npt.NDArray[np.float32]) -> None:
        self.shape = len(X), len(head.classes_)
        self._head, self._X = head, X
        self._all = head.predict_proba(X) if len(X) * self.shape[1] <= _KEPT else None
        k = min(TOP_K, self.shape[1])
        self.top, self.best = np.zeros((len(X), k), np.intp), np.zeros((len(X), k))

    def __getitem__(self, rows: slice) -> npt.NDArray[Any]:
        """Return the probabilities of a slice of the rows."""
        block = self._head.predict_proba(self._X[rows]) if self._all is None else self._all[rows]
        order = largest(block, TOP_K)
        self.top[rows], self.best[rows] = order, np.take_along_axis(block, order, axis=1)
        return np.asarray(block)

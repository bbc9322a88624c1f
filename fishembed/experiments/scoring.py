"""Score a fitted head, or the text features of the classes (zero-shot), on rows of a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices, largest
from fishembed._base.progress import Stopwatch
from fishembed.cache import FeatureStore, Store
from fishembed.cache.store_columns import metadata_texts
from fishembed.errors import DataError
from fishembed.evaluation import ClassScore, Scores, score
from fishembed.evaluation.scores import RowBlocks
from fishembed.experiments.runs.run_folder import Run, default_name, new_folder, write_run
from fishembed.experiments.runs.run_info import run_info
from fishembed.experiments.runs.run_result import TOP_K, ClassTable, RunResult, ScoredImages
from fishembed.experiments.train_test_split import (
    row_groups,
    rows_to_score,
    some_rows,
    split_counts,
)
from fishembed.experiments.training import TrainingData, default_prompts, portable_head

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath
    from fishembed.classifiers import ZeroShotClassifier
    from fishembed.experiments.held_out import HeldOut

Labels = npt.NDArray[np.integer[Any]]
_IN_MEMORY = 1 << 24
_MOST_KNOWN = 20_000
"""Most rows that new images are compared with; more would not add precision."""
_N_FOLDS = 3
_COUNTS, _SHARES = ("n", "correct", "predicted"), ("recall", "precision", "f1")


def run_zeroshot(
    store: str | AnyPath | FeatureStore,
    *,
    prompts: str | None = None,
    split: str | None = None,
    seed: int = 0,
    run: str | None = None,
    reports: str | Path | None = None,
    command: str = "",
) -> Run:
    """Score a store's images by cosine against its text features, and write the run.

    Parameters
    ----------
    store, prompts, split, seed, command
        As in `score_zeroshot`.
    run
        Name of the run's folder; made from the store's when left out.
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.

    Raises
    ------
    InputError
        As `score_zeroshot` does, and when the name cannot be a folder's.
    RunError
        When a run of that name exists.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, run_zeroshot
    >>> arrays = {"features": np.eye(2), "labels": [0, 1], "text_features": np.eye(2)}
    >>> store = import_features(arrays | {"classes": ["cod", "eel"]}, "f.h5")
    >>> run_zeroshot(store).metrics["accuracy"]
    1.0
    """
    opened = store if isinstance(store, FeatureStore) else FeatureStore.open(store)
    with new_folder(reports, run, default_name(opened.name, "image", "zeroshot")) as folder:
        result = score_zeroshot(opened, prompts=prompts, split=split, seed=seed, command=command)
        return write_run(result, folder)


def score_zeroshot(
    store: str | AnyPath | FeatureStore,
    *,
    prompts: str | None = None,
    split: str | None = None,
    seed: int = 0,
    command: str = "",
) -> RunResult:
    """Score a store's images by cosine against its text features; write nothing.

    Parameters
    ----------
    store
        The store, or its path.
    prompts
        Which of the store's prompt sets; `single`, else the first, when left out.
    split
        train, val, test or all; test where there is one, else all.
    seed
        Stored in `run.json`; nothing is drawn at random.
    command
        Command line that repeats the run, stored in `run.json`.

    Raises
    ------
    InputError
        When the store has no such prompt set or no rows to score.
    """
    from fishembed.classifiers import ZeroShotClassifier

    store = store if isinstance(store, FeatureStore) else FeatureStore.open(store)
    key, watch = prompts or _prompts_to_score(store), Stopwatch()
    with watch.measure("load"):
        text = store.text(key)
        rows, split = rows_to_score(store, split)
        X = store.embeddings(rows)
    with watch.measure("score"):
        named = np.arange(len(text.features))
        head = ZeroShotClassifier(text.features, classes=named, logit_scale=text.logit_scale).fit()
        tables = score_rows(store, rows, split, head, X, y_train=None)
    with watch.measure("held_out"):
        held_out = _held_out(store, head, rows, seed)
    info = run_info(
        store,
        kind="zeroshot",
        head="zeroshot",
        parameters={"prompts": key},
        seed=seed,
        split=split,
        seconds=watch.seconds,
        command=command,
        prompts={
            "key": key,
            "templates": list(text.templates),
            "names": list(text.names),
            "logit_scale": text.logit_scale,
        },
    )
    saved = portable_head(head, store, "image")
    return RunResult(info, *tables, head=saved, held_out=held_out)


def _prompts_to_score(store: FeatureStore) -> str:
    key = default_prompts(store)
    if key is None:
        raise DataError(
            f"{str(store.path)!r} has no text features, so nothing to compare images with: its "
            f"encoder {store.encoder_name!r} has no text tower, or its images have no labels. "
            "'fishembed fit' works without"
        )
    return key


def _held_out(
    store: FeatureStore, head: ZeroShotClassifier, scored: Indices, seed: int
) -> HeldOut | None:
    """Score labelled rows that were not fitted to; None where a class has no such row.

    Rows that are not scored are used where they show every class. None also where the classes are
    so many that their rows would fill the memory.
    """
    from fishembed._base.folds import group_folds
    from fishembed.classifiers.cross_validation import MOST_LOGITS, HeldOutLogits
    from fishembed.experiments.held_out import score_held_out

    n_classes = len(head.classes_)
    others = np.setdiff1d(np.flatnonzero(store.labels >= 0), scored)
    for known in (others, scored):
        rows = some_rows(known, _MOST_KNOWN, seed)
        y = store.labels[rows]
        if len(rows) * n_classes > MOST_LOGITS or not 1 < n_classes == len(np.unique(y)):
            continue
        X, named = store.embeddings(rows), row_groups(store, rows)
        groups = np.arange(len(y)) if named is None else named
        fold = group_folds(y.astype(np.intp), groups, _N_FOLDS, seed)
        by_class = np.asarray(head.logits(X), np.float32).T
        logits = HeldOutLogits(fold, np.arange(len(y)), by_class)
        return score_held_out(head, TrainingData(X, y, named, None), logits, 1.0, seed)
    return None


def score_rows(
    store: Store,
    rows: Indices,
    split: str,
    head: Any,
    X: npt.NDArray[np.float32],
    *,
    y_train: Labels | None,
) -> tuple[dict[str, Any], ClassTable, ScoredImages]:
    """Score a head on rows of a store.

    Parameters
    ----------
    store, rows, split
        The store, which of its rows are scored, and the name of their split.
    head, X, y_train
        A fitted classifier, float32 (n, dim) features of the rows, and the labels that were learnt
        from, None for zero-shot.

    Returns
    -------
    dict, ClassTable, ScoredImages
        The metrics of `metrics.json`, those of each class, and the prediction of each image.
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
    top, best = probabilities.top, probabilities.best
    metrics = {
        **scores.as_dict(),
        "mean_confidence": float(best[:, 0].mean()),
        "scored_split": split,
        "splits": split_counts(store),
    }
    classes = _class_table(scores, store.classes, y_train)
    names = tuple(dict.fromkeys((*classes.raw_names, *store.classes)))
    index = {name: i for i, name in enumerate(names)}
    place = np.array([index[name] for name in store.classes], np.int64)
    paths, groups = (tuple(column[i] for i in rows) for column in (store.paths, store.groups))
    images = ScoredImages(
        paths=paths,
        class_names=names,
        true=place[y],
        predicted=place[columns][top[:, 0]],
        confidence=best[:, 0],
        top=place[columns][top],
        top_probabilities=best,
        group_names=groups,
        metadata=metadata_texts(store, rows),
    )
    return metrics, classes, images


def _class_table(scores: Scores, class_names: Sequence[str], y_train: Labels | None) -> ClassTable:
    """Tabulate the classes that have training or scored rows, or were predicted."""
    known = {one.name: one for one in scores.classes}
    k, nothing = len(class_names), (float("nan"), float("nan"))
    n_train = np.zeros(k, int) if y_train is None else np.bincount(y_train, minlength=k)
    shown = [c for c, name in enumerate(class_names) if n_train[c] or name in known]
    rows = [known.get(class_names[c], ClassScore("", 0, 0, 0, nothing)) for c in shown]
    ends = np.array([one.recall_ci95 if one.n else nothing for one in rows], float).reshape(-1, 2)
    columns: dict[str, Any] = {
        name: np.array([getattr(one, name) for one in rows], kind)
        for kind, names in ((np.int64, _COUNTS), (np.float64, _SHARES))
        for name in names
    }
    return ClassTable(
        raw_names=tuple(class_names[c] for c in shown),
        n_train=np.full(len(shown), np.nan) if y_train is None else n_train[shown].astype(float),
        low=ends[:, 0],
        high=ends[:, 1],
        **columns,
    )


class HeadProbabilities(RowBlocks):
    """Probabilities of rows by a head, and the most probable columns of those that were asked for.

    Computed at once where they are few; else in the requested blocks, and not stored: a matrix of
    20,000 rows and as many classes would be 3 GB. `top` and `best` are (n, `TOP_K` or fewer):
    columns, most probable first, and their probabilities.
    """

    def __init__(self, head: Any, X: npt.NDArray[np.float32]) -> None:
        self.shape = len(X), len(head.classes_)
        self._head, self._X = head, X
        self._all = head.predict_proba(X) if len(X) * self.shape[1] <= _IN_MEMORY else None
        k = min(TOP_K, self.shape[1])
        self.top, self.best = np.zeros((len(X), k), np.intp), np.zeros((len(X), k))

    def __getitem__(self, rows: slice) -> npt.NDArray[Any]:
        """Return the probabilities of a slice of the rows."""
        block = self._head.predict_proba(self._X[rows]) if self._all is None else self._all[rows]
        order = largest(block, TOP_K)
        self.top[rows], self.best[rows] = order, np.take_along_axis(block, order, axis=1)
        return np.asarray(block)

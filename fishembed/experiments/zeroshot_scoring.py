"""Score images by cosine against the text features of the classes: no training, no encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import Stopwatch
from fishembed.cache import FeatureStore
from fishembed.errors import DataError
from fishembed.experiments.runs.run_folder import Run, default_name, new_folder, write_run
from fishembed.experiments.runs.run_info import run_info
from fishembed.experiments.runs.run_result import RunResult
from fishembed.experiments.scoring import score_rows
from fishembed.experiments.train_test_split import row_groups, rows_to_score
from fishembed.experiments.training import default_prompts, portable_head

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath
    from fishembed.classifiers import ZeroShotClassifier
    from fishembed.experiments.held_out import HeldOut

_MOST_KNOWN = 20_000
"""Rows that new images are held against; more would not tell more."""
_N_FOLDS = 3


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
        For the run's record; nothing is drawn at random.
    command
        What repeats the run, for its record.

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
        metrics, classes, images = score_rows(store, rows, split, head, X, y_train=None)
    with watch.measure("held_out"):
        kept = _held_out(store, head, rows, seed)
    info = run_info(
        store,
        kind="zeroshot",
        head="zeroshot",
        parameters={"prompts": key, "split": split},
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
    return RunResult(info, metrics, classes, images, head=saved, held_out=kept)


def _held_out(
    store: FeatureStore, head: ZeroShotClassifier, scored: npt.NDArray[np.intp], seed: int
) -> HeldOut | None:
    """Score labelled rows, none of which was learnt from; None where a class has no such row.

    Rows that are not scored are taken where they show every class. Classes may be so many that
    their rows would fill the memory: then there are none either.
    """
    from fishembed._base.folds import group_folds
    from fishembed.classifiers.held_out_logits import MOST_LOGITS, HeldOutLogits
    from fishembed.experiments.held_out import held_out
    from fishembed.experiments.training import TrainingData

    others = np.setdiff1d(np.flatnonzero(store.labels >= 0), scored)
    for known in (others, scored):
        rows = known
        if len(rows) > _MOST_KNOWN:
            rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_KNOWN, replace=False))
        y = store.labels[rows]
        too_many = len(rows) * len(head.classes_) > MOST_LOGITS
        if too_many or len(np.unique(y)) < len(head.classes_) or len(head.classes_) < 2:
            continue
        X, named = store.embeddings(rows), row_groups(store, rows)
        groups = np.arange(len(y)) if named is None else named
        by_class = np.asarray(head.logits(X), np.float32).T
        fold = group_folds(y.astype(np.intp), groups, _N_FOLDS, seed)
        logits = HeldOutLogits(fold, np.arange(len(y)), by_class)
        return held_out(head, TrainingData(X, y, named, None), logits, 1.0, seed)
    return None


def _prompts_to_score(store: FeatureStore) -> str:
    key = default_prompts(store)
    if key is None:
        raise DataError(
            f"{str(store.path)!r} has no text features, so nothing to compare images with: its "
            f"encoder {store.encoder_name!r} has no text tower, or its images have no labels. "
            "'fishembed fit' works without"
        )
    return key

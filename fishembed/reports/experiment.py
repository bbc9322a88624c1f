"""An experiment on cached vectors: fit or zero-shot, scored, and written as a run folder."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._version import __version__
from fishembed.cache import FeatureStore, JoinedStores, Store, Which, open_joined
from fishembed.errors import InputError
from fishembed.evaluation import Scores, score
from fishembed.reports import run as layout
from fishembed.reports.folder import NewFolder, new_run
from fishembed.reports.heads import make_head
from fishembed.reports.rows import Division, Indices, divide, rows_to_score, split_counts, units
from fishembed.reports.run import Run
from fishembed.reports.tables import PER_CLASS, PREDICTIONS, per_class_rows, prediction_rows

Say = Callable[[str], None]


@dataclass
class _Experiment:
    """What is told of a run besides its scores."""

    store: Store
    kind: str
    head: str
    parameters: dict[str, Any]
    seed: int
    command: str
    features: Which = "image"
    prompts: dict[str, Any] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - began


def run_zeroshot(
    store: str | Path | FeatureStore,
    *,
    prompts: str | None = None,
    split: str | None = None,
    seed: int = 0,
    run: str | None = None,
    reports: str | Path | None = None,
    command: str = "",
) -> Run:
    """Score a store's pictures by cosine against its text vectors.

    Parameters
    ----------
    store
        The store, or its path.
    prompts
        Which of the store's prompt sets; the first when left out.
    split
        train, val, test or all; test where there is one, else all.
    seed
        Of the bootstrap.
    run
        Name of the run's folder; made from the store's when left out.
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.
    command
        What repeats the run, for its record.

    Raises
    ------
    InputError
        When the store has no such prompt set or no rows to score.
    RunError
        When a run of that name exists.
    """
    from fishembed.classifiers import ZeroShotClassifier

    store = store if isinstance(store, FeatureStore) else FeatureStore.open(store)
    key = prompts or _first_prompts(store)
    told = _Experiment(store, "zeroshot", "zeroshot", {"prompts": key}, seed, command)
    with told.timed("load"):
        text = store.text(key)
        rows, split = rows_to_score(store, split)
        X = store.vectors(rows)
    told.prompts = {
        "key": key,
        "templates": list(text.templates),
        "names": list(text.names),
        "logit_scale": text.logit_scale,
    }
    told.parameters["split"] = split
    with told.timed("score"):
        head = ZeroShotClassifier(text.features, logit_scale=text.logit_scale).fit()
        probabilities = head.predict_proba(X)
    with new_run(reports, run, f"{store.name}-zeroshot") as folder:
        _write(folder, told, _Answers(rows, split, probabilities, head.classes_))
    return Run.open(folder.final)


def run_fit(
    store: str | Path | Store | Sequence[str | Path],
    *,
    head: str = "logistic",
    features: Which = "image",
    parameters: Mapping[str, Any] | None = None,
    split: str | None = None,
    seed: int = 0,
    run: str | None = None,
    reports: str | Path | None = None,
    command: str = "",
    say: Say | None = None,
) -> Run:
    """Fit a head on a store's training rows, score it, and write the run.

    Parameters
    ----------
    store
        The store or its path; several are joined, see `fishembed.cache.join_stores`.
    head
        A name of `fishembed.reports.HEADS`.
    features
        image, or trunk for the vectors before the projection.
    parameters
        Of the head; what is left out has its default.
    split
        Which rows are scored: test, where there is one; else val; else a hold-out.
    seed
        Of the hold-out, the head and the bootstrap.
    run, reports, command
        As in `run_zeroshot`.
    say
        Hears what was chosen.

    Raises
    ------
    InputError
        When the head or a parameter is unknown, there are too few rows or classes, no trunk
        vectors, or stores that cannot be joined.
    RunError
        When a run of that name exists.
    """
    store = _opened(store)
    estimator = make_head(head, parameters or {}, seed)
    told = _Experiment(store, "fit", head, {}, seed, command, features)
    with told.timed("load"):
        division = divide(store, split, seed)
        X, y = store.vectors(division.train, features), store.labels[division.train]
    if division.note and say is not None:
        say(division.note)
    if len(np.unique(y)) < 2:
        raise InputError(
            f"the {len(y)} training rows of {str(store.path)!r} have one class only: a head needs "
            "two to tell apart"
        )
    with told.timed("fit"):
        _fit(estimator, told, division, X, y)
    with told.timed("score"):
        probabilities = estimator.predict_proba(store.vectors(division.scored, features))
    told.parameters = {**estimator.get_params(deep=False), "split": division.split}
    answers = _Answers(division.scored, division.split, probabilities, estimator.classes_, y)
    with new_run(reports, run, _run_name(told)) as folder:
        _write_head(folder.path, estimator, told)
        _write(folder, told, answers)
    return Run.open(folder.final)


def _fit(
    estimator: Any,
    told: _Experiment,
    division: Division,
    X: npt.NDArray[np.float32],
    y: npt.NDArray[np.int32],
) -> None:
    from fishembed.classifiers import LinearHead

    if isinstance(estimator, LinearHead) and len(division.val):
        X_val = told.store.vectors(division.val, told.features)
        estimator.fit(X, y, X_val, told.store.labels[division.val])
    else:
        estimator.fit(X, y)


def _write_head(folder: Path, estimator: Any, told: _Experiment) -> None:
    import joblib

    from fishembed.classifiers import save_head

    save_head(
        estimator,
        folder / layout.HEAD_NPZ,
        feature_fingerprint=told.store.feature_fingerprint(told.features),
        class_names=[told.store.classes[label] for label in estimator.classes_],
    )
    joblib.dump(estimator, folder / layout.HEAD_JOBLIB)
    history = getattr(estimator, "history_", None)
    if history:
        epochs = [asdict(epoch) for epoch in history]
        rows = [list(epoch.values()) for epoch in epochs]
        layout.write_csv(folder / layout.HISTORY_CSV, list(epochs[0]), rows)


@dataclass(frozen=True)
class _Answers:
    """What a head said of the scored rows.

    Attributes
    ----------
    rows, split
        Which rows of the store, and what they are.
    probabilities, columns
        (n, n_columns), and each column's label.
    y_train
        Labels that were learnt from, None for zero-shot.
    """

    rows: Indices
    split: str
    probabilities: npt.NDArray[np.float64]
    columns: npt.NDArray[np.int64]
    y_train: npt.NDArray[np.int32] | None = None


def _write(folder: NewFolder, told: _Experiment, answers: _Answers) -> None:
    """Score and write all tables of a run."""
    store, place = told.store, folder.path
    rows, probabilities, columns = answers.rows, answers.probabilities, answers.columns
    y = store.labels[rows]
    scores: Scores = score(
        y,
        probabilities,
        labels=columns,
        class_names=store.classes,
        groups=units(store, rows),
        seed=told.seed,
    )
    predicted = columns[probabilities.argmax(axis=1)]
    table = per_class_rows(scores, y, predicted, answers.y_train, store.classes)
    layout.write_csv(place / layout.PER_CLASS_CSV, PER_CLASS, table)
    paths, groups = ([column[i] for i in rows] for column in (store.paths, store.groups))
    table = prediction_rows(paths, y, probabilities, columns, store.classes, groups=groups)
    layout.write_csv(place / layout.PREDICTIONS_CSV, PREDICTIONS, table)
    metrics = {**scores.as_dict(), "scored_split": answers.split, "splits": split_counts(store)}
    layout.write_json(place / layout.METRICS_JSON, metrics)
    layout.write_json(place / layout.RUN_JSON, _record(told, folder.final.name, answers.split))


def _record(told: _Experiment, name: str, split: str) -> dict[str, Any]:
    store = told.store
    return {
        "format": layout.RUN_FORMAT,
        "schema": layout.RUN_SCHEMA,
        "name": name,
        "kind": told.kind,
        "head": told.head,
        "parameters": told.parameters,
        "seed": told.seed,
        "scored_split": split,
        "classes": store.classes,
        "store": {
            "path": str(store.path),
            "name": store.name,
            "rows": len(store),
            "dim": store.width(told.features),
            "fingerprint": store.fingerprint,
            "source_root": store.source.get("root"),
        },
        "stores": [
            {"path": str(one.path), "fingerprint": one.fingerprint, "dim": one.width(told.features)}
            for one in (store.stores if isinstance(store, JoinedStores) else [store])
        ],
        "features": told.features,
        "encoder": store.encoder,
        "prompts": told.prompts,
        "versions": _versions(),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seconds": {key: round(value, 4) for key, value in told.seconds.items()},
        "command": told.command,
    }


def _versions() -> dict[str, str]:
    versions = {"fishembed": __version__, "python": sys.version.split()[0]}
    for package in ("numpy", "scipy", "scikit-learn", "h5py"):
        versions[package] = metadata.version(package)
    if "torch" in sys.modules:
        versions["torch"] = metadata.version("torch")
    return versions


def _opened(store: str | Path | Store | Sequence[str | Path]) -> Store:
    if isinstance(store, FeatureStore | JoinedStores):
        return store
    return open_joined([store] if isinstance(store, str | Path) else store)


def _run_name(told: _Experiment) -> str:
    kind = "" if told.features == "image" else f"-{told.features}"
    return f"{told.store.name}{kind}-{told.head}"


def _first_prompts(store: FeatureStore) -> str:
    if not store.text_keys:
        raise InputError(
            f"{str(store.path)!r} has no text vectors, so nothing to compare pictures with: its "
            f"encoder {store.encoder_name!r} has no words, or its pictures have no labels. "
            "'fishembed fit' works without"
        )
    return "single" if "single" in store.text_keys else store.text_keys[0]

"""Fit a head on cached features: from a store to a result, and to a run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed._base.progress import NoProgress, Progress, Stopwatch, progress_to
from fishembed.cache import FeatureKind, Store, open_store
from fishembed.classifiers.cross_validation import HeldOutLogits
from fishembed.errors import InputError
from fishembed.experiments.few_shot import BASELINE, FewShotSettings, Row, learning_curve
from fishembed.experiments.heads import head_parameters, make_head
from fishembed.experiments.held_out import score_held_out
from fishembed.experiments.runs.run_folder import Run, default_name, new_folder, write_run
from fishembed.experiments.runs.run_info import run_info, selection_rows
from fishembed.experiments.runs.run_result import RunResult
from fishembed.experiments.scoring import score_rows
from fishembed.experiments.train_test_split import find_leakage, train_test_split
from fishembed.experiments.training import (
    TrainingData,
    Validate,
    calibrate,
    fit_head,
    portable_head,
    text_classifier,
)

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_MOST_SEEDS = 1_000


def run_fit(
    store: str | AnyPath | Store | Sequence[str | AnyPath],
    *,
    head: str = "auto",
    features: FeatureKind = "image",
    parameters: Mapping[str, Any] | None = None,
    validate: Validate = "cv",
    shots: FewShotSettings | None = None,
    split: str | None = None,
    seed: int = 0,
    run: str | None = None,
    reports: str | Path | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> Run:
    """Fit a head on a store's training rows, score it, and write the run.

    Parameters
    ----------
    store, head, features, parameters, validate, shots, split, seed, command, progress
        As in `fit`.
    run
        Name of the run's folder; made from the store's and the head's when left out.
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.

    Raises
    ------
    InputError
        As `fit` does, and when the name cannot be a folder's.
    RunError
        When a run of that name exists, or the place is not writable: both before any work.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> run = run_fit(store, head="centroid")
    >>> run.metrics["n"], run.metrics["accuracy"], run.name
    (8, 1.0, 'f-centroid')
    """
    opened = opened_store(store)
    # Reserved before the work: a name in use or a folder that is not writable fails at once.
    with new_folder(reports, run, default_name(opened.name, features, head)) as folder:
        result = fit(
            opened,
            head=head,
            features=features,
            parameters=parameters,
            validate=validate,
            shots=shots,
            split=split,
            seed=seed,
            command=command,
            progress=progress,
        )
        return write_run(result, folder)


def fit(
    store: str | AnyPath | Store | Sequence[str | AnyPath],
    *,
    head: str = "auto",
    features: FeatureKind = "image",
    parameters: Mapping[str, Any] | None = None,
    validate: Validate = "cv",
    shots: FewShotSettings | None = None,
    split: str | None = None,
    seed: int = 0,
    split_seed: int | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> RunResult:
    """Fit a head on a store's training rows and score it; write nothing.

    Parameters
    ----------
    store
        The store or its path; several are joined, see `fishembed.cache.join_stores`.
    head
        A name of `fishembed.experiments.HEADS`.
    features
        image, or trunk for the features before the projection.
    parameters
        Of the head; what is left out has its default.
    validate
        What ``auto`` compares its candidates on: cv, cross-validation on the training rows with
        whole groups in a fold (the default), or val, the rows of that split.
    shots
        Also learn from few images of each class: a learning curve, with zero-shot as its point
        without images, and for ``auto`` plain logistic regression on the same draws.
    split
        Which rows are scored: test, where there is one; else val; else a hold-out.
    seed
        Of the hold-out and the head.
    split_seed
        Of the hold-out alone; `seed` when left out.
    command
        Command line that repeats the run, stored in `run.json`.
    progress
        Receives a sentence where the store has no rows set aside for scoring, and where scored
        images have copies among the training rows.

    Raises
    ------
    InputError
        When the head or a parameter is unknown, there are too few rows or classes, no trunk
        features, no val rows where they are to judge, or stores that cannot be joined.
    """
    store, watch, progress = opened_store(store), Stopwatch(), progress or NoProgress()
    with watch.measure("load"):
        rows = train_test_split(store, split, seed if split_seed is None else split_seed)
        data = TrainingData.read(store, rows, features)
        X, y = store.embeddings(rows.scored, features), store.labels[rows.scored]
    text = text_classifier(store, data.classes, features)
    build = partial(make_head, head, parameters or {}, seed, text)
    estimator = build()
    if rows.note:
        progress.message(rows.note)
    with watch.measure("fit"), progress_to(progress):
        fit_head(estimator, data, validate)
    with watch.measure("leaks"):
        leakage = find_leakage(store, rows, features, data.X, X)
    if warning := leakage.warning(store):
        progress.message(warning)
    with watch.measure("calibrate"):
        logits = HeldOutLogits.of(estimator, data.X, data.y, data.groups, random_state=seed)
        temperature = calibrate(estimator, data, logits)
        saved = portable_head(estimator, store, features, temperature)
    with watch.measure("held_out"):
        held_out = score_held_out(estimator, data, logits, temperature, seed)
    with watch.measure("score"):
        tables = score_rows(store, rows.scored, rows.name, saved.calibrated(), X, y_train=data.y)
    curve: list[Row] = []
    if shots is not None:
        with watch.measure("shots"), progress_to(progress):
            curve = learning_curve(_builds(head, build, seed), data, (X, y), shots, text)
    info = run_info(
        store,
        kind="fit",
        head=head,
        parameters=head_parameters(estimator),
        seed=seed,
        split=rows.name,
        seconds=watch.seconds,
        command=command,
        features=features,
        selection=selection_rows(getattr(estimator, "results_", ())),
    )
    info |= {"validate": validate, "leaks": asdict(leakage)}
    epochs = tuple(asdict(epoch) for epoch in getattr(estimator, "history_", ()))
    return RunResult(info, *tables, epochs, tuple(curve), estimator, saved, held_out)


def run_seeds(
    store: str | AnyPath | Store | Sequence[str | AnyPath],
    seeds: int = 5,
    *,
    head: str = "auto",
    seed: int = 0,
    run: str | None = None,
    reports: str | Path | None = None,
    command: str = "",
    progress: Progress | None = None,
    **options: Any,
) -> list[Run]:
    """Fit and score a head once for each of several seeds, as runs of one series.

    All are scored on the same rows: where the store has no splits, those that `seed` holds out.
    `compare_runs` treats the series as one, with means and standard deviations.

    Parameters
    ----------
    store
        The store or its path; several are joined.
    seeds
        How many.
    head, command, progress, options
        As in `run_fit`.
    seed
        The first; the others follow.
    run
        Name of the series; its runs are called `<run>-seed0`, `<run>-seed1` …
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.

    Raises
    ------
    InputError
        As `run_fit` does, and when `seeds` is below 1.
    RunError
        When a run of that name exists, or the place is not writable.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, run_seeds
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> [run.name for run in run_seeds(store, 2, head="centroid")]
    ['f-centroid-seed0', 'f-centroid-seed1']
    """
    if not 1 <= seeds <= _MOST_SEEDS:
        raise InputError(f"seeds={seeds}: give how many seeds, 1 to {_MOST_SEEDS}")
    opened = opened_store(store)
    name = run or default_name(opened.name, options.get("features", "image"), head)
    first_progress = progress or NoProgress()
    made = []
    for one in range(seed, seed + seeds):
        own = f"{name}-seed{one}"
        with new_folder(reports, own if run else None, own) as folder:
            result = fit(
                opened,
                head=head,
                seed=one,
                split_seed=seed,
                command=command,
                progress=first_progress if one == seed else NoProgress(),  # the notes are the same
                **options,
            )
            series = {"name": name, "seed": one, "seeds": seeds, "split_seed": seed}
            made.append(write_run(replace(result, info={**result.info, "series": series}), folder))
    return made


def _builds(head: str, build: Callable[[], Any], seed: int) -> dict[str, Callable[[], Any]]:
    """Return builders of the heads of a learning curve: beside ``auto`` the baseline."""
    baseline = {BASELINE: partial(make_head, BASELINE, {}, seed)} if head == "auto" else {}
    return {head: build, **baseline}


def opened_store(store: str | AnyPath | Store | Sequence[str | AnyPath]) -> Store:
    """Return a store that is open, or open it, or several as joined ones."""
    if isinstance(store, Store):
        return store
    if isinstance(store, str) or not isinstance(store, Sequence):
        return open_store(store)
    return open_store(*store)

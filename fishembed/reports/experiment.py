"""An experiment on cached vectors: fit or zero-shot, scored, and written as a run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed.cache import FeatureStore, JoinedStores, Store, Which, open_joined
from fishembed.errors import InputError
from fishembed.reports.fitting import (
    Lesson,
    Validate,
    calibrate,
    fit_head,
    keep_linear_map,
    usual_prompts,
    words_of,
    write_head,
)
from fishembed.reports.folder import new_run
from fishembed.reports.heads import make_head, settings_of
from fishembed.reports.record import Answers, Experiment, write_run
from fishembed.reports.rows import divide, rows_to_score
from fishembed.reports.run import Run
from fishembed.reports.selection import selection_rows
from fishembed.reports.shots import Protocol, learning_curve, write_learning_curve

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

Say = Callable[[str], None]


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
    key = prompts or _prompts_to_score(store)
    told = Experiment(store, "zeroshot", "zeroshot", {"prompts": key}, seed, command)
    with told.watch.measure("load"):
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
    with told.watch.measure("score"):
        head = ZeroShotClassifier(text.features, logit_scale=text.logit_scale).fit()
        probabilities = head.predict_proba(X)
    with new_run(reports, run, f"{store.name}-zeroshot") as folder:
        keep_linear_map(folder.path, head, store, "image")
        write_run(folder, told, Answers(rows, split, probabilities, head.classes_))
    return Run.open(folder.final)


def run_fit(
    store: str | AnyPath | Store | Sequence[str | AnyPath],
    *,
    head: str = "auto",
    features: Which = "image",
    parameters: Mapping[str, Any] | None = None,
    validate: Validate = "cv",
    shots: Protocol | None = None,
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
    validate
        What ``auto`` judges its candidates on: cv, cross-validation on the training rows with
        groups kept together (the default), or val, the rows of that split.
    shots
        Also learn from few images of each class, and write the learning curve: `shots.csv` and
        `learning_curve.png` and `.svg`.
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
        vectors, no val rows where they are to judge, or stores that cannot be joined.
    RunError
        When a run of that name exists.
    """
    store = _opened(store)
    told = Experiment(store, "fit", head, {}, seed, command, features)
    with told.watch.measure("load"):
        division = divide(store, split, seed)
        lesson = Lesson.of(store, division, features)
    words = words_of(store, lesson.classes, features)
    estimator = make_head(head, parameters or {}, seed, words)
    if division.note and say is not None:
        say(division.note)
    with told.watch.measure("fit"):
        fit_head(estimator, lesson, validate)
    X = store.vectors(division.scored, features)
    with told.watch.measure("score"):
        probabilities = estimator.predict_proba(X)
    with told.watch.measure("calibrate"):
        temperature = calibrate(estimator, lesson, seed)
    told.parameters = {**settings_of(estimator), "split": division.split}
    told.selection = selection_rows(getattr(estimator, "results_", ()))
    answers = Answers(division.scored, division.split, probabilities, estimator.classes_, lesson.y)
    curve = []
    if shots is not None:
        scored = X, store.labels[division.scored]
        with told.watch.measure("shots"):
            build = partial(make_head, head, parameters or {}, seed, words)
            curve = list(learning_curve(build, lesson, scored, shots))
    with new_run(reports, run, _run_name(told)) as folder:
        write_head(folder.path, estimator, store, features, temperature)
        scores = write_run(folder, told, answers)
        if curve:
            write_learning_curve(folder.path, curve, scores)
    return Run.open(folder.final)


def _opened(store: str | AnyPath | Store | Sequence[str | AnyPath]) -> Store:
    if isinstance(store, FeatureStore | JoinedStores):
        return store
    if isinstance(store, str) or not isinstance(store, Sequence):
        return open_joined([store])
    return open_joined(store)


def _run_name(told: Experiment) -> str:
    kind = "" if told.features == "image" else f"-{told.features}"
    return f"{told.store.name}{kind}-{told.head}"


def _prompts_to_score(store: FeatureStore) -> str:
    key = usual_prompts(store)
    if key is None:
        raise InputError(
            f"{str(store.path)!r} has no text vectors, so nothing to compare pictures with: its "
            f"encoder {store.encoder_name!r} has no words, or its pictures have no labels. "
            "'fishembed fit' works without"
        )
    return key

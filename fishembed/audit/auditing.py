"""The verb: look at a store from every side, and write down what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import Progress
from fishembed._base.stopwatch import Stopwatch
from fishembed.audit.affected import RunScores, score_run
from fishembed.audit.balance import Balance, count_balance
from fishembed.audit.duplicates import Duplicates, find_duplicates
from fishembed.audit.labels import LabelIssues, find_label_issues
from fishembed.audit.leaks import Leaks, find_leaks
from fishembed.audit.oddities import Oddities, find_oddities
from fishembed.audit.outliers import Outliers, find_outliers
from fishembed.audit.threshold import Threshold, choose_threshold, given_threshold
from fishembed.audit.units import joined_units
from fishembed.cache import FeatureStore
from fishembed.errors import FishembedError, InputError, MissingExtraError
from fishembed.images import Photos
from fishembed.reports import Run
from fishembed.reports.names import printable


@dataclass(frozen=True)
class Audit:
    """What is wrong with a store's data.

    Attributes
    ----------
    store
        Its name.
    rows
        Its number of rows.
    classes
        Names of its classes, as they may be shown.
    duplicates, leaks, outliers, oddities, balance
        See their modules.
    labels
        None where they could not be judged.
    labels_missing
        Why, in a sentence; "" where they could.
    scores
        Of a run, with and without what leaks; None where no run was named.
    seconds
        Time that each part took.
    """

    store: str
    rows: int
    classes: tuple[str, ...]
    duplicates: Duplicates
    leaks: Leaks
    labels: LabelIssues | None
    labels_missing: str
    outliers: Outliers
    oddities: Oddities
    balance: Balance
    scores: RunScores | None
    seconds: dict[str, float]


def audit_store(
    store: FeatureStore,
    *,
    threshold: float | None = None,
    run: str | Path | Run | None = None,
    photos: str | Path | None = None,
    look: bool = True,
    seed: int = 0,
    reporter: Progress | None = None,
) -> Audit:
    """Look for duplicates, leaks, wrong labels, outliers, odd pictures and imbalance.

    Parameters
    ----------
    store
        The store.
    threshold
        Cosine from which two pictures are near-duplicates; chosen from the data when None.
    run
        A run whose score is also told without the pictures that leak.
    photos
        Folder of the photos; the one the store knows when None.
    look
        Whether the photos are read for blank, tiny, grey and very long ones.
    seed
        Of the folds, and of the sample that the threshold is chosen on.
    reporter
        Hears how far the reading of photos is.

    Raises
    ------
    InputError
        When the store has fewer than two rows, or the threshold is no cosine.
    RunNotFoundError, RunFormatError
        When the run cannot be read.
    """
    if len(store) < 2:
        raise InputError(f"{str(store.path)!r} has {len(store)} row: an audit compares rows")
    opened = run if run is None or isinstance(run, Run) else Run.open(run)
    watch = Stopwatch()
    with watch.measure("threshold"):
        chosen = pick_threshold(store, threshold, seed)
    with watch.measure("duplicates"):
        duplicates = find_duplicates(store.features, store.digests, store.splits, chosen)
    with watch.measure("leaks"):
        leaks = find_leaks(store.splits, store.groups, store.digests, duplicates)
    with watch.measure("labels"):
        labels, labels_missing = _label_issues(store, duplicates, seed)
    with watch.measure("outliers"):
        outliers = find_outliers(store.features, store.labels, len(store.classes))
    with watch.measure("photos"):
        oddities = _oddities(store, photos, look, reporter)
    scores = None
    if opened is not None:
        leaking = {store.paths[row] for row in leaks.affected(_scored_split(opened))}
        scores = score_run(opened, set(store.paths), leaking)
    return Audit(
        store=store.name,
        rows=len(store),
        classes=tuple(printable(name) for name in store.classes),
        duplicates=duplicates,
        leaks=leaks,
        labels=labels,
        labels_missing=labels_missing,
        outliers=outliers,
        oddities=oddities,
        balance=count_balance(store.labels, store.classes, store.splits, store.groups),
        scores=scores,
        seconds=watch.seconds,
    )


def pick_threshold(store: FeatureStore, cosine: float | None, seed: int) -> Threshold:
    """Take the threshold that was named, or choose one from the store's vectors."""
    if cosine is not None:
        return given_threshold(cosine)
    codes, apart = _certainly_apart(store)
    return choose_threshold(store.features, codes, apart, seed=seed)


def _certainly_apart(store: FeatureStore) -> tuple[npt.NDArray[np.intp], str]:
    """Give codes of rows that are certainly different pictures when they differ."""
    if any(store.groups):
        return joined_units(store.groups), "group"
    labels = store.labels
    if len(np.unique(labels[labels >= 0])) > 1:
        return labels.astype(np.intp), "class"
    return np.arange(len(store)), "picture"


def _label_issues(
    store: FeatureStore, duplicates: Duplicates, seed: int
) -> tuple[LabelIssues | None, str]:
    rows = np.flatnonzero(store.labels >= 0)
    if len(np.unique(store.labels[rows])) < 2:
        return None, "Labels cannot be judged: the store has fewer than two classes."
    units = joined_units(store.groups, duplicates.unit)[rows]
    try:
        issues = find_label_issues(store.vectors(rows), store.labels[rows], units, seed=seed)
    except MissingExtraError as error:
        return None, f"Labels were not judged: {error}."
    return issues.at(rows), ""


def _oddities(
    store: FeatureStore, photos: str | Path | None, look: bool, reporter: Progress | None
) -> Oddities:
    known = photos or store.source.get("root")
    found = photos_of(store, photos) if look else None
    if found is not None:
        return find_oddities(found, store.paths, reporter)
    if not look:
        missing = "The photos were not looked at (--no-photos)."
    elif not known:
        missing = "The photos were not looked at: the store does not know them (--photos)."
    else:
        missing = f"The photos were not looked at: there is no folder {str(known)!r} (--photos)."
    return Oddities((), 0, (), False, missing)


def photos_of(store: FeatureStore, photos: str | Path | None) -> Photos | None:
    """Find the photos of a store; None where they are not at hand."""
    known = photos or store.source.get("root")
    try:
        found = Photos(known) if known else None
    except FishembedError:
        return None
    return found if found is not None and found.are_there() else None


def _scored_split(run: Run) -> str:
    split = str(run.metrics.get("scored_split", ""))
    return split if split in ("val", "test") else "test"

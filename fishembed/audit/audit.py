"""Run every check over a store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import fishembed.audit.checks  # noqa: F401 - registers the checks
from fishembed._base.paths import Place, is_url
from fishembed._base.progress import NoProgress, Progress, Stopwatch
from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed._base.text import counted, printable
from fishembed.audit.check import AuditData, CheckResult, run_checks
from fishembed.audit.checks.duplicates import store_threshold
from fishembed.audit.run_scores import find_run_rows
from fishembed.cache import FeatureStore, Store
from fishembed.errors import DataError
from fishembed.experiments import Run
from fishembed.reports.label_sheet import images_at_hand


@dataclass(frozen=True, repr=False)
class Audit(PrintsAsTable):
    """Results of all checks of a store's data.

    Attributes
    ----------
    store, rows
        The store's name and number of rows.
    classes
        Names of its classes, as they may be shown.
    results
        What each check found, by the check's name, see `fishembed.audit.checks`; `audit["leaks"]`
        for short.
    seconds
        Time that each took.
    """

    store: str
    rows: int
    classes: tuple[str, ...]
    results: Mapping[str, CheckResult]
    seconds: Mapping[str, float]

    def _short_table(self) -> ShortTable:
        rows = [[line] for line in findings(self)]
        return ShortTable(f"audit of {self.store}, {counted(self.rows, 'row')}", [""], rows, 1_000)

    def __getitem__(self, name: str) -> CheckResult:
        return self.results[name]


def audit_store(
    store: FeatureStore | str | Path,
    *,
    threshold: float | None = None,
    run: str | Path | Run | None = None,
    photos: str | Path | None = None,
    read_photos: bool = True,
    fetch: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Audit:
    """Check a store for duplicates, leaks, wrong labels, outliers, odd images and imbalance.

    Parameters
    ----------
    store
        The store, its path, or its name in the cache folder.
    threshold
        Cosine from which two images are near-duplicates; chosen from the data when None.
    run
        A run whose score is also computed without the images that leak.
    photos
        Folder of the images; the one recorded in the store when None.
    read_photos
        Whether the images are read to find blank, tiny, grey and very long ones.
    fetch
        Whether images that lie at URLs are fetched.
    seed
        Of the folds, and of the sample that the threshold is chosen on.
    progress
        Shows how far the reading of images is.

    Raises
    ------
    InputError
        When the store has fewer than two rows, the threshold is no cosine, or the run was made
        on another store.
    RunNotFoundError, RunFormatError
        When the run cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import audit, import_features
    >>> X = np.random.default_rng(0).normal(size=(40, 8))
    >>> X[1] = X[0]
    >>> _ = import_features({"features": X, "labels": ["cod", "eel"] * 20}, "cache/fish.h5")
    >>> found = audit("fish")
    >>> found.rows, sorted(found.results)[:2]
    (40, ['balance', 'duplicates'])
    """
    with ExitStack() as stack:
        if not isinstance(store, Store):
            store = stack.enter_context(FeatureStore.open(store))
        if len(store) < 2:
            raise DataError(f"{str(store.path)!r} has {len(store)} row: an audit compares rows")
        run = Run.open(run) if isinstance(run, str | Path) else run
        run_rows = None if run is None else find_run_rows(run, store)
        watch = Stopwatch()
        with watch.measure("threshold"):
            chosen = store_threshold(store, threshold, seed)
        root = photos or store.source.get("root")
        images = images_at_hand(root, fetch=fetch) if read_photos else None
        missing = "" if images else _why_not_read(root, read_photos)
        progress = progress or NoProgress()
        data = AuditData(store, chosen, run_rows, images, missing, seed, progress, watch)
        run_checks(data)
        classes = tuple(printable(name) for name in store.classes)
        return Audit(store.name, len(store), classes, data.results, watch.seconds)


def _why_not_read(root: object, wanted: bool) -> str:
    why = f": there is no folder {str(root)!r} (--photos)"
    if not wanted:
        why = " (--no-photos)"
    elif not root:
        why = ": the store does not know them (--photos)"
    elif is_url(root) and not str(root).lower().startswith("file:"):
        why = f": they lie at {Place(str(root))} (--fetch)"
    return f"The photos were not looked at{why}."


def findings(audit: Audit) -> list[str]:
    """Return an audit's findings as lines for a console."""
    return [line for found in audit.results.values() for line in found.sentences(audit.classes)]

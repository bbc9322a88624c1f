"""Write a store's rows as a manifest that `extract` reads again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fishembed._base.paths import is_url
from fishembed._base.tables.csv_files import write_csv
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.store import Store

COLUMNS = ("path", "label", "split", "group")


def export_manifest(store: Store, target: str | Path) -> Path:
    """Write path, label, split, group and metadata of every row, as they are after all fixes.

    Parameters
    ----------
    store
        The store.
    target
        The CSV file. Paths in it are relative to its folder where the images lie below that, and
        absolute elsewhere, so that `fishembed extract` finds them.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    StoreWriteError
        When the disk is full or the place not writable; what was there is untouched.
    """
    target = Path(target)
    names = [*store.classes, ""]
    root = store.source.get("root")
    here = target.absolute().parent
    metadata = {name: store.metadata[name] for name in store.metadata if name not in COLUMNS}
    rows = [
        [
            _place(path, root, here),
            names[label],
            str(split),
            group,
            *(_cell(metadata[name][row]) for name in metadata),
        ]
        for row, (path, label, split, group) in enumerate(
            zip(store.paths, store.labels, store.splits, store.groups, strict=True)
        )
    ]
    with store_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_csv(target, (*COLUMNS, *metadata), rows)
    return target


def _place(path: str, root: object, here: Path) -> str:
    if not root or is_url(path) or is_url(str(root)):
        return path
    whole = Path(str(root), path)
    if whole.is_relative_to(here):
        return os.fspath(whole.relative_to(here))
    return os.fspath(whole)


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.15g}"
    return str(value)

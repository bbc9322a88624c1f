"""Write a store's rows as a manifest that `extract` reads again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fishembed._base.csv_files import write_csv
from fishembed._base.paths import is_url
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.schema import is_known
from fishembed.cache.store import Store
from fishembed.cache.tables import BOX

COLUMNS = ("path", "label", "split", "group")


def export_manifest(store: Store, target: str | Path) -> Path:
    """Write path, label, split, group and metadata of every row, as they are after all fixes.

    A row that is a box is its photo with x, y, width and height, as `extract` reads it; one that is
    a frame of a video is called `clip.mp4#t=12.5`. What is missing is an empty cell.

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
    boxes = np.asarray(store.boxes)
    box_columns = BOX if is_known(boxes) else ()
    taken = {*COLUMNS, *box_columns}
    metadata = {name: store.metadata[name] for name in store.metadata if name not in taken}
    rows = [
        [
            _place(_photo(path) if there else path, root, here),
            names[label],
            str(split),
            group,
            *((_cell(side) for side in box) if box_columns else ()),
            *(_cell(metadata[name][row]) for name in metadata),
        ]
        for row, (path, label, split, group, box, there) in enumerate(
            zip(
                store.paths,
                store.labels,
                store.splits,
                store.groups,
                boxes,
                ~np.isnan(boxes[:, 0]),
                strict=True,
            )
        )
    ]
    with store_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_csv(target, (*COLUMNS, *box_columns, *metadata), rows)
    return target


def _photo(path: str) -> str:
    """Return the path of the photo that a box is a part of."""
    return path.rpartition("#xywh=")[0] or path


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

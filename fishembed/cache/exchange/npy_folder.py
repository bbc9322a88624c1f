"""Folders of .npy files: features, and beside them labels, paths and the like of the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fishembed._base.splits import split_named
from fishembed.cache.exchange.foreign_files import Arrays, array_meaning, read_foreign_file
from fishembed.errors import DataError, DimensionError


def read_npy_folder(folder: Path) -> Arrays:
    """Return the arrays of a folder by the names that an import knows.

    `features.npy` goes with `labels.npy`, `paths.npy`, `splits.npy`, `groups.npy` and
    `classes.npy`; `train_features.npy` with `train_labels.npy` …, and where there are several of
    these they stand one below the other, in the order of their names, with the split that the
    names tell.

    Raises
    ------
    InputError
        When there are no features, or only some of several have labels or paths.
    DimensionError
        When lengths or widths differ.
    """
    files = sorted(folder.glob("*.npy"))
    matrices = [path for path in files if array_meaning(path.stem) == "features"] or [
        path for path in files if not array_meaning(path.stem)
    ]
    if not matrices:
        raise DataError(f"{str(folder)!r} holds no features.npy")
    parts = [read_foreign_file(path) for path in matrices]
    for path, part in zip(matrices, parts, strict=True):
        if (
            part["features"].ndim != 2
            or part["features"].shape[1:] != parts[0]["features"].shape[1:]
        ):
            raise DimensionError(
                f"{str(path)!r} holds {part['features'].shape}, {matrices[0].name} "
                f"{parts[0]['features'].shape}: give (n, dim) of one dim"
            )
    if len(parts) == 1:
        return parts[0]
    return _stacked(matrices, parts)


def _stacked(paths: list[Path], parts: list[Arrays]) -> Arrays:
    """Put the rows of several files one below the other."""
    for path, part in zip(paths, parts, strict=True):
        split = split_named(path.stem.rpartition("_")[0])
        if split and "splits" not in part:
            part["splits"] = np.full(len(part["features"]), split)
    names = {name for part in parts for name in part}
    for path, part in zip(paths, parts, strict=True):
        lacking = sorted(names - set(part) - {"classes"})
        if lacking:
            raise DataError(
                f"{str(path)!r} has no {lacking[0]} beside it, of as many rows, where others "
                f"have: give {path.stem.rpartition('_')[0]}_{lacking[0]}.npy too"
            )
    stacked = {
        name: np.concatenate([np.asarray(part[name]) for part in parts])
        for name in sorted(names - {"classes"})
    }
    classes = next((part["classes"] for part in parts if "classes" in part), None)
    return stacked if classes is None else {**stacked, "classes": classes}

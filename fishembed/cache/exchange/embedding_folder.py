"""Folders of .npy files: those of clip-retrieval with Parquet, and those of features and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.missing import text_or_missing
from fishembed._base.splits import split_named
from fishembed.cache.exchange.foreign_files import Arrays, array_meaning, read_foreign_file
from fishembed.cache.exchange.row_facts import further_arrays
from fishembed.cache.lazy_rows import LazyRows, StackedRows
from fishembed.errors import DataError, DimensionError, MissingExtraError

_COLUMNS = {
    "paths": ("image_path", "path", "key"),
    "labels": ("label", "class"),
    "splits": ("split",),
    "groups": ("group",),
    "digests": ("digest", "sha256"),
}
"""Arrays of an import, and the columns of the metadata that may hold them."""


def read_embedding_folder(folder: Path) -> Mapping[str, Any]:
    """Return the arrays of a folder by the names that an import knows.

    It holds `img_emb/img_emb_<number>.npy`, and optionally `metadata/metadata_<number>.parquet`
    with image_path[, label][, split][, group][, digest], and `text_emb/` with a row
    for each image, which is used where all images of a class have the same. Or .npy files
    by name, see `read_npy_folder`.

    `InputError` when there are no features, or files of one number are missing; `DimensionError`
    when files do not fit together; `MissingExtraError` for metadata without pyarrow.
    """
    images = _numbered(folder, "img_emb", ".npy")
    if not images and any(folder.glob("*.npy")):
        return read_npy_folder(folder)
    if not images:
        raise DataError(
            f"{str(folder)!r} holds no img_emb/img_emb_0.npy, as clip-retrieval writes it, and no "
            "features.npy: give such a folder, or a file"
        )
    arrays: dict[str, Any] = {"features": _stacked(list(images.values()))}
    metadata = _numbered(folder, "metadata", ".parquet")
    if metadata:
        _same_numbers(folder, images, metadata)
        arrays.update(_read_metadata(list(metadata.values())))
    texts = _numbered(folder, "text_emb", ".npy")
    if texts and "labels" in arrays:
        _same_numbers(folder, images, texts)
        arrays.update(_class_texts(_stacked(list(texts.values())), arrays["labels"]))
    return arrays


def _numbered(folder: Path, kind: str, suffix: str) -> dict[int, Path]:
    paths = (folder / kind).glob(f"*{suffix}")
    found = {int(match[1]): path for path in paths if (match := re.search(r"(\d+)$", path.stem))}
    return dict(sorted(found.items()))


def _same_numbers(folder: Path, images: Mapping[int, Path], others: Mapping[int, Path]) -> None:
    differing = sorted(set(images) ^ set(others))
    if differing:
        kinds = f"{images[min(images)].parent.name} and {others[min(others)].parent.name}"
        raise DataError(
            f"{str(folder)!r}: of number {differing[0]} there is not one file each in {kinds}"
        )


def _read_metadata(paths: list[Path]) -> dict[str, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a folder of .npy and Parquet", "pyarrow", "parquet") from error
    try:
        found = [parquet.read_schema(path) for path in paths]
        schemas = [schema.names for schema in found]
        nested = {one.name for schema in found for one in schema if pa.types.is_nested(one.type)}
        columns = {
            name: next((one for one in candidates if all(one in names for names in schemas)), None)
            for name, candidates in _COLUMNS.items()
        }
        wanted = {name: column for name, column in columns.items() if column is not None}
        further = [name for name in schemas[0] if all(name in names for names in schemas[1:])]
        further = [name for name in further if name not in {*wanted.values(), *nested}]
        # Of each file by itself: another program may have chosen other types in each.
        tables = [parquet.read_table(path, columns=[*wanted.values(), *further]) for path in paths]
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read the metadata as Parquet: {error}") from error

    def cells(column: str) -> list[Any]:
        return [cell for table in tables for cell in table[column].to_pylist()]

    known = {
        name: np.array([text_or_missing(cell) for cell in cells(column)], np.str_)
        for name, column in wanted.items()
    }
    return {**known, **further_arrays({name: cells(name) for name in further})}


def _class_texts(texts: LazyRows, labels: npt.NDArray[np.str_]) -> dict[str, Any]:
    """Return the text features of each class, where the rows of a class agree."""
    classes, first, of_row = np.unique(labels, return_index=True, return_inverse=True)
    if len(labels) != len(texts) or "" in classes:
        return {}
    features = texts[first]
    for start in range(0, len(texts), 16_384):
        block = slice(start, start + 16_384)
        if not np.array_equal(texts[block], features[of_row[block]]):
            return {}
    return {"classes": classes, "text_features": features}


def _stacked(paths: list[Path]) -> LazyRows:
    """Return the arrays of several .npy files one below the other, read when asked for."""
    arrays = [_map(path) for path in paths]
    first = arrays[0]
    for path, array in zip(paths, arrays, strict=True):
        if array.ndim != 2 or (array.shape[1], array.dtype) != (first.shape[1], first.dtype):
            raise DimensionError(
                f"{str(path)!r} holds {array.dtype} {array.shape}; its first sibling "
                f"{first.dtype} {first.shape}"
            )
    lengths = [len(array) for array in arrays]
    return StackedRows(lengths, arrays.__getitem__, int(first.shape[1]), first.dtype)


def _map(path: Path) -> npt.NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{str(path)!r} cannot be read as .npy: {error}") from error
    return np.asarray(array)


def read_npy_folder(folder: Path) -> Arrays:
    """Return the arrays of a folder by the names that an import knows.

    `features.npy` goes with `labels.npy`, `paths.npy`, `splits.npy`, `groups.npy` and
    `classes.npy`; `train_features.npy` with `train_labels.npy` …, and where there are several of
    these they stand one below the other, in the order of their names, with the split in their
    names.

    `InputError` when there are no features, or only some of several have labels or paths;
    `DimensionError` when lengths or widths differ.
    """
    files = sorted(folder.glob("*.npy"))
    matrices = [path for path in files if array_meaning(path.stem) == "features"] or [
        path for path in files if not array_meaning(path.stem)
    ]
    if not matrices:
        raise DataError(f"{str(folder)!r} holds no features.npy")
    parts = [read_foreign_file(path) for path in matrices]
    shapes = [part["features"].shape for part in parts]
    for path, shape in zip(matrices, shapes, strict=True):
        if len(shape) != 2 or shape[1:] != shapes[0][1:]:
            raise DimensionError(
                f"{str(path)!r} holds {shape}, {matrices[0].name} {shapes[0]}: give (n, dim) of "
                "one dim"
            )
    return parts[0] if len(parts) == 1 else _with_all_rows(matrices, parts)


def _with_all_rows(paths: list[Path], parts: list[Arrays]) -> Arrays:
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

"""Folders of .npy and Parquet, as clip-retrieval writes and embedding-reader reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.errors import DimensionError, InputError, MissingExtraError

_COLUMNS = {
    "paths": ("image_path", "path", "key"),
    "labels": ("label", "class"),
    "splits": ("split",),
    "groups": ("group",),
    "digests": ("digest", "sha256"),
}
"""Arrays of an import, and the columns of the metadata that may hold them."""


class Shards:
    """Arrays in several files, one below the other, read where they are looked at.

    Parameters
    ----------
    paths
        .npy files of (n, dim) each.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._arrays = [_map(path) for path in paths]
        for path, array in zip(paths, self._arrays, strict=True):
            first = self._arrays[0]
            if array.ndim != 2 or (array.shape[1], array.dtype) != (first.shape[1], first.dtype):
                raise DimensionError(
                    f"{str(path)!r} holds {array.dtype} {array.shape}; its first sibling "
                    f"{first.dtype} {first.shape}"
                )
        self.dtype = self._arrays[0].dtype
        self.shape = (sum(map(len, self._arrays)), int(self._arrays[0].shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Give rows start to stop."""
        blocks, first = [], 0
        for array in self._arrays:
            inside = slice(max(0, start - first), max(0, stop - first))
            blocks.append(array[inside])
            first += len(array)
        return np.concatenate(blocks)


def read_embedding_folder(folder: Path) -> Mapping[str, Any]:
    """Give the arrays of a folder by the names that an import knows.

    Parameters
    ----------
    folder
        Holds `img_emb/img_emb_<number>.npy`, and optionally `metadata/metadata_<number>.parquet`
        with image_path[, label][, split][, group][, digest], and `text_emb/` with a vector
        for each row, which is used where all rows of a class have the same.

    Raises
    ------
    InputError
        When there is no vector, or files of one number are missing.
    DimensionError
        When files do not fit together.
    MissingExtraError
        When there is metadata and pyarrow is not installed.
    """
    images = _numbered(folder, "img_emb", ".npy")
    if not images:
        raise InputError(
            f"{str(folder)!r} holds no img_emb/img_emb_0.npy: give an .npz file, or a folder as "
            "clip-retrieval writes it"
        )
    arrays: dict[str, Any] = {"features": Shards(list(images.values()))}
    metadata = _numbered(folder, "metadata", ".parquet")
    if metadata:
        _same_numbers(folder, images, metadata)
        arrays.update(_read_metadata(list(metadata.values())))
    texts = _numbered(folder, "text_emb", ".npy")
    if texts and "labels" in arrays:
        _same_numbers(folder, images, texts)
        arrays.update(_class_texts(Shards(list(texts.values())), arrays["labels"]))
    return arrays


def _numbered(folder: Path, kind: str, suffix: str) -> dict[int, Path]:
    found = {}
    for path in (folder / kind).glob(f"*{suffix}"):
        match = re.search(r"(\d+)$", path.stem)
        if match:
            found[int(match[1])] = path
    return dict(sorted(found.items()))


def _same_numbers(folder: Path, images: Mapping[int, Path], others: Mapping[int, Path]) -> None:
    differing = sorted(set(images) ^ set(others))
    if differing:
        kinds = f"{images[min(images)].parent.name} and {others[min(others)].parent.name}"
        raise InputError(
            f"{str(folder)!r}: of number {differing[0]} there is not one file each in {kinds}"
        )


def _read_metadata(paths: list[Path]) -> dict[str, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a folder of .npy and Parquet", "pyarrow", "parquet") from error
    try:
        table = pa.concat_tables([parquet.read_table(path) for path in paths])
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read the metadata as Parquet: {error}") from error
    arrays = {}
    for name, candidates in _COLUMNS.items():
        column = next((one for one in candidates if one in table.column_names), None)
        if column is not None:
            cells = ["" if cell is None else str(cell) for cell in table[column].to_pylist()]
            arrays[name] = np.array(cells, dtype=np.str_)
    return arrays


def _class_texts(texts: Shards, labels: npt.NDArray[np.str_]) -> dict[str, Any]:
    """Give one text vector for each class, where the rows of a class agree."""
    classes, first, of_row = np.unique(labels, return_index=True, return_inverse=True)
    if len(labels) != len(texts) or "" in classes:
        return {}
    vectors = np.concatenate([texts.read(row, row + 1) for row in first])
    for start in range(0, len(texts), 16_384):
        block = texts.read(start, start + 16_384)
        if not np.array_equal(block, vectors[of_row[start : start + 16_384]]):
            return {}
    return {"classes": classes, "text_features": vectors}


def _map(path: Path) -> npt.NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{str(path)!r} cannot be read as .npy: {error}") from error
    return np.asarray(array)

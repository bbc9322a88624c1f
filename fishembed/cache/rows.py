"""Rows of a store: columns of what is known of each image, and metadata from tables.

A metadata column is text (str, "" where it is missing) or numbers (float64, NaN where missing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.paths import places_of
from fishembed.errors import DimensionError

Column = npt.NDArray[Any]

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,14})(\.\d+)?(e[+-]\d+)?", re.ASCII)
"""Texts that are read as numbers: no 007, no 12E4 and no id of twenty digits, which are names."""

_LARGE = 1 << 26
"""Characters from which on a column of text is stored as objects, since one is very long."""


def column_of(cells: Sequence[str]) -> Column:
    """Return cells, "" where missing, as float64 where all others are numbers, else as text."""
    known = [cell for cell in cells if cell]
    if known and all(_NUMBER.fullmatch(cell) for cell in known):
        return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
    return text_column(cells)


def text_column(texts: Sequence[str]) -> Column:
    """Return text (n,) of one width, or of objects where that would be very large."""
    width = max(map(len, texts), default=0)
    return np.array(texts, object if width * len(texts) > _LARGE else np.str_)


def is_number(column: Column) -> bool:
    """Return whether a column is of numbers, not of text."""
    return column.dtype.kind == "f"


def as_text(column: Column) -> list[str]:
    """Return a column's cells as text, "" where they are missing."""
    if not is_number(column):
        return [str(cell) for cell in column.tolist()]
    return ["" if number != number else f"{number:.15g}" for number in column.tolist()]  # noqa: PLR0124 - NaN


def missing_column(n: int, *, like: Column) -> Column:
    """Return a column of n cells that are all missing."""
    return np.full(n, np.nan) if is_number(like) else np.full(n, "", np.str_)


def stacked_metadata(parts: Iterable[tuple[int, Mapping[str, Column]]]) -> dict[str, Column]:
    """Return the columns of several stores one below the other.

    `parts` are the number of rows of each store, and its columns. A column that a store lacks is
    missing there; one that is a number in some and text in others becomes text.
    """
    parts = list(parts)
    names = list(dict.fromkeys(name for _, columns in parts for name in columns))
    return {name: _stacked(name, parts) for name in names}


def _stacked(name: str, parts: Sequence[tuple[int, Mapping[str, Column]]]) -> Column:
    present = [columns[name] for _, columns in parts if name in columns]
    like = next(filter(_has_values, present), present[0])
    found = [
        column if column is not None and _has_values(column) else missing_column(n, like=like)
        for n, columns in parts
        for column in [columns.get(name)]
    ]
    if len({is_number(column) for column in found}) > 1:
        return text_column([cell for column in found for cell in as_text(column)])
    if is_number(like):
        return np.concatenate(found)
    return text_column([str(cell) for column in found for cell in column.tolist()])


def _has_values(column: Column) -> bool:
    """Return whether a column has at least one cell that is not missing."""
    if is_number(column):
        return bool((~np.isnan(column)).any())
    return any(column.tolist())


def take_metadata(columns: Mapping[str, Column], rows: Any) -> dict[str, Column]:
    """Return some rows of all columns."""
    at = np.asarray(rows, np.intp)
    return {name: column[at] for name, column in columns.items()}


def same_metadata(a: Mapping[str, Column], b: Mapping[str, Column]) -> bool:
    """Return whether two stores have the same columns with the same cells."""
    return list(a) == list(b) and all(_is_same(a[name], b[name]) for name in a)


def _is_same(a: Column, b: Column) -> bool:
    if is_number(a) and is_number(b):
        return np.array_equal(a, b, equal_nan=True)
    return is_number(a) == is_number(b) and a.tolist() == b.tolist()


def dataset_name(column: str) -> str:
    """Return a column's name in a file, where a slash would make a group."""
    quoted = column.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return f"%{quoted}" if quoted in {"", ".", ".."} else quoted


@dataclass(frozen=True)
class Rows:
    """Columns of a store's rows; all have one length.

    Attributes
    ----------
    path
        Relative to the source's root, or absolute.
    digest
        SHA-256 of the file's bytes in hex; "" where it is not known.
    size, mtime_ns
        int64; bytes, and time of the last change. -1 where not known.
    label
        int32 into the store's classes, -1 for none.
    split
        train, val, test or "".
    group
        Rows of one group stay in one split and fold; "" for none.
    box
        float32 (n, 4): x, y, width and height in pixels of the part of the image that the row
        is, NaN where it is the whole image. None, as for the next two, is none known.
    time
        float64 (n,): seconds into its video, NaN where it is of no video.
    hash
        uint8 (n, 16): perceptual hash of the pixels, zeros where it is not known.
    metadata
        What else is known of each image, by name: columns of text or numbers.
    """

    path: Sequence[str]
    digest: Sequence[str]
    size: npt.NDArray[np.int64]
    mtime_ns: npt.NDArray[np.int64]
    label: npt.NDArray[np.int32]
    split: Sequence[str]
    group: Sequence[str]
    box: npt.NDArray[np.float32] = None  # type: ignore[assignment]
    time: npt.NDArray[np.float64] = None  # type: ignore[assignment]
    hash: npt.NDArray[np.uint8] = None  # type: ignore[assignment]
    metadata: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in OPTIONAL_ARRAYS:
            if getattr(self, name) is None:
                object.__setattr__(self, name, unknown_array(name, len(self.path)))
        names = [name for name in self.__dataclass_fields__ if name != "metadata"]
        lengths = {name: len(getattr(self, name)) for name in names}
        lengths |= {f"metadata {name!r}": len(column) for name, column in self.metadata.items()}
        if len(set(lengths.values())) > 1:
            raise DimensionError(f"columns of unequal length: {lengths}")
        object.__setattr__(self, "path", places_of(self.path))

    def __len__(self) -> int:
        return len(self.path)

    def take(self, rows: Sequence[int] | npt.NDArray[np.integer[Any]]) -> Rows:
        """Return some of the rows, in the order of their numbers."""
        columns: dict[str, Any] = {"metadata": take_metadata(self.metadata, rows)}
        for name in self.__dataclass_fields__:
            column = getattr(self, name)
            if name in OPTIONAL_ARRAYS and not is_known(column):
                columns[name] = unknown_array(name, len(rows))
            elif name != "metadata":
                is_array = isinstance(column, np.ndarray)
                columns[name] = (
                    column[np.asarray(rows, np.intp)] if is_array else [column[i] for i in rows]
                )
        return Rows(**columns)

    def followed_by(self, other: Rows) -> Rows:
        """Return these rows with others below, whose labels count the same classes."""
        parts = [(len(self), self.metadata), (len(other), other.metadata)]
        columns: dict[str, Any] = {"metadata": stacked_metadata(parts)}
        for name in self.__dataclass_fields__.keys() - columns.keys():
            above, below = getattr(self, name), getattr(other, name)
            is_array = isinstance(above, np.ndarray)
            columns[name] = np.concatenate([above, below]) if is_array else [*above, *below]
        return Rows(**columns)

    def is_same(self, other: Rows) -> bool:
        """Return whether other rows describe the same images in the same way."""
        names = self.__dataclass_fields__.keys() - {"metadata", *OPTIONAL_ARRAYS}
        return (
            all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)
            and all(
                np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name != "hash")
                for name in OPTIONAL_ARRAYS
            )
            and same_metadata(self.metadata, other.metadata)
        )


OPTIONAL_ARRAYS: Mapping[str, npt.NDArray[Any]] = {
    "box": np.full(4, np.nan, np.float32),
    "time": np.array(np.nan, np.float64),
    "hash": np.zeros(16, np.uint8),
}
"""Columns that a store may lack, with what stands where nothing is known."""


def unknown_array(name: str, n: int) -> npt.NDArray[Any]:
    """Return one of the `OPTIONAL_ARRAYS` for n rows of which nothing is known, in no memory."""
    one = OPTIONAL_ARRAYS[name]
    return np.broadcast_to(one, (n, *one.shape))


def is_known(column: npt.NDArray[Any]) -> bool:
    """Return whether one of the `OPTIONAL_ARRAYS` holds a value for any row."""
    if column.size == 0 or not column.strides[0]:
        return False
    return bool(column.any() if column.dtype == np.uint8 else (~np.isnan(column)).any())

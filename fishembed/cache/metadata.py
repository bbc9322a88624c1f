"""Metadata columns: what tables say of each image beside label, split and group.

A column is text (str, "" where it is missing) or numbers (float64, NaN where they are missing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import unknown_column
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.cache.store import Store

Column = npt.NDArray[Any]

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,14})(\.\d+)?(e[+-]\d+)?", re.ASCII)
"""What is read as a number: no 007, no 12E4 and no id of twenty digits, which name things."""

_LARGE = 1 << 26
"""Characters from which on a column of text is kept as objects, since one is very long."""


def column_of(cells: Sequence[str]) -> Column:
    """Return cells as a column: of numbers where all that are there are, else of text.

    Parameters
    ----------
    cells
        "" where one is missing.

    Returns
    -------
    float64 (n,) or text (n,)
    """
    there = [cell for cell in cells if cell]
    if there and all(_NUMBER.fullmatch(cell) for cell in there):
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

    Parameters
    ----------
    parts
        The number of rows of each store, and its columns. A column that a store lacks is missing
        there; one that is a number in some and text in others becomes text.
    """
    parts = list(parts)
    names = list(dict.fromkeys(name for _, columns in parts for name in columns))
    return {name: _stacked(name, parts) for name in names}


def _stacked(name: str, parts: Sequence[tuple[int, Mapping[str, Column]]]) -> Column:
    there = [columns[name] for _, columns in parts if name in columns]
    like = next(filter(_says, there), there[0])
    found = [
        column if column is not None and _says(column) else missing_column(n, like=like)
        for n, columns in parts
        for column in [columns.get(name)]
    ]
    if len({is_number(column) for column in found}) > 1:
        return text_column([cell for column in found for cell in as_text(column)])
    if is_number(like):
        return np.concatenate(found)
    return text_column([str(cell) for column in found for cell in column.tolist()])


def _says(column: Column) -> bool:
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
    """Return how a column is called in a file, where a slash would make a group."""
    quoted = column.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return f"%{quoted}" if quoted in {"", ".", ".."} else quoted


def metadata_texts(store: Store, rows: npt.NDArray[np.intp]) -> dict[str, list[str]]:
    """Return every column of some rows as text, "" where a value is missing.

    The store's own `group` and `split` are columns too, unless metadata has the name.
    """
    own = {"group": np.array(store.groups, object)[rows].tolist()}
    own["split"] = [str(split) for split in np.asarray(store.splits)[rows].tolist()]
    return own | {name: as_text(column[rows]) for name, column in store.metadata.items()}


def require_columns(store: Store, names: Iterable[str | None]) -> None:
    """Check that a store has columns that will be asked for; None asks for none.

    Raises
    ------
    InputError
        When it lacks one, which is named.
    """
    columns = {"group", "split", *store.metadata}
    for name in names:
        if name is not None and name not in columns:
            raise InputError(f"the store has {unknown_column(name, columns)}")

"""Boxes, times and perceptual hashes of rows, as arrays and as columns of tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.missing import is_missing
from fishembed.cache.rows import Column, as_text, is_known, is_number
from fishembed.cache.store import Store

METADATA_PREFIX = "metadata/"
"""Prefix of a metadata column whose name means something else in a table."""

ARRAYS = {"boxes": "box", "times": "time", "hashes": "hash"}
"""Names of the arrays in imports and exports, and in a store."""

BOX_COLUMNS = ("box_x", "box_y", "box_width", "box_height")
TIME_COLUMN, HASH_COLUMN = "video_time", "perceptual_hash"
FACT_COLUMNS = (*BOX_COLUMNS, TIME_COLUMN, HASH_COLUMN)
"""Their columns in tables."""

OWN_MARK = b"fishembed"
"""Key of a Parquet schema's metadata, by which an import knows the files of an export."""

_HASH_BYTES = 16


def fact_arrays(store: Store) -> dict[str, npt.NDArray[Any]]:
    """Return boxes, times and hashes of a store by the names of an import, those that it has."""
    found = {name: getattr(store, name) for name in ARRAYS}
    return {name: array for name, array in found.items() if is_known(array)}


def fact_columns(store: Store, rows: slice) -> dict[str, list[Any]]:
    """Return the same of some rows as columns of a table, None where nothing is known."""
    facts = fact_arrays(store)
    columns: dict[str, list[Any]] = {}
    if "boxes" in facts:
        for name, side in zip(BOX_COLUMNS, facts["boxes"][rows].T, strict=True):
            columns[name] = [None if np.isnan(cell) else float(cell) for cell in side]
    if "times" in facts:
        columns[TIME_COLUMN] = [None if np.isnan(t) else float(t) for t in facts["times"][rows]]
    if "hashes" in facts:
        hashes = np.asarray(facts["hashes"][rows])
        columns[HASH_COLUMN] = [one.tobytes().hex() if one.any() else None for one in hashes]
    return columns


def metadata_columns(
    metadata: Mapping[str, Column], taken: Collection[str], rows: slice
) -> dict[str, Any]:
    """Return metadata columns under names that no other column of a table has."""
    used = {*taken, *FACT_COLUMNS}
    return {
        f"{METADATA_PREFIX}{name}" if name in used else name: column[rows]
        if is_number(column)
        else as_text(column[rows])
        for name, column in metadata.items()
    }


def further_arrays(columns: Mapping[str, Sequence[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return a table's columns beside label, split and group, by the names of an import.

    A box, time or hash that cannot be read is metadata as all else.
    """
    facts = _facts(columns)
    names = {"boxes": BOX_COLUMNS, "times": (TIME_COLUMN,), "hashes": (HASH_COLUMN,)}
    used = {column for fact in facts for column in names[fact]}
    rest = {name: cells for name, cells in columns.items() if name not in used}
    named = {f"{METADATA_PREFIX}{name.removeprefix(METADATA_PREFIX)}": rest[name] for name in rest}
    return {**facts, **objects(named)}


def objects(columns: Mapping[str, Sequence[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return columns as arrays of objects, whatever is in their cells."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, column in columns.items():
        arrays[name] = np.empty(len(column), object)
        arrays[name][:] = column
    return arrays


def _facts(columns: Mapping[str, Sequence[Any]]) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    sides = [_numbers(columns.get(name)) for name in BOX_COLUMNS]
    if all(side is not None for side in sides):
        found["boxes"] = np.stack(sides, axis=1).astype(np.float32)  # type: ignore[arg-type]
    if (times := _numbers(columns.get(TIME_COLUMN))) is not None:
        found["times"] = times
    if (hashes := _hashes(columns.get(HASH_COLUMN))) is not None:
        found["hashes"] = hashes
    return found


def _numbers(cells: Sequence[Any] | None) -> npt.NDArray[np.float64] | None:
    """Return cells as numbers, NaN where one is missing; None where one is no number."""
    if cells is None:
        return None
    try:
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    except (TypeError, ValueError):
        return None


def _hashes(cells: Sequence[Any] | None) -> npt.NDArray[np.uint8] | None:
    if cells is None:
        return None
    found = np.zeros((len(cells), _HASH_BYTES), np.uint8)
    for row, cell in enumerate(cells):
        if is_missing(cell):
            continue
        try:
            found[row] = np.frombuffer(bytes.fromhex(str(cell)), np.uint8)
        except ValueError:
            return None
    return found

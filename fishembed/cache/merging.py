"""Merge stores into one, and cut a store into several."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.files import atomic_folder
from fishembed._base.missing import is_missing
from fishembed._base.paths import is_remote, to_path
from fishembed._base.remote_files import ANYTHING, remote_errors, remote_state
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.lazy_rows import Matrix, SelectedRows
from fishembed.cache.opening import open_store
from fishembed.cache.rows import Rows
from fishembed.cache.sharded_store import (
    INDEX_SUFFIX,
    ShardedStore,
    is_index,
    make_index,
    write_index,
)
from fishembed.cache.store import Store
from fishembed.cache.writer import store_lock, write_store
from fishembed.errors import DataError, InputError

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath


def merge_stores(
    target: str | Path | UPath, stores: Sequence[str | Path | UPath]
) -> tuple[int, int]:
    """Merge stores of one encoder into one.

    Parameters
    ----------
    target
        A name that ends in `.json` gets an index: nothing is copied, the stores stay where
        they are and are opened as one. Any other gets one file with all rows.
    stores
        In the order that their rows shall have.

    Returns
    -------
    rows, repeated
        How many rows there are, and how many were left out because a store before had the
        same image under the same path. An index leaves none out.

    Raises
    ------
    StoreMismatchError
        When the features come from different encoders.
    InputError
        When two stores differ on one path, or a file that is no index lies at the target: only an
        index is replaced, by another one.
    """
    place, places = to_path(target), [to_path(store) for store in stores]
    if not places:
        raise InputError("no store was named: give those that shall become one")
    if place.suffix == INDEX_SUFFIX:
        state = remote_state(place) if is_remote(place) else ANYTHING
        _check_free(place, or_index=True)
        index = make_index(place, _opened(places, place))
        if not is_remote(place):
            place.parent.mkdir(parents=True, exist_ok=True)
        write_index(place, index, replaces=state)
        return sum(one["rows"] for one in index["stores"]), 0
    _check_free(place)
    index = make_index(place, _opened(places, place))
    with store_lock(place) as state, ShardedStore(index, place, open_store) as store:
        _check_free(place)  # another process may have written it since
        rows = store.rows
        first = _first_rows(rows, place)
        filled = _filled(rows, first)
        _write_rows(place, store, first, filled, skipped=True, replaces=state)
        return len(first), len(store) - len(first)


def shard_store(store: str | Path | UPath, rows: int, target: str | Path | UPath) -> int:
    """Cut a store into files of `rows` rows, and write an index over them.

    Parameters
    ----------
    store, rows
        What is cut, which stays; rows of each file, of which the last one may have fewer.
    target
        The index; its name ends in `.json`. The files go into a folder of that name beside it.

    Returns
    -------
    int
        How many files there are.

    Raises
    ------
    InputError
        When the index or the folder is there already, or `rows` is no number of rows.
    """
    place = to_path(target)
    if place.suffix != INDEX_SUFFIX:
        raise InputError(
            f"{str(target)!r} must end in {INDEX_SUFFIX}: it becomes an index of files"
        )
    if rows < 1:
        raise InputError(f"rows={rows} must be at least 1")
    folder = place.with_suffix("")
    _check_free(place)
    _check_free(folder)
    with open_store(store) as whole, _new_folder(folder) as temporary:
        n = len(whole)
        names = [f"{number:05d}.h5" for number in range(-(-n // rows))]
        for start, name in zip(range(0, n, rows), names, strict=True):
            chosen = np.arange(start, min(start + rows, n), dtype=np.int64)
            some = whole.rows.take(chosen)
            _write_rows(temporary / name, whole, chosen, some, skipped=not start, replaces="")
    try:
        index = make_index(place, _opened([folder / name for name in names]))
        write_index(place, index, replaces="")
    except BaseException:
        if not is_remote(folder):
            shutil.rmtree(folder, ignore_errors=True)  # it was moved in above, so it is ours
        raise
    return len(names)


def _check_free(place: AnyPath, *, or_index: bool = False) -> None:
    """Refuse a target that exists, but an index where `or_index`."""
    with remote_errors(place):
        taken = place.exists()
    if taken and not (or_index and is_index(place)):
        rule = "; only an index of stores is replaced by another" if or_index else ""
        raise InputError(
            f"{str(place)!r} is there already: give another name, or move it away{rule}"
        )


@contextmanager
def _new_folder(folder: AnyPath) -> Iterator[AnyPath]:
    """Yield a folder to fill: a local one is moved in whole, a remote one is filled in place."""
    if is_remote(folder):
        yield folder
        return
    with store_write_errors(folder), atomic_folder(folder) as temporary:
        yield temporary


def _write_rows(
    place: AnyPath,
    store: Store,
    rows: npt.NDArray[np.int64],
    columns: Rows,
    *,
    skipped: bool,
    replaces: str,
) -> None:
    """Write some rows of a store to another place, with all their columns."""
    header = replace(
        store.header, skipped=store.header.skipped if skipped else (), history=(), dropped=None
    )
    trunk: Matrix | Literal["image"] | None = "image" if store.trunk_is_image else None
    if store.has_trunk and not store.trunk_is_image:
        trunk = SelectedRows(store.trunk, rows)
    write_store(
        place,
        header,
        columns,
        SelectedRows(store.features, rows),
        trunk=trunk,
        dtype=store.features.dtype,
        replaces=replaces,
    )


def _first_rows(rows: Rows, place: AnyPath) -> npt.NDArray[np.int64]:
    """Return the numbers of the rows whose path no row before them has."""
    seen: dict[str, int] = {}
    first = []
    for row, path in enumerate(rows.path):
        before = seen.setdefault(path, row)
        if before == row:
            first.append(row)
        elif differing := list(_differing(rows, before, row)):
            raise DataError(
                f"the stores say different things of {path!r} ({', '.join(differing)}): mend one, "
                f"or merge to an index ({place.stem}{INDEX_SUFFIX}), which keeps both rows"
            )
    return np.array(first, np.int64)


def _differing(rows: Rows, a: int, b: int) -> Iterator[str]:
    for name in ("digest", "label", "split", "group"):
        column = getattr(rows, name)
        if column[a] != column[b]:
            yield name
    for name, column in rows.metadata.items():
        if not is_missing(column[a]) and not is_missing(column[b]) and column[a] != column[b]:
            yield name


def _filled(rows: Rows, first: npt.NDArray[np.int64]) -> Rows:
    """Return the first row of each path, with metadata and hashes that only a repeat of it has."""
    found = rows.take(first)
    if len(first) == len(rows):
        return found
    at = {path: new for new, path in enumerate(found.path)}
    hashes = np.array(found.hash)
    metadata = {name: np.array(column) for name, column in found.metadata.items()}
    for row in np.setdiff1d(np.arange(len(rows)), first).tolist():
        new = at[rows.path[row]]
        if not hashes[new].any():
            hashes[new] = rows.hash[row]
        for name, column in metadata.items():
            if is_missing(column[new]):
                column[new] = rows.metadata[name][row]
    return replace(found, hash=hashes, metadata=metadata)


def _opened(places: Sequence[AnyPath], target: AnyPath | None = None) -> Iterator[Store]:
    """Yield stores one after the other; refuse a target that one of them reads."""
    for place in places:
        with open_store(place, by_name=False) as store:
            if target is not None and _real(target) in map(_real, store.files()):
                raise InputError(
                    f"{str(target)!r} is among the stores to merge: give it another name"
                )
            yield store


def _real(path: AnyPath) -> str:
    return str(path) if is_remote(path) else os.path.realpath(path)

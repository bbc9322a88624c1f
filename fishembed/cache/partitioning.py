"""Stores put together, and a store cut into several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.paths import is_remote, to_path
from fishembed.cache.concatenated import Selected
from fishembed.cache.lock import store_lock
from fishembed.cache.partitioned import PartitionedStore, make_index, write_index
from fishembed.cache.schema import INDEX_SUFFIX, Rows
from fishembed.cache.store import FeatureStore
from fishembed.cache.writer import Gathered, write_store
from fishembed.errors import InputError

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

_TEXTS = ("path", "digest", "split", "group")


def merge_stores(
    target: str | Path | UPath, stores: Sequence[str | Path | UPath]
) -> tuple[int, int]:
    """Make one store of several that the same encoder made.

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
        same picture under the same path. An index leaves none out.

    Raises
    ------
    StoreMismatchError
        When the vectors come from different encoders.
    InputError
        When two stores say different things of one path.
    """
    place, places = to_path(target), [to_path(store) for store in stores]
    if not places:
        raise InputError("no store was named: give those that shall become one")
    index = make_index(place, places)
    if place.suffix == INDEX_SUFFIX:
        _make_folder(place)
        write_index(place, index)
        return sum(one["rows"] for one in index["stores"]), 0
    with store_lock(place), PartitionedStore(index, place) as store:
        kept = _once(store.rows, place)
        _write(place, store, kept, first=True)
        return len(kept), len(store) - len(kept)


def shard_store(store: str | Path | UPath, rows: int, target: str | Path | UPath) -> int:
    """Cut a store into files of `rows` rows, and write an index over them.

    Parameters
    ----------
    store
        What is cut; it stays.
    rows
        Rows of each file; the last one may have fewer.
    target
        The index; its name ends in `.json`. The files go into a folder of that name beside it.

    Returns
    -------
    int
        How many files there are.
    """
    place = to_path(target)
    if place.suffix != INDEX_SUFFIX:
        raise InputError(
            f"{str(target)!r} must end in {INDEX_SUFFIX}: it becomes an index of files"
        )
    if rows < 1:
        raise InputError(f"rows={rows} must be at least 1")
    folder = place.with_suffix("")
    with FeatureStore.open(store) as whole:
        starts = range(0, len(whole), rows)
        places = [folder / f"{number:05d}.h5" for number in range(len(starts))]
        for start, part in zip(starts, places, strict=True):
            _make_folder(part)
            with store_lock(part):
                chosen = np.arange(start, min(start + rows, len(whole)), dtype=np.int64)
                _write(part, whole, chosen, first=not start)
    write_index(place, make_index(place, places))
    return len(places)


def _write(place: AnyPath, store: FeatureStore, rows: Any, *, first: bool) -> None:
    """Write some rows of a store to another place."""
    head = replace(
        store.head, skipped=store.head.skipped if first else (), history=(), dropped=None
    )
    trunk = _gathered(store.trunk, rows) if store.has_trunk and not store.trunk_is_image else None
    write_store(
        place,
        head,
        _some(store.rows, rows),
        _gathered(store.features, rows),
        trunk="image" if store.trunk_is_image else trunk,
        dtype=store.features.dtype,
    )


def _gathered(matrix: Any, rows: Any) -> Gathered:
    chosen = Selected(matrix, rows)
    return Gathered(lambda a, b: chosen[a:b], *chosen.shape, dtype=chosen.dtype)


def _some(rows: Rows, chosen: Any) -> Rows:
    texts = {name: [getattr(rows, name)[i] for i in chosen] for name in _TEXTS}
    return Rows(
        size=rows.size[chosen], mtime_ns=rows.mtime_ns[chosen], label=rows.label[chosen], **texts
    )


def _once(rows: Rows, place: AnyPath) -> Any:
    """Give the numbers of the rows whose path no row before them has."""
    seen: dict[str, int] = {}
    kept = []
    for row, path in enumerate(rows.path):
        before = seen.setdefault(path, row)
        if before == row:
            kept.append(row)
        elif differing := list(_differing(rows, before, row)):
            raise InputError(
                f"the stores say different things of {path!r} ({', '.join(differing)}): mend one, "
                f"or merge to an index ({place.stem}{INDEX_SUFFIX}), which keeps both rows"
            )
    return np.array(kept, np.int64)


def _differing(rows: Rows, a: int, b: int) -> Iterator[str]:
    for name in ("digest", "label", "split", "group"):
        column = getattr(rows, name)
        if column[a] != column[b]:
            yield name


def _make_folder(place: AnyPath) -> None:
    if not is_remote(place):
        place.parent.mkdir(parents=True, exist_ok=True)

"""Find stores and open them, whatever they are made of."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fishembed._base.paths import cache_dir, is_remote, to_path
from fishembed._base.remote_files import remote_errors, with_local_copy
from fishembed._base.text import did_you_mean, reason_of
from fishembed.cache.hdf5_files import first_bytes
from fishembed.cache.hdf5_store import Hdf5Store
from fishembed.cache.joined_store import JoinedStore, join_stores
from fishembed.cache.sharded_store import ShardedStore, read_index, starts_index
from fishembed.cache.store import Store
from fishembed.errors import FishembedError, StoreFormatError, StoreNotFoundError

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PREFERRED = ("", ".h5", ".hdf5", ".json")
"""Endings of names of stores, in order of precedence where several have one name."""


def open_store(*paths: str | Path | UPath, check: bool = True, by_name: bool = True) -> Store:
    """Open a store for reading; its content decides which kind it is.

    Parameters
    ----------
    paths
        An HDF5 file, or an index over several; or the URL of one: then a copy is fetched to
        this machine, and used until the one there changes. Several paths are stores of several
        encoders, which are put side by side.
    by_name
        Whether a store in the cache folder is found by its name too, see `store_place`.
    check
        Whether everything is compared with its checksums on first read. `Store.verify` compares
        in any case.

    Raises
    ------
    StoreNotFoundError
        When there is no such file.
    StoreFormatError
        When it is no store, is damaged, or has a newer schema.
    InputError
        When there are none, or several cannot be joined; see `join_stores`.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features
    >>> arrays = {"features": np.eye(4), "labels": ["cod", "cod", "eel", "eel"]}
    >>> path = import_features({**arrays, "splits": ["train", "test"] * 2}, "eye.h5")
    >>> with open_store(path) as store:
    ...     X, y = store.split("train")
    >>> X.shape, y.tolist()
    ((2, 4), [0, 1])
    """
    places = map(store_place if by_name else to_path, paths)
    stores = [_open_one(place, check=check) for place in places]
    return stores[0] if len(stores) == 1 else join_stores(stores)


def _open_one(path: AnyPath, *, check: bool = True) -> Store:
    try:
        return with_local_copy(path, lambda local: _open_local(local, path, check=check))
    except FileNotFoundError as error:
        if isinstance(error, FishembedError):
            raise
        near = did_you_mean(path.stem, store_names())
        raise StoreNotFoundError(
            f"no feature store at {str(path)!r}{near or ':'} 'fishembed extract' and 'fishembed "
            "import' make one"
        ) from error


def _open_local(local: Path, path: AnyPath, *, check: bool) -> Store:
    if not first_bytes(local).lstrip().startswith(b"{"):  # JSON
        return Hdf5Store.read(local, path, check=check)
    try:
        return ShardedStore(read_index(local, path), path, partial(_open_one, check=check))
    except FishembedError:
        raise
    except Exception as error:  # what a crafted index breaks cannot be listed
        raise StoreFormatError(
            f"{str(path)!r} is damaged ({reason_of(error)}): 'fishembed merge' lists its "
            "files again"
        ) from error


def is_store(path: str | Path | UPath) -> bool:
    """Return whether a file is HDF5 or an index of stores, by its first bytes."""
    try:
        start = first_bytes(to_path(path))
    except (FishembedError, OSError):
        return False
    return start.startswith(_HDF5) or starts_index(start)


def find_store(name: str | Path | UPath, folder: str | Path | UPath) -> AnyPath | None:
    """Return the store in a folder that has this name or path below it, with any ending or none.

    Stores are recognised by content; where several have the name, `NAME` itself comes before
    `NAME.h5`, `.hdf5`, `.json` and other endings. None where there is none.
    """
    wanted = to_path(folder) / str(name)
    named = [path for path in _files(wanted.parent) if wanted.name in (path.name, path.stem)]
    order = {f"{wanted.name}{ending}": i for i, ending in enumerate(_PREFERRED)}
    for path in sorted(named, key=lambda one: (order.get(one.name, len(order)), one.name)):
        if is_store(path):
            return path
    return None


def store_place(named: str | Path | UPath) -> AnyPath:
    """Return the store with this path, or with this name in the cache folder, whatever its ending.

    What is neither is returned as it was named.
    """
    place = to_path(named)
    if is_remote(place) or place.is_file():
        return place
    return find_store(named, cache_dir()) or place


def store_names() -> list[str]:
    """Return the names of the stores in the cache folder; none where that is remote."""
    folder = cache_dir()
    if is_remote(folder):
        return []
    return sorted({path.stem for path in _files(folder) if is_store(path)})


def newest_store(folder: str | Path | UPath) -> AnyPath:
    """Return the store in a folder that was written last, or raise a `StoreNotFoundError`."""
    written: list[tuple[int, str, AnyPath]] = []
    for path in _files(to_path(folder)):
        with suppress(OSError):  # a link that leads nowhere, or a file that was just removed
            written.append((path.stat().st_mtime_ns, path.name, path))
    for _, _, path in sorted(written, key=lambda one: one[:2], reverse=True):
        if is_store(path):
            return path
    raise StoreNotFoundError(
        f"no feature store in {str(folder)!r}: make one with 'fishembed extract' or "
        "'fishembed import'"
    )


def _files(folder: AnyPath) -> list[AnyPath]:
    """Return what lies in a folder and is not hidden."""
    with remote_errors(folder):
        return [path for path in folder.glob("*") if not path.name.startswith(".")]


class FeatureStore(Store):
    """One set of samples under one encoder, as features.

    Open it with `FeatureStore.open`; see `Store` for what it holds.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features
    >>> arrays = {"features": np.eye(4), "labels": ["cod", "cod", "eel", "eel"]}
    >>> path = import_features({**arrays, "splits": ["train", "test"] * 2}, "eye.h5")
    >>> with FeatureStore.open(path) as store:
    ...     X, y = store.split("train")
    >>> X.shape, y.tolist()
    ((2, 4), [0, 1])
    """

    @classmethod
    def open(
        cls, path: str | Path | UPath, *, check: bool = True, by_name: bool = True
    ) -> FeatureStore:
        """Open a store for reading; see `open_store`."""
        return cast("FeatureStore", open_store(path, check=check, by_name=by_name))


# The classes that implement `Store` do not know of the function that chooses among them.
for _kind in (Hdf5Store, ShardedStore, JoinedStore):
    FeatureStore.register(_kind)

"""One writer of a store at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.files import check_replaceable, real_path, remove_stale, try_lock
from fishembed._base.paths import is_remote, to_path
from fishembed._base.remote_files import ANYTHING, remote_state, staging_path
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.sharded_store import INDEX_SUFFIX, is_index
from fishembed.errors import InputError, StoreLockedError, StoreWriteError

if TYPE_CHECKING:
    from upath import UPath


@contextmanager
def store_lock(store: str | Path | UPath) -> Iterator[str]:
    """Hold the right to write a store; readers need none and are never disturbed.

    A store at a URL is locked among the processes of this machine only: object stores have no
    locks. So the lock yields what is there now, for `write_store` to replace that and nothing
    that another machine has written since.

    The operating system lets go of the lock when its process ends, however it ends. What
    a dead process was writing is removed.

    Yields
    ------
    str
        What `write_store` takes as `replaces`.

    Raises
    ------
    InputError
        When a folder lies there, or an index over several stores.
    StoreLockedError
        When another process holds it; the message says which.
    StoreWriteError
        When the folder cannot be made or written, its disk has no locks, or the store was
        made read-only.
    """
    there = to_path(store)
    if there.suffix == INDEX_SUFFIX or is_index(there):
        raise InputError(
            f"{str(store)!r} is an index over several stores: write to one of them, or give "
            "another --store, and let 'fishembed merge' list them"
        )
    place = real_path(staging_path(there))
    if os.path.isdir(place):  # noqa: PTH112 - it never raises
        raise InputError(f"{str(store)!r} is a folder: name a file in it, such as 'fish.h5'")
    with store_write_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        check_replaceable(place)
        handle = _open_lock(place.with_name(f".{place.name}.lock"))
    try:
        _acquire(handle, store)
        _write_holder(handle)
        remove_stale(place.parent, place.name)
        yield remote_state(there) if is_remote(there) else ANYTHING
    finally:
        os.close(handle)


def _open_lock(file: Path) -> int:
    if file.is_symlink():
        raise StoreWriteError(f"{str(file)!r} is a link where a lock should be: remove it")
    return os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _acquire(handle: int, store: object) -> None:
    try:
        held = try_lock(handle)
    except OSError as error:
        raise StoreWriteError(
            f"the disk of {str(store)!r} has no file locks ({error.strerror or error}), so that "
            "two processes could write at once: give a --store on another disk"
        ) from error
    if not held:
        raise StoreLockedError(
            f"{str(store)!r} is being written by {_read_holder(handle)}: wait for it to end, or "
            "give another --store"
        )


def _write_holder(handle: int) -> None:
    """Name the process that writes; on a full disk the lock holds without."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())


def _read_holder(handle: int) -> str:
    with suppress(OSError):
        os.lseek(handle, 0, os.SEEK_SET)
        return os.read(handle, 200).decode("utf-8", "replace") or "another process"
    return "another process"

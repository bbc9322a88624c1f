"""One writer of a store at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from fishembed._base.files import real_path, remove_stale_files
from fishembed._base.paths import to_path
from fishembed._base.remote_files import staging_path
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.sharded_store import INDEX_SUFFIX, is_index
from fishembed.errors import InputError, StoreLockedError, StoreWriteError

if TYPE_CHECKING:
    from upath import UPath


@contextmanager
def store_lock(store: str | Path | UPath) -> Iterator[None]:
    """Hold the right to write a store; readers need none and are never disturbed.

    A store at a URL is locked among the processes of this machine only: object stores have
    no locks. There the last writer's store stays, whole.

    The operating system lets go of the lock when its process ends, however it ends. What
    a dead process was writing is removed.

    Raises
    ------
    InputError
        When a folder lies there, or an index over several stores.
    StoreLockedError
        When another process holds it; the message says which.
    StoreWriteError
        When the folder cannot be made or written, or its disk has no locks.
    """
    if to_path(store).suffix == INDEX_SUFFIX or is_index(to_path(store)):
        raise InputError(
            f"{str(store)!r} is an index over several stores: write to one of them, or give "
            "another --store, and let 'fishembed merge' list them"
        )
    place = real_path(staging_path(to_path(store)))
    if os.path.isdir(place):  # noqa: PTH112 - it never raises
        raise InputError(f"{str(store)!r} is a folder: name a file in it, such as 'fish.h5'")
    holder = place.with_name(f".{place.name}.writer")
    file = place.with_name(f".{place.name}.lock")
    lock = FileLock(file)
    with store_write_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.is_symlink():  # to lock what it names would empty that
            raise StoreWriteError(f"{str(file)!r} is a link where a lock should be: remove it")
        try:
            lock.acquire(timeout=0)
        except NotImplementedError as error:
            raise StoreWriteError(
                f"the disk of {str(store)!r} has no file locks, so that two processes could "
                "write at once: give a --store on another disk"
            ) from error
        except Timeout as error:
            raise StoreLockedError(
                f"{str(store)!r} is being written by {_read_holder(holder)}: wait for it to "
                "end, or give another --store"
            ) from error
    try:
        _write_holder(holder)
        remove_stale_files(place.parent, place.name)
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _write_holder(holder: Path) -> None:
    """Name the process that writes; on a full disk the lock holds without."""
    with suppress(OSError):
        holder.unlink(missing_ok=True)
        with holder.open("x", encoding="utf-8") as file:  # "x": a link is not followed
            file.write(f"process {os.getpid()} on {socket.gethostname()}")


def _read_holder(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"

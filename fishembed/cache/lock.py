"""One writer at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from fishembed.cache.files import remove_orphans, write_errors
from fishembed.errors import StoreLockedError


@contextmanager
def store_lock(store: str | Path) -> Iterator[None]:
    """Hold the right to write a store; readers need none and are never disturbed.

    The operating system lets go of the lock when its process ends, however it ends. What
    a dead process was writing is removed.

    Raises
    ------
    StoreLockedError
        When another process holds it; the message says which.
    StoreWriteError
        When the folder cannot be made or written.
    """
    store = Path(store)
    holder = store.with_name(f".{store.name}.writer")
    lock = FileLock(store.with_name(f".{store.name}.lock"))
    with write_errors(store):
        store.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreLockedError(
                f"{str(store)!r} is being written by {_read(holder)}: wait for it to end, or "
                "give another --store"
            ) from error
    try:
        _introduce(holder)
        remove_orphans(store.parent, f"{store.name}.")
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _introduce(holder: Path) -> None:
    """Say who writes; on a full disk the lock holds without."""
    with suppress(OSError):
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"

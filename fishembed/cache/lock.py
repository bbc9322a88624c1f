"""One writer at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fishembed.errors import StoreLockedError, StoreWriteError


@contextmanager
def store_lock(store: str | Path) -> Iterator[None]:
    """Hold the right to write a store; readers need none and are never disturbed.

    The operating system lets go of the lock when its process ends, however it ends.

    Raises
    ------
    StoreLockedError
        When another process holds it; the message says which.
    StoreWriteError
        When the folder cannot be made or written.
    """
    store = Path(store)
    holder = store.with_name(f".{store.name}.writer")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(store.with_name(f".{store.name}.lock"))
        with lock.acquire(timeout=0):
            holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            try:
                yield
            finally:
                holder.unlink(missing_ok=True)
    except Timeout as error:
        raise StoreLockedError(
            f"{str(store)!r} is being written by {_read(holder)}: wait for it to end, or give "
            "another --store"
        ) from error
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise StoreWriteError(f"cannot write in {str(store.parent)!r}: {error.strerror}") from error


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"

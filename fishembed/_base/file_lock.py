"""Locks that the operating system lets go of when a process ends, however it ends."""

from __future__ import annotations

import errno

_TAKEN = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_FAR = 1 << 40
"""The byte that is locked where files are locked by their bytes: no content lies there."""


def try_lock(handle: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder without waiting; closing it lets go of the lock.

    Parameters
    ----------
    handle
        Its file descriptor.
    shared
        Whether others may hold a shared lock at the same time.

    Returns
    -------
    bool
        Whether the lock is held now; False where somebody else holds it.

    Raises
    ------
    OSError
        When the disk or the system has no locks.
    """
    try:
        _lock(handle, shared=shared)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def _lock(handle: int, *, shared: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows, which locks bytes, for everybody or not at all
        import msvcrt
        import os

        if shared:
            raise OSError(errno.ENOSYS, "no shared locks") from None
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

"""Files and folders under temporary names, which are removed also after a kill.

Whoever writes one holds a shared lock on it, which the system lets go of when the process ends.
One that nobody holds was left by a process that is dead: the next that writes into the same
folder removes it. The names end in `.fishembed.tmp`, so that nobody else's are touched.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fishembed._base.file_lock import try_lock

SUFFIX = ".fishembed.tmp"
_OLDER = re.compile(r"\.(?P<name>.+)\.\d+(\.[0-9a-f]+)?\.tmp", re.DOTALL)
_LONGEST = 120
_TRIES = 100


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Create an empty file beside `path` under a temporary name; remove it after the block.

    Nobody else can have the name, and a link that waits there is not followed.
    """
    remove_stale(path.parent)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    for _ in range(_TRIES):
        temporary = _unique_name(path)
        handle = os.open(temporary, flags, 0o666)
        if _hold(handle, temporary):
            break
        os.close(handle)
    if os.name == "nt":  # which neither moves nor removes a file that is open
        os.close(handle)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()
        if os.name != "nt":
            os.close(handle)


@contextmanager
def temporary_folder(path: Path, *, reserve: bool = False) -> Iterator[Path]:
    """Create a folder beside `path` under a temporary name; remove it after the block.

    Parameters
    ----------
    path
        What it is to become.
    reserve
        Whether only one process at a time may have a folder that is to become `path`.

    Raises
    ------
    FileExistsError
        When another process holds the reservation.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(path.parent)
    for _ in range(_TRIES):
        temporary = _short_name(path, "") if reserve else _unique_name(path)
        temporary.mkdir()
        handle = _open_folder(temporary)
        if handle is None or _hold(handle, temporary):
            break
        os.close(handle)
    try:
        yield temporary
    finally:
        if handle is None or _is_at(handle, temporary):  # it may be another's, once ours moved
            shutil.rmtree(temporary, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def remove_stale(folder: Path, name: str | None = None) -> None:
    """Remove what dead processes left under temporary names in a folder.

    Parameters
    ----------
    folder
        Where it lies.
    name
        The file whose only writer the caller is: what older versions left of it, which held
        no lock, is removed too.
    """
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if not entry.name.endswith(".tmp"):
                continue
            older = _OLDER.fullmatch(entry.name)
            if older and older["name"] == name and not entry.name.endswith(SUFFIX):
                with suppress(OSError):
                    Path(entry.path).unlink()
            elif entry.name.startswith(".") and entry.name.endswith(SUFFIX):
                with suppress(OSError):
                    _remove_unless_held(Path(entry.path))


def _remove_unless_held(path: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        handle = _open_folder(path)
    elif stat.S_ISREG(mode):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    else:
        return
    if handle is None:
        return
    try:
        if not try_lock(handle) or not _is_at(handle, path):
            return
        if stat.S_ISDIR(mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(handle)


def _hold(handle: int, path: Path) -> bool:
    """Mark what was just created as in use; return whether it still is there."""
    try:
        held = try_lock(handle, shared=True)
    except OSError as error:
        # Without locks nothing is ever taken for stale either.
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        return True
    return held and _is_at(handle, path)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False


def _open_folder(path: Path) -> int | None:
    """Open a folder to lock it, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return None
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _unique_name(path: Path) -> Path:
    return _short_name(path, f".{os.getpid()}.{secrets.token_hex(4)}")


def _short_name(path: Path, mark: str) -> Path:
    """Return a hidden name beside a path, which is not too long where the path's is not."""
    name = os.fsencode(path.name)
    if len(name) > _LONGEST:
        name = name[:_LONGEST].decode("utf-8", "ignore").encode("utf-8")
    return path.with_name(f".{os.fsdecode(name)}{mark}{SUFFIX}")

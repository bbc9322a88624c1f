"""Files and folders that appear whole or not at all, and locks.

A new file has a temporary name beside its place until it is complete and on disk; one `os.replace`
moves it in. A read-only file is not replaced. The writing process holds a shared lock on the
temporary file, which the system releases when the process ends: one without a lock was left by a
dead process, and the next that writes into the same folder removes it. The names end in
`.fishembed.tmp`, so that no other program's files are touched.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE = 2.0
"""Seconds within which a reader must open a pipe."""


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; move it to `path` when the block ends well.

    Where the block or the move fails, what was at `path` is untouched and nothing is left
    behind. A link stays a link: the file it names is replaced. Permissions stay as they were.
    A device or a pipe, such as ``/dev/stdout``, is written to directly; `OSError` where a pipe
    has no reader.

    Examples
    --------
    >>> with atomic_file(Path("notes.txt")) as temporary:  # doctest: +SKIP
    ...     temporary.write_text("all of it")
    """
    if _is_device(path):
        with _reader_of(path):
            yield path
        return
    place = real_path(path)
    check_replaceable(place)
    with temporary_file(place) as temporary:
        yield temporary
        move_into_place(temporary, place)


def move_into_place(temporary: Path, path: Path) -> None:
    """Make a temporary file safe on disk and move it to `path`, where it replaces any other."""
    place = real_path(path)
    if _is_device(place):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file")
    check_replaceable(place)
    _sync(temporary, os.O_RDWR)
    with suppress(FileNotFoundError):
        shutil.copymode(place, temporary)
    os.replace(temporary, place)  # noqa: PTH105 - the one call this rests on
    sync_folder(place.parent)


def check_replaceable(place: Path) -> None:
    """Refuse to replace a read-only file, which the system allows in a writable folder."""
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError):  # nothing there: the write raises whatever else is wrong
        return
    readable_only = not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)  # root too
    if stat.S_ISREG(mode) and (readable_only or not os.access(place, os.W_OK)):
        raise PermissionError(
            errno.EACCES, "it is read-only: allow writing with chmod u+w, or give another name"
        )


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; rename it to `path` when the block ends well.

    Where the block or the rename fails, nothing is left behind; `FileExistsError` where there is
    something at `path` by then, which stays as it is.
    """
    with temporary_folder(path) as temporary:
        yield temporary
        move_folder_into_place(temporary, path)


def move_folder_into_place(temporary: Path, path: Path) -> None:
    """Make a folder and all in it safe on disk and rename it to `path`, where nothing is."""
    for folder, _, names in os.walk(temporary):
        for name in names:
            _sync(Path(folder, name), os.O_RDONLY)
        sync_folder(Path(folder))
    exists = FileExistsError(errno.EEXIST, f"{str(path)!r} is there already")
    if os.path.lexists(path):  # a file or an empty folder would be replaced without a word
        raise exists
    try:
        temporary.rename(path)
    except OSError as error:
        if os.path.lexists(path):
            raise exists from error
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole, or leave the old one; see `atomic_file`."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole; file names that are not valid Unicode retain their bytes."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_json(path: Path, document: object) -> None:
    """Write a document as readable JSON, whole; `ValueError` for NaN and infinity."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def real_path(path: str | Path) -> Path:
    """Return the file that a link names, else the path itself."""
    # os.path returns False where pathlib raises: the error comes from the write itself.
    return Path(os.path.realpath(path) if os.path.islink(path) else path)  # noqa: PTH114


def sync_folder(path: Path) -> None:
    """Make a new name in a folder safe on disk, where the system can."""
    # Windows and some network disks cannot; the file is in its place by now.
    with suppress(OSError):
        _sync(path, os.O_RDONLY)


def _is_device(path: Path) -> bool:
    """Return whether something other than a file or a folder is there, which no move replaces."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def _reader_of(path: Path) -> Iterator[None]:
    """Hold a pipe open, once it has a reader: opening one without a reader never returns."""
    if not stat.S_ISFIFO(path.stat().st_mode):
        yield
        return
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, "it is a pipe that nobody reads", str(path)) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        os.close(handle)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


SUFFIX = ".fishembed.tmp"
_OLDER = re.compile(r"\.(?P<name>.+)\.\d+(\.[0-9a-f]+)?\.tmp", re.DOTALL)
_LONGEST = 120
_TRIES = 100


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Create an empty file beside `path` under a temporary name; remove it after the block.

    No other process can have the name, and a link of that name is not followed.
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

    With `reserve` only one process at a time has a folder that is to become `path`: others get a
    `FileExistsError`.
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

    Of the file `name`, whose only writer the caller is, what older versions left is removed too,
    which held no lock.
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
    """Lock a temporary that was just created; return whether it still exists."""
    try:
        held = try_lock(handle, shared=True)
    except OSError as error:
        # Without locks no temporary is ever judged stale either.
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
    """Return a hidden name beside a path, never longer than file systems allow."""
    name = os.fsencode(path.name)
    if len(name) > _LONGEST:
        name = name[:_LONGEST].decode("utf-8", "ignore").encode("utf-8")
    return path.with_name(f".{os.fsdecode(name)}{mark}{SUFFIX}")


_TAKEN = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_FAR = 1 << 40
"""Offset of the byte that is locked where locks are on bytes: beyond any content."""


def try_lock(handle: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder without waiting; return whether the lock is held now.

    Closing `handle` releases it. Others may hold a `shared` lock at the same time.

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

        if shared:
            raise OSError(errno.ENOSYS, "no shared locks") from None
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

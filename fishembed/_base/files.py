"""Files and folders that appear whole or not at all.

What is written lies under a temporary name beside its place until it is complete and on disk,
see `fishembed._base.temporary`; one `os.replace` moves it in. A file that was made read-only is
not replaced.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fishembed._base.temporary import temporary_file, temporary_folder


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; move it to `path` when the block ends well.

    Where the block or the move fails, what was at `path` is untouched and nothing is left
    behind. A link stays a link: the file it names is replaced. Rights stay as they were.
    A device or a pipe, such as ``/dev/stdout``, is written to directly.

    Raises
    ------
    OSError
        When the folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> with atomic_file(Path("notes.txt")) as temporary:  # doctest: +SKIP
    ...     temporary.write_text("all of it")
    """
    if _is_device(path):
        yield path
        return
    place = real_path(path)
    check_replaceable(place)
    with temporary_file(place) as temporary:
        yield temporary
        move_into_place(temporary, place)


def move_into_place(temporary: Path, path: Path) -> None:
    """Make a temporary file safe on disk and move it to `path`, replacing what is there.

    Raises
    ------
    OSError
        When it cannot be moved, or a device or pipe is there.
    """
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
    """Refuse to replace a file that was made read-only, which to the system only its folder is.

    Raises
    ------
    PermissionError
        When nobody may write it, or this user may not.
    """
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError):  # nothing there: whatever else is wrong, the write says
        return
    readable_only = not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)  # root too
    if stat.S_ISREG(mode) and (readable_only or not os.access(place, os.W_OK)):
        raise PermissionError(
            errno.EACCES, "it is read-only: allow writing with chmod u+w, or give another name"
        )


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; rename it to `path` when the block ends well.

    Where the block or the rename fails, nothing is left behind.

    Raises
    ------
    FileExistsError
        When there is something at `path` by then; it is left as it is.
    OSError
        When the folder around it is not writable, or the disk is full.
    """
    with temporary_folder(path) as temporary:
        yield temporary
        move_folder_into_place(temporary, path)


def move_folder_into_place(temporary: Path, path: Path) -> None:
    """Make a folder and all in it safe on disk and rename it to `path`, where nothing is.

    Raises
    ------
    FileExistsError
        When there is something.
    """
    for folder, _, names in os.walk(temporary):
        for name in names:
            _sync(Path(folder, name), os.O_RDONLY)
        sync_folder(Path(folder))
    # A file or an empty folder would be replaced without a word.
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, f"{str(path)!r} is there already")
    try:
        temporary.rename(path)
    except OSError as error:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, f"{str(path)!r} is there already") from error
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole, or leave what was there; see `atomic_file`."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole; names of files that are no valid Unicode keep their bytes."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_json(path: Path, document: object) -> None:
    """Write a document as readable JSON, whole.

    Raises
    ------
    ValueError
        When it holds NaN or infinity, which JSON does not know.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def real_path(path: str | Path) -> Path:
    """Return the file that a link names, else the path itself."""
    # os.path says no where pathlib raises: the error comes from the write itself.
    return Path(os.path.realpath(path) if os.path.islink(path) else path)  # noqa: PTH114


def sync_folder(path: Path) -> None:
    """Make a new name in a folder safe on disk, where the system can."""
    # Windows and some network disks cannot; the file is in its place by now, so go on.
    with suppress(OSError):
        _sync(path, os.O_RDONLY)


def _is_device(path: Path) -> bool:
    """Return whether something other than a file or a folder is there, which no move replaces."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Files and folders that appear whole or not at all.

What is written lies under a temporary name beside its place until it is complete and on disk;
one `os.replace` moves it in. A temporary name is `.NAME.PID.RANDOM.tmp`: nobody else can have
it, and a link that waits there is refused, not followed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
    with temporary_file(path) as temporary:
        yield temporary
        move_into_place(temporary, path)


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Create an empty file beside `path` under a temporary name; remove it after the block."""
    temporary = _temporary_name(real_path(path))
    temporary.touch(exist_ok=False)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


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
    _sync(temporary, os.O_RDWR)
    with suppress(FileNotFoundError):
        shutil.copymode(place, temporary)
    os.replace(temporary, place)  # noqa: PTH105 - the one call this rests on
    sync_folder(place.parent)


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
    temporary = _temporary_name(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        # A file or an empty folder would be replaced without a word.
        if os.path.lexists(path):
            raise FileExistsError(f"{str(path)!r} is there already")
        temporary.rename(path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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


def remove_stale_files(folder: Path, name: str | None = None) -> None:
    """Remove the temporary files that dead processes left while they wrote into a folder.

    Call it only where no other process can be writing: what a living one writes looks the same.

    Parameters
    ----------
    folder
        Where they lie.
    name
        The file that was being written; any where it is None.
    """
    stale = re.compile(rf"\.{re.escape(name) if name else '.+'}\.\d+(\.[0-9a-f]+)?\.tmp", re.DOTALL)
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            if stale.fullmatch(entry.name):
                entry.unlink(missing_ok=True)


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


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

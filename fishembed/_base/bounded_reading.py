"""Reading whole what may have no end: pipes, devices, bodies of answers."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fishembed._base.paths import is_remote
from fishembed._base.remote.places import HTTP

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

MOST = 1 << 30
"""Bytes that are read of a table, and of anything that has no size of its own."""

_AT_ONCE = 1 << 20


class TooLargeError(OSError):
    """More bytes than are read."""

    def __init__(self, most: int) -> None:
        super().__init__(f"larger than {most:,} bytes")


def read_at_most(path: AnyPath, most: int = MOST) -> bytes:
    """Return the bytes of a file here or elsewhere.

    Raises
    ------
    OSError
        When it cannot be read, or has more than `most` bytes or no end.
    """
    parts = list(blocks(path, most))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def blocks(path: AnyPath, most: int = MOST) -> Iterator[bytes]:
    """Yield the bytes of a file here or elsewhere; see `read_at_most` for what is raised."""
    left = most
    with _opened(path) as file:
        while block := file.read(min(_AT_ONCE, left + 1)):
            left -= len(block)
            if left < 0:
                raise TooLargeError(most)
            yield block


def open_file(path: Path) -> BinaryIO:
    """Open a file of this machine to read it, links followed; a pipe is not waited for.

    Raises
    ------
    OSError
        When it is not there, or a pipe, a device or a folder.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # to open some devices does something
        raise _no_file(path)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _no_file(path)
    return os.fdopen(handle, "rb")


def _no_file(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is a pipe, a device or a folder", str(path))


def read_file(path: Path, most: int = MOST) -> bytes:
    """Return the bytes of a file of this machine; see `open_file` and `read_at_most`."""
    with open_file(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLargeError(most)
    return data


def _opened(path: AnyPath) -> BinaryIO:
    if not is_remote(path):
        return path.open("rb")
    return _streamed(path)


def _streamed(path: UPath) -> BinaryIO:
    """Open a remote file from its start; HTTP's body as it comes, whatever length was announced."""
    if path.protocol in HTTP:
        stream: BinaryIO = path.fs.open(path.path, "rb", block_size=0, size=1)
        return stream
    return path.open("rb")

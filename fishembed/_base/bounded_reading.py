"""Bounded reads of what may be endless or claim too much: pipes, devices, responses, archives."""

from __future__ import annotations

import errno
import math
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from fishembed._base.paths import HTTP, is_remote

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

MOST = 1 << 30
"""Limit in bytes for a table, and for anything that has no size of its own."""

_BLOCK_BYTES = 1 << 20


class TooLargeError(OSError):
    """The file has more bytes than the limit."""

    def __init__(self, most: int) -> None:
        super().__init__(f"larger than {most:,} bytes")


def read_file(path: AnyPath, most: int = MOST) -> bytes:
    """Return the bytes of a local or remote file.

    `OSError` when it cannot be read, is no file, or has more than `most` bytes or no end.
    """
    return b"".join(blocks(path, most))


def blocks(path: AnyPath, most: int = MOST) -> Iterator[bytes]:
    """Yield the bytes of a local or remote file; errors as in `read_file`."""
    left = most
    with _opened(path) as file:
        while block := file.read(min(_BLOCK_BYTES, left + 1)):
            left -= len(block)
            if left < 0:
                raise TooLargeError(most)
            yield block


def open_file(path: Path) -> BinaryIO:
    """Open a local file for reading, links followed; do not wait for a pipe.

    `OSError` when it is not there, or a pipe, a device or a folder.
    """
    refused = OSError(errno.EINVAL, "it is a pipe, a device or a folder", str(path))
    if not stat.S_ISREG(path.stat().st_mode):  # to open some devices does something
        raise refused
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise refused
    return os.fdopen(handle, "rb")


def _opened(path: AnyPath) -> BinaryIO:
    """Open a file from its start; HTTP's body as it comes, whatever length was announced."""
    if not is_remote(path):
        return open_file(path)
    if path.protocol in HTTP:
        stream: BinaryIO = path.fs.open(path.path, "rb", block_size=0, size=1)
        return stream
    return path.open("rb")


_SMALL = 1 << 26
_MOST_ARRAYS = 10_000


def check_npz(path: Path, densest: int = 100) -> None:
    """Refuse an .npz archive whose arrays claim more than its bytes can hold.

    Beyond 64 MiB one byte of the file may become `densest`. Features hardly compress; zeros do a
    thousandfold.

    Raises
    ------
    ValueError
        When an array's shape is not that of its data, or it would be much larger than the file.
    OSError, zipfile.BadZipFile
        When it cannot be read, or is no archive.

    Examples
    --------
    >>> np.savez("a.npz", X=np.eye(3))
    >>> check_npz(Path("a.npz"))
    """
    with open_file(path) as file, zipfile.ZipFile(file) as archive:
        size = os.fstat(file.fileno()).st_size
        members = archive.infolist()
        if len(members) > _MOST_ARRAYS:
            raise ValueError(f"{len(members):,} arrays")
        claimed = sum(member.file_size for member in members)
        if claimed > _SMALL + densest * size:
            raise ValueError(f"{size:,} bytes claim to be {claimed:,}")
        for member in members:
            if member.filename.endswith(".npy"):
                _check_shape(archive, member)


def _check_shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Compare the shape in an array's header with the bytes behind it."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        reader = getattr(np.lib.format, f"read_array_header_{version[0]}_0", None)
        if reader is None:  # 3.0 differs from 2.0 in the coding of names alone
            reader = np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(file)
        header = file.tell()
    if dtype.hasobject:
        raise ValueError(f"{member.filename!r} holds Python objects")
    claimed, present = math.prod(map(int, shape)) * dtype.itemsize, member.file_size - header
    if claimed != present:
        raise ValueError(f"{member.filename!r} claims {claimed:,} bytes and has {present:,}")

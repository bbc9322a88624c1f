"""Bytes of images: of files, in a tar, or on another machine."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from fishembed._base.paths import is_url, to_path
from fishembed._base.remote_files import remote_errors
from fishembed.errors import ImageError


class ImageBytes(Protocol):
    """The bytes of one image, wherever they lie. Small, and can be sent to other processes."""

    @property
    def state(self) -> tuple[int, int]:
        """Its size in bytes, and a number that changes with what it lies in; -1 for unusable."""
        ...

    def __hash__(self) -> int: ...

    def read(self) -> bytes:
        """Return all bytes of the image; `ImageError` when that cannot be done."""
        ...


@dataclass(frozen=True)
class UnreadableImage:
    """An image of a dataset that cannot be read; extraction skips it with the reason."""

    reason: str
    state: tuple[int, int] = (-1, -1)

    def read(self) -> bytes:
        """Refuse, with the reason."""
        raise ImageError(self.reason)


_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
"""A pipe without a writer would otherwise never be opened."""


def read_bytes(path: str | os.PathLike[str] | ImageBytes, *, max_bytes: int = 1 << 30) -> bytes:
    """Read an image whole: a file, or what `Dataset.at` returns in place of one.

    Raises
    ------
    ImageError
        When it is missing, no regular file, unreadable, or larger than `max_bytes`.
    """
    if not isinstance(path, (str, os.PathLike)):
        if path.state[0] > max_bytes:
            raise ImageError(f"larger than {max_bytes:,} bytes")
        return path.read()
    try:
        # Python's file objects cost twice as much, and reading "all" makes a guess at the size.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | _NEVER_WAIT)
        try:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                raise ImageError("not a regular file")
            if state.st_size > max_bytes:
                raise ImageError(f"larger than {max_bytes:,} bytes")
            return _read(file, state.st_size)
        finally:
            os.close(file)
    except FileNotFoundError as error:
        raise ImageError("the file is missing") from error
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from error


def _read(file: int, size: int) -> bytes:
    """Read the first `size` bytes of a file, which may grow meanwhile."""
    data = os.read(file, size)
    if len(data) == size:
        return data
    parts = [data]
    while data and (size := size - len(data)) > 0:  # a system call reads 2 GiB at most
        data = os.read(file, size)
        parts.append(data)
    return b"".join(parts)


def stamp(*facts: object) -> int:
    """Return 63 bits of a hash of the facts, in place of the time of a file."""
    digest = hashlib.blake2b(repr(facts).encode("utf-8", "backslashreplace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") >> 1


BLOCK = 8 << 20
"""Bytes fetched at once from a URL: a request costs as much time as some megabytes."""

_BLOCKS_CACHED = 8
_LOCK = threading.Lock()


def read_range(place: str, offset: int, size: int) -> bytes:
    """Return up to `size` bytes from `offset` on; fewer where the file ends before.

    From a URL whole blocks are fetched and the last few cached, so that many images that are
    read in the order of their tar cost one request. Raises `OSError`.
    """
    if not is_url(place):
        with open(place, "rb", buffering=0) as file:  # noqa: PTH123 - a str path is half the time
            file.seek(offset)
            return file.read(size)
    first, last = offset // BLOCK, (offset + max(size, 1) - 1) // BLOCK
    with _LOCK:  # neighbours want the same block: the second one finds it there
        data = b"".join(_fetched(place, number) for number in range(first, last + 1))
    start = offset - first * BLOCK
    return data[start : start + size]


@lru_cache(_BLOCKS_CACHED)
def _fetched(place: str, number: int) -> bytes:
    there = to_path(place)
    with remote_errors(there):
        data: bytes = there.fs.cat_file(  # type: ignore[union-attr]
            there.path,  # type: ignore[union-attr]
            start=number * BLOCK,
            end=(number + 1) * BLOCK,
        )
    return data

"""Reading whole what may have no end: pipes, devices, bodies of answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from fishembed._base.paths import is_remote
from fishembed._base.remote.http_files import HTTP

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
